package trim_test

import (
	"testing"
	"time"

	"stator/internal/model/table"
	"stator/internal/node/nodetest"
	"stator/internal/partition/machine"
)

const day = 24 * time.Hour

// streaming is a node with a table of one partition that has a stream.
func streaming(t *testing.T, indexed ...string) *nodetest.Node {
	n := nodetest.Open(t, nil)
	n.Clock.Advance(10 * day)
	things := nodetest.Things(indexed...)
	things.Streams = []table.Stream{{CreatedMillis: 1, View: table.ViewNew}}
	n.Create(things, 1)
	return n
}

// kept are the first and last change that the table's partition keeps.
func keptChanges(n *nodetest.Node) (first, last uint64) {
	applied := stateOf(n).Applied
	return applied.First, applied.Sequence
}

func stateOf(n *nodetest.Node) machine.Part {
	entry := n.Entry("things")
	return n.Must(entry.Partitions[entry.Table.ID][0].ID).State()
}

func wantKept(t *testing.T, n *nodetest.Node, first, last uint64) {
	t.Helper()
	if f, l := keptChanges(n); f != first || l != last {
		t.Errorf("changes %d to %d are kept, want %d to %d", f, l, first, last)
	}
}

// A change stays for a day, whoever has read it, and goes after it.
func TestStreamKeepsADay(t *testing.T) {
	n := streaming(t)
	n.Write(n.Put("things", "a", "1", "v", "1"))
	n.Write(n.Put("things", "a", "1", "v", "2"))
	n.Clock.Advance(day / 2)
	n.Write(n.Put("things", "a", "1", "v", "3"))
	n.Clock.Advance(day/2 - time.Second)
	step(t, n)
	wantKept(t, n, 1, 3)
	n.Clock.Advance(2 * time.Second)
	step(t, n)
	wantKept(t, n, 3, 3)
	n.Clock.Advance(day)
	step(t, n)
	wantKept(t, n, 4, 3)
}

// What an index has not been fed stays, however old, and what it has been fed stays for the stream.
func TestStreamAndIndexHoldTheLogForEachOther(t *testing.T) {
	n := streaming(t, "color")
	n.Write(n.Put("things", "a", "1", "color", "red"))
	n.Clock.Advance(2 * day)
	step(t, n)
	wantKept(t, n, 1, 1)
	n.Rest()
	wantKept(t, n, 2, 1)
	n.Write(n.Put("things", "a", "1", "color", "blue"))
	n.Rest()
	wantKept(t, n, 2, 2)
	n.Check("things")
}

// A stream that was ended can be read for a day. Then it goes, and the log with it.
func TestEndedStreamGoesAfterADay(t *testing.T) {
	n := streaming(t)
	n.Write(n.Put("things", "a", "1"))
	_, err := n.Catalog().Update(t.Context(), "things", func(now *table.Table) (*table.Table, error) {
		return now.EndStream(n.Clock.Now().UnixMilli()), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n.Rest()
	n.Write(n.Put("things", "b", "1"))
	n.Clock.Advance(day)
	step(t, n)
	n.Rest()
	if state := stateOf(n); len(state.Streams) != 1 || state.Applied.Sequence != 1 {
		t.Errorf("streams %+v, %d changes", state.Streams, state.Applied.Sequence)
	}
	n.Clock.Advance(time.Second)
	step(t, n)
	n.Rest()
	wantKept(t, n, 2, 1)
	if state := stateOf(n); len(state.Streams) != 0 || len(n.Entry("things").Table.Streams) != 0 {
		t.Errorf("streams %+v", state.Streams)
	}
}
