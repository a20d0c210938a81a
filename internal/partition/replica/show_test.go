package replica_test

import (
	"errors"
	"fmt"
	"strings"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

type replicaOutcome = replica.Outcome

const (
	rejected  = replica.Rejected
	ambiguous = replica.Ambiguous
)

func (w *world) version() uint64 {
	if t := w.replica.State().Table; t != nil {
		return t.Version
	}
	return 1
}

// key is the key suffix of "pk/sk".
func key(text string) []byte {
	pk, sk, _ := strings.Cut(text, "/")
	return suffixOf(pk, sk)
}

// damage puts bytes into the engine that no release writes: "item a/1" or "index a".
func (w *world) damage(args []string) {
	b := w.engine.NewBatch()
	defer b.Close()
	switch args[0] {
	case "item":
		b.Set(keys.Data(100, key(args[1])), record.Item{Version: 1, Attributes: attr.Map{0xff, 0xff, 0xff}}.Append(nil))
	case "record":
		b.Set(keys.Data(100, key(args[1])), []byte("damaged"))
	default:
		b.Set(append(keys.Prefix(keys.SpaceLocalIndex, 100), key(args[1])[:keys.TokenBytes]...), record.Item{}.Append(nil))
	}
	if err := w.engine.Commit(b, false); err != nil {
		panic(err)
	}
}

func result(r command.Result, err error) string {
	refusal := map[command.Refusal]string{command.ConditionFailed: "refused: ", command.Throttled: "throttled: "}[r.Refusal]
	return outcome(fmt.Sprintf("%s%s -> %s", refusal, show(r.Before), show(r.After)), err)
}

// outcome is an answer, or the kind of routing error.
func outcome(answer string, err error) string {
	var refused *command.Rejected
	var unknown *command.Ambiguous
	var follower *command.NotLeader
	var route *command.StaleRoute
	var stale *command.StaleTable
	switch {
	case err == nil:
		return answer
	case errors.As(err, &unknown):
		return "ambiguous"
	case errors.As(err, &follower):
		return fmt.Sprintf("not leader, hint %d", follower.Hint)
	case errors.As(err, &route):
		return "stale route"
	case errors.As(err, &stale):
		return fmt.Sprintf("stale table, have %d", stale.Have)
	case errors.As(err, &refused):
		return "rejected: " + refused.Cause.Error()
	}
	return "fault: " + err.Error()
}

// show is an item without its key attributes.
func show(item attr.Map) string {
	if len(item) == 0 {
		return "none"
	}
	var parts []string
	for name, v := range item.All() {
		switch {
		case name == "pk":
		case name == "sk":
			parts = append([]string{string(v.Str())}, parts...)
		case v.Type() == attr.N:
			parts = append(parts, strings.Clone(name)+"="+string(v.Number().Append(nil)))
		default:
			parts = append(parts, strings.Clone(name)+"="+string(v.Str()))
		}
	}
	return "{" + strings.Join(parts, " ") + "}"
}
