package machine

import (
	"fmt"
	"strings"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

var transactionVerbs = map[string]command.Action{
	"transact": command.Transact, "begin": command.Begin, "prepare": command.Prepare, "commit": command.Commit,
	"cancel": command.Cancel, "apply": command.Apply, "release": command.Release, "settle": command.Settle, "forget": command.Forget,
}

// transactionCommand reads "begin id=1 token=t of put pk=a sk=1 if … ; check pk=b …", or for what names items and no
// actions "commit id=1 token=t version=7 of pk=a ; pk=b". The record lies at the first of them, or at record=pk=a/sk=1.
func (s *script) transactionCommand(verb, line string) *command.Command {
	head, parts, _ := strings.Cut(line, " of ")
	t := &command.Transaction{SentMillis: s.millis}
	c := &command.Command{Action: transactionVerbs[verb], Table: 100, Transaction: t}
	if s.part.Descriptor.Table != 0 {
		c.Table = s.part.Descriptor.Table
	}
	var first attr.Map
	for i, part := range strings.Split(parts, " ; ") {
		var item attr.Map
		if c.Action <= command.Prepare {
			action := s.command(part)
			t.Actions = append(t.Actions, action)
			t.Participants = append(t.Participants, command.Place{Table: c.Table, Suffix: action.Key})
			item = action.Item
		} else if item = s.item(strings.Fields(part)); item.Len() > 0 {
			t.Keys = append(t.Keys, s.key(item))
		}
		if i == 0 {
			first = item
		}
	}
	token := ""
	for _, field := range strings.Fields(head)[1:] {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "id":
			t.ID = command.TransactionID{byte(s.number(value))}
		case "token":
			token = value
		case "hash":
			t.Hash = [16]byte{byte(s.number(value))}
		case "record":
			first = s.item(strings.Split(value, "/"))
		case "version":
			t.Version = command.VersionAt(s.signed(value))
		case "sent":
			t.SentMillis = s.signed(value)
		default:
			s.t.Fatalf("no such field: %s", field)
		}
	}
	if token != "" {
		t.Record = command.Place{Table: c.Table, Suffix: keys.AppendComponent(s.key(first), attr.String(token))}
		t.Forgotten = []command.Forgotten{{Suffix: t.Record.Suffix, ID: t.ID}}
	}
	return c
}

var refusalNames = map[command.Refusal]string{
	command.Cancelled: "refused: cancelled", command.Completed: "refused: completed before", command.Mismatched: "refused: mismatched",
	command.Running: "refused: running", command.Aborted: "refused: aborted", command.TooLate: "refused: too late",
	command.Accepted: "ok",
}

func (s *script) showTransaction(out *strings.Builder, r *command.Result) {
	out.WriteString(refusalNames[r.Refusal])
	if r.Version != 0 {
		fmt.Fprintf(out, " version %s", version(r.Version))
	}
	if r.Elsewhere {
		out.WriteString(" elsewhere")
	}
	for _, p := range r.Participants {
		fmt.Fprintf(out, " %s", components(p.Suffix[keys.TokenBytes:]))
	}
	out.WriteString("\n")
	for i := range r.Results {
		out.WriteString("  ")
		s.showAnswer(out, &command.Command{Action: command.Put}, &Answer{Result: r.Results[i]})
	}
}

func (s *script) showLock(value []byte) string {
	l, err := record.ParseLock(value)
	s.must(err)
	kinds := map[command.Action]string{
		command.Put: "put", command.Update: "update", command.Delete: "delete", command.Check: "check",
	}
	return fmt.Sprintf("%s %s by %d of %s since %dms", kinds[command.Action(l.Kind)], text(l.Item), l.ID[0],
		components(l.Suffix[keys.TokenBytes:]), l.Millis)
}

func (s *script) showRecord(value []byte) string {
	t, err := record.ParseTransaction(value)
	s.must(err)
	states := map[record.State]string{record.Pending: "pending", record.Committed: "committed", record.Aborted: "aborted"}
	shown := fmt.Sprintf("%d %s since %dms", t.ID[0], states[t.State], t.Millis)
	if t.Version != 0 {
		shown += " version " + version(t.Version)
	}
	for _, p := range t.Participants {
		shown += " " + components(p.Suffix[keys.TokenBytes:])
	}
	return shown
}
