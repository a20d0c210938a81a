package machine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cockroachdb/datadriven"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

func (s *script) showAnswer(out *strings.Builder, c *command.Command, a *Answer) {
	if a.Err != nil {
		fmt.Fprintf(out, "error: %v\n", a.Err)
		return
	}
	r := &a.Result
	if c.Transaction != nil {
		s.showTransaction(out, r)
		return
	}
	if r.Refusal == command.Locked {
		fmt.Fprintf(out, "refused: locked by %d since %dms\n", r.Held.ID[0], r.Held.SinceMillis)
		return
	}
	names := map[command.Refusal]string{command.Accepted: "ok", command.ConditionFailed: "refused: condition",
		command.Invalid: "refused: " + r.Text, command.Throttled: "refused: throttled",
		command.CollectionTooLarge: "refused: collection too large", command.TooLate: "refused: too late",
		command.NotDue: "refused: not due"}
	out.WriteString(names[r.Refusal])
	if c.Action <= command.Delete || c.Action == command.Expire {
		fmt.Fprintf(out, ": %s -> %s", text(r.Before), text(r.After))
	}
	if r.CollectionBytes != 0 {
		fmt.Fprintf(out, " collection=%d", r.CollectionBytes)
	}
	out.WriteString("\n")
}

// showBatch lists what a batch does, in the order of the batch.
func (s *script) showBatch(out *strings.Builder, b *Batch) {
	fmt.Fprintf(out, "batch: chain %d generation %d", b.Chain, b.Generation)
	if b.Changes > 0 {
		fmt.Fprintf(out, " changes %d", b.Changes)
	}
	if b.Due > 0 {
		fmt.Fprintf(out, " due %d", b.Due)
	}
	out.WriteString("\n")
	for _, r := range b.Ranges {
		if len(r.Lower) == 9 {
			fmt.Fprintf(out, "  - %c %d\n", r.Lower[0], binary.BigEndian.Uint64(r.Lower[1:]))
			continue
		}
		lower, upper := binary.BigEndian.Uint64(r.Lower[9:]), binary.BigEndian.Uint64(r.Upper[9:])
		fmt.Fprintf(out, "  - %c %d..%d\n", r.Lower[0], lower, upper-1)
	}
	for _, w := range b.Writes {
		fmt.Fprintf(out, "  %s\n", s.row(w.Key, w.Value))
	}
}

// row is one engine row in words; a nil value is its removal.
func (s *script) row(key, value []byte) string {
	space, id, rest := keys.Space(key[0]), binary.BigEndian.Uint64(key[1:]), key[9:]
	name := fmt.Sprintf("%c %d ", space, id)
	switch space {
	case keys.SpaceLog:
		name += fmt.Sprint(binary.BigEndian.Uint64(rest))
	case keys.SpacePart:
		name += string(rest)
	case keys.SpaceExpiry:
		name += fmt.Sprintf("%d %s", binary.BigEndian.Uint64(rest), components(rest[8+keys.TokenBytes:]))
	case keys.SpaceLocalIndex:
		hash, order := keys.SplitSuffix(rest, 1)
		name += fmt.Sprintf("%s index %d %s", components(hash[keys.TokenBytes:]), binary.BigEndian.Uint32(order), components(order[4:]))
	default:
		name += components(rest[keys.TokenBytes:])
	}
	if value == nil {
		return "- " + name
	}
	if space == keys.SpaceExpiry && len(value) == 0 {
		return "+ " + name
	}
	return "+ " + name + " = " + s.content(space, rest, value)
}

func (s *script) content(space keys.Space, rest, value []byte) string {
	switch space {
	case keys.SpaceData, keys.SpaceLocalIndex:
		item, err := record.ParseItem(value)
		s.must(err)
		if item.Deleted {
			return fmt.Sprintf("gone since %s", version(item.Version))
		}
		return fmt.Sprintf("%s %dB at %s", text(item.Attributes), item.Size, version(item.Version))
	case keys.SpaceLog:
		c, err := record.ParseChange(value)
		s.must(err)
		by := ""
		if c.Kind == command.ByExpiry {
			by = " by expiry"
		}
		return fmt.Sprintf("%s -> %s at %s%s", text(c.Before), text(c.After), version(c.Version), by)
	case keys.SpaceLock:
		return s.showLock(value)
	case keys.SpaceTransaction:
		return s.showRecord(value)
	case keys.SpaceSize:
		n, _ := binary.Uvarint(value)
		return fmt.Sprint(n)
	}
	switch string(rest) {
	case nameApplied:
		a, err := ParseApplied(value)
		s.must(err)
		return showApplied(a)
	case nameTable:
		t, err := table.Decode(value)
		s.must(err)
		return fmt.Sprintf("version %d", t.Version)
	}
	return string(value)
}

func showApplied(a Applied) string {
	text := fmt.Sprintf("chain %d log %d..%d (%dB) items %d (%dB)", a.Chain, a.First, a.Sequence, a.LogBytes, a.Stats.Items, a.Stats.Bytes)
	if a.UnfedBytes != 0 && a.UnfedBytes != a.LogBytes {
		text += fmt.Sprintf(" unfed %dB", a.UnfedBytes)
	}
	for _, index := range slices.Sorted(maps.Keys(a.Stats.Local)) {
		tally := a.Stats.Local[index]
		text += fmt.Sprintf(" index %d: %d (%dB)", index, tally.Items, tally.Bytes)
	}
	if a.Locks > 0 {
		text += fmt.Sprintf(" locks %d", a.Locks)
	}
	if a.LastDelete > 0 {
		text += " last delete " + version(a.LastDelete)
	}
	return text
}

// version shows a version's milliseconds and, if not 0, its place within them.
func version(v uint64) string {
	millis := command.MillisOf(v)
	logical := v - command.VersionAt(millis)
	switch {
	case millis == 0:
		return fmt.Sprint(v)
	case logical == 0:
		return fmt.Sprintf("%dms", millis)
	}
	return fmt.Sprintf("%dms+%d", millis, logical)
}

// text is an item in the scripts' notation.
func text(item attr.Map) string {
	if len(item) == 0 {
		return "none"
	}
	var parts []string
	for name, v := range item.All() {
		value := string(v.Str())
		if v.Type() == attr.N {
			value = string(v.Number().Append(nil))
		}
		parts = append(parts, strings.Clone(name)+"="+value)
	}
	return "{" + strings.Join(parts, " ") + "}"
}

// components shows encoded key components, divided by slashes.
func components(b []byte) string {
	var parts []string
	for len(b) > 0 {
		if b[0] == 'N' {
			n, rest, ok := attr.ReadKey(b[1:])
			if !ok {
				return "damaged"
			}
			parts, b = append(parts, string(n.Append(nil))), rest
			continue
		}
		end := bytes.Index(b, []byte{0, 1})
		if end < 0 {
			return "damaged"
		}
		shown := string(b[1:end])
		if b[0] == 'B' { // an id, of which a script gives the first byte
			shown = fmt.Sprint("id ", b[1])
		}
		parts, b = append(parts, shown), b[end+2:]
	}
	return strings.Join(parts, "/")
}

func (s *script) showState(out *strings.Builder) {
	p := &s.part
	fmt.Fprintf(out, "generation %d bounds %x..%x\n", p.Descriptor.Generation, p.Descriptor.Bounds.Lower, p.Descriptor.Bounds.Upper)
	fmt.Fprintf(out, "%s\n", showApplied(p.Applied))
	for _, name := range slices.Sorted(maps.Keys(p.Cursors)) {
		fmt.Fprintf(out, "cursor %s %d\n", name, p.Cursors[name])
	}
	for _, index := range slices.Sorted(maps.Keys(p.Backfills)) {
		fmt.Fprintf(out, "backfill %d %+v\n", index, p.Backfills[index])
	}
	if p.Expiry != nil {
		fmt.Fprintf(out, "expiry %d items, after %d bytes\n", p.Expiry.Items, len(p.Expiry.After))
	}
	for _, shard := range p.Shards {
		fmt.Fprintf(out, "shard %+v\n", shard)
	}
}

// showShards lists the shards that each stream has in the partition.
func (s *script) showShards(out *strings.Builder, d *datadriven.TestData) {
	for _, arg := range d.CmdArgs {
		shards := s.part.ShardsOf(s.signed(arg.Key))
		if len(shards) == 0 {
			fmt.Fprintf(out, "stream %s: unknown\n", arg.Key)
		}
		for _, shard := range shards {
			fmt.Fprintf(out, "stream %s: %d/%d holds %d..%d", arg.Key, shard.Name.Partition, shard.Name.Generation, shard.First, shard.Last)
			if shard.Parent != (command.ShardName{}) {
				fmt.Fprintf(out, " after %d/%d", shard.Parent.Partition, shard.Parent.Generation)
			}
			if shard.Open {
				out.WriteString(" and goes on")
			}
			out.WriteString("\n")
		}
	}
}
