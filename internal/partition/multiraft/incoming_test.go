package multiraft

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/base/wire"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

const (
	testGroup = 7
	testTable = 100
)

func openEngine(t testing.TB, fs vfs.FS) *engine.Engine {
	t.Helper()
	e, err := engine.Open(engine.Options{Dir: "data", FS: fs, ReserveBytes: -1, RowPrefix: []byte{byte(keys.SpaceData)}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func memoryEngine(t testing.TB) *engine.Engine {
	t.Helper()
	e := openEngine(t, vfs.NewMem())
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// stored is what lies in the spans, and in the raft space of the group.
func stored(t testing.TB, e *engine.Engine, spans ...machine.Range) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, s := range spans {
		it, err := e.Iter(s.Lower, s.Upper)
		if err != nil {
			t.Fatal(err)
		}
		for ok := it.First(); ok; ok = it.Next() {
			value, err := it.Value()
			if err != nil {
				t.Fatal(err)
			}
			found[string(it.Key())] = string(value)
		}
		if err := it.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// everything is all that the store holds but for its own ident.
func everything(t testing.TB, e *engine.Engine) map[string]string {
	t.Helper()
	all := stored(t, e, machine.Range{Lower: []byte{'a'}, Upper: []byte{'z'}})
	delete(all, "nident")
	return all
}

// descriptor is one with bounds that are single letters.
func descriptor(partition, generation uint64, lower, upper string) machine.Descriptor {
	return machine.Descriptor{Partition: partition, Generation: generation, Table: testTable,
		Bounds: command.Bounds{Lower: []byte(lower), Upper: []byte(upper)}}
}

// fill writes a replica whose every key has the value, one in each space for each of the letters in its bounds.
func fill(t testing.TB, e *engine.Engine, d machine.Descriptor, value string) {
	t.Helper()
	b := e.NewBatch()
	defer b.Close()
	for _, letter := range "bcdefghi" {
		suffix := []byte(string(letter) + "-" + value)
		if !d.Bounds.Holds(suffix) {
			continue
		}
		for _, space := range keys.ByTable {
			b.Set(append(keys.Prefix(space, d.Table), suffix...), []byte(value))
		}
	}
	for n := range uint64(3) {
		b.Set(keys.Log(d.Partition, n), []byte(value))
		b.Set(keys.Expiry(d.Partition, n, nil), []byte(value))
		b.Set(append(keys.Prefix(keys.SpaceRaft, d.Partition), fmt.Append(nil, "entry", value, n)...), []byte(value))
	}
	for _, w := range (machine.Part{Descriptor: d}).Writes() {
		b.Set(w.Key, w.Value)
	}
	b.Set(positionKey(d.Partition), position{mark: mark{index: d.Generation, term: 5}}.append(nil))
	if err := e.Commit(b, true); err != nil {
		t.Fatal(err)
	}
}

func outgoing(t testing.TB, e *engine.Engine, partition uint64) (*Outgoing, []byte) {
	t.Helper()
	out, header, err := newOutgoing(e, partition)
	if err != nil {
		t.Fatal(err)
	}
	header.message = []byte("raft's")
	data, err := header.append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return out, data
}

// send brings a partition's snapshot to another engine, up to where it is taken over.
func send(t testing.TB, from, to *engine.Engine, all *arrivals, partition uint64) *Incoming {
	t.Helper()
	out, header := outgoing(t, from, partition)
	in, err := beginIncoming(to, all, header)
	if err != nil {
		t.Fatal(errors.Join(err, out.close()))
	}
	for {
		c, err := out.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err = errors.Join(err, in.Write(c)); err != nil {
			t.Fatal(errors.Join(err, out.close()))
		}
	}
	if err := errors.Join(in.seal(), out.close()); err != nil {
		t.Fatal(err)
	}
	return in
}

func beginIncoming(e *engine.Engine, all *arrivals, header []byte) (*Incoming, error) {
	h, err := parseSnapshotHeader(header)
	if err != nil {
		return nil, err
	}
	return newIncoming(e, all, h)
}

var testHard = hard{replica: 4, term: 6, commit: 30}

func install(t testing.TB, in *Incoming) {
	t.Helper()
	if err := errors.Join(in.current(), in.perform(testHard, mark{index: 30, term: 6}), in.Abort()); err != nil {
		t.Fatal(err)
	}
}

// wanted is what a receiver holds once it has taken over the sender's replica.
func wanted(t testing.TB, from *engine.Engine, partition uint64) map[string]string {
	out, header, err := newOutgoing(from, partition)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.close(); err != nil {
		t.Fatal(err)
	}
	want := stored(t, from, machine.Spans(header.descriptor)...)
	want[string(hardKey(partition))] = string(testHard.append(nil))
	want[string(truncatedKey(partition))] = string(mark{index: 30, term: 6}.append(nil))
	return want
}

// held is what the store has of one partition, wherever.
func held(t testing.TB, e *engine.Engine, partition uint64) map[string]string {
	return stored(t, e, allSpans(descriptor(partition, 0, "", ""))...)
}

func TestASnapshotIsTheWholeReplica(t *testing.T) {
	for name, old := range map[string]*machine.Descriptor{
		"to a node without one":                      nil,
		"to a replica that is behind":                {Partition: testGroup, Generation: 2, Table: testTable, Bounds: command.Bounds{Lower: []byte("c"), Upper: []byte("f")}},
		"to a replica that missed a split":           {Partition: testGroup, Generation: 2, Table: testTable, Bounds: command.Bounds{Lower: []byte("c"), Upper: []byte("h")}},
		"to a replica that missed splits to the end": {Partition: testGroup, Generation: 2, Table: testTable, Bounds: command.Bounds{Lower: []byte("c")}},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := memoryEngine(t), memoryEngine(t)
			fill(t, from, descriptor(testGroup, 3, "c", "f"), "new")
			fill(t, from, descriptor(8, 1, "f", ""), "other")
			want := wanted(t, from, testGroup)
			left := descriptor(9, 1, "", "c")
			fill(t, to, left, "left")
			leftKeys := everything(t, to)
			if old != nil {
				fill(t, to, *old, "old")
			}
			install(t, send(t, from, to, &arrivals{}, testGroup))
			maps.Copy(want, leftKeys)
			if got := everything(t, to); !maps.Equal(got, want) {
				t.Errorf("the receiver holds\n%s\nwant\n%s", described(got), described(want))
			}
		})
	}
}

func described(all map[string]string) (text string) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		text += fmt.Sprintf("  %x %q\n", key, all[key])
	}
	return text
}

// A large replica comes in many chunks and files, and what is written at its sender meanwhile does not come.
func TestALargeSnapshot(t *testing.T) {
	from, to := memoryEngine(t), memoryEngine(t)
	d := descriptor(testGroup, 3, "c", "f")
	fill(t, from, d, "new")
	write := func(n int) {
		b := from.NewBatch()
		defer b.Close()
		b.Set(append(keys.Prefix(keys.SpaceData, testTable), fmt.Appendf(nil, "d%04d", n)...), make([]byte, 100<<10))
		if err := from.Commit(b, false); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 400 {
		write(n)
	}
	want := wanted(t, from, testGroup)
	all := &arrivals{}
	out, header := outgoing(t, from, testGroup)
	in, err := beginIncoming(to, all, header)
	if err != nil {
		t.Fatal(err)
	}
	chunks := 0
	for {
		c, err := out.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if len(c) > chunkBytesMax+200<<10 {
			t.Errorf("a chunk of %d bytes", len(c))
		}
		if err = errors.Join(err, in.Write(c)); err != nil {
			t.Fatal(err)
		}
		write(1000 + chunks)
		chunks++
	}
	if err := errors.Join(in.seal(), out.close()); err != nil {
		t.Fatal(err)
	}
	install(t, in)
	if got := held(t, to, testGroup); !maps.Equal(got, want) || chunks < 40 {
		t.Errorf("%d keys in %d chunks, want %d", len(got), chunks, len(want))
	}
}

// Whoever is here already and holds some of the keys has not performed a split: it would lose them.
func TestASnapshotIsRefusedBesideAnotherReplica(t *testing.T) {
	from, to := memoryEngine(t), memoryEngine(t)
	all := &arrivals{}
	fill(t, from, descriptor(8, 1, "f", ""), "child")
	fill(t, to, descriptor(testGroup, 2, "c", ""), "parent")
	out, header := outgoing(t, from, 8)
	defer out.close()
	if _, err := beginIncoming(to, all, header); err == nil {
		t.Error("the child came while the parent held its keys")
	}
	fill(t, to, descriptor(testGroup, 3, "c", "f"), "parent")
	in, err := beginIncoming(to, all, header)
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Abort(); err != nil {
		t.Error(err)
	}
}

// Of a parent as it was before its split and of the child only one comes at a time.
func TestOverlappingSnapshotsComeOneAfterTheOther(t *testing.T) {
	parents, children, to := memoryEngine(t), memoryEngine(t), memoryEngine(t)
	all := &arrivals{}
	fill(t, parents, descriptor(testGroup, 2, "c", ""), "parent")
	fill(t, children, descriptor(8, 1, "f", ""), "child")
	in := send(t, children, to, all, 8)
	out, header := outgoing(t, parents, testGroup)
	defer out.close()
	if _, err := beginIncoming(to, all, header); err == nil {
		t.Error("the parent begins to come while the child does")
	}
	if _, err := beginIncoming(to, all, header); err == nil {
		t.Error("the parent begins to come while the child does")
	}
	install(t, in)
	if _, err := beginIncoming(to, all, header); err == nil {
		t.Error("the parent begins to come while the child is there")
	}
	if len(all.under) != 0 {
		t.Errorf("%d arrivals are left", len(all.under))
	}
}

// A replica that split while its snapshot came is not replaced: the child's keys would go.
func TestASnapshotIsRefusedByAReplicaThatMoved(t *testing.T) {
	from, to := memoryEngine(t), memoryEngine(t)
	fill(t, from, descriptor(testGroup, 4, "c", "f"), "new")
	fill(t, to, descriptor(testGroup, 2, "c", ""), "old")
	in := send(t, from, to, &arrivals{}, testGroup)
	fill(t, to, descriptor(testGroup, 3, "c", "f"), "split")
	if err := in.current(); !errors.Is(err, errMoved) {
		t.Errorf("it says %v", err)
	}
	if err := in.Abort(); err != nil {
		t.Error(err)
	}
}

// What a sender's own replacement takes away is not sent as if there were nothing.
func TestASnapshotOfAReplicaThatIsReplacedFails(t *testing.T) {
	from, to := memoryEngine(t), memoryEngine(t)
	fill(t, from, descriptor(testGroup, 4, "c", "f"), "new")
	fill(t, to, descriptor(testGroup, 2, "c", "f"), "old")
	out, _ := outgoing(t, to, testGroup)
	defer out.close()
	install(t, send(t, from, to, &arrivals{}, testGroup))
	if c, err := out.Next(); !errors.Is(err, engine.ErrReplaced) {
		t.Errorf("it brings %d bytes, %v", len(c), err)
	}
}

func TestDamagedChunksAreRefused(t *testing.T) {
	from := memoryEngine(t)
	fill(t, from, descriptor(testGroup, 3, "c", "f"), "new")
	var chunks [][]byte
	out, header := outgoing(t, from, testGroup)
	for {
		c, err := out.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		chunks = append(chunks, slices.Clone(c))
	}
	if err := out.close(); err != nil {
		t.Fatal(err)
	}
	last := len(chunks) - 1
	row := func(spanNumber int, key string) []byte {
		c := beginChunk(nil, 0, spanNumber)
		return appendSum(wire.AppendBytes(wire.AppendBytes(c, []byte(key)), nil))
	}
	data := string(keys.Prefix(keys.SpaceData, testTable))
	for name, sent := range map[string][][]byte{
		"one is missing":      append(slices.Clone(chunks[:1]), chunks[2:]...),
		"one comes twice":     append(slices.Clone(chunks[:1]), chunks...),
		"the end is missing":  chunks[:last],
		"a bit is wrong":      {append([]byte{chunks[0][0] ^ 1}, chunks[0][1:]...)},
		"something follows":   append(slices.Clone(chunks), chunks[last]),
		"a key of another":    {row(0, data+"g")},
		"a key of no span":    {row(200, data+"d")},
		"a key of other kind": {row(1, data+"d")},
		"nothing at all":      {{}},
	} {
		t.Run(name, func(t *testing.T) {
			to := memoryEngine(t)
			in, err := beginIncoming(to, &arrivals{}, header)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range sent {
				if err = in.Write(c); err != nil {
					break
				}
			}
			if err == nil {
				err = in.seal()
			}
			if err == nil {
				t.Error("it was taken")
			}
			if err := in.Abort(); err != nil {
				t.Error(err)
			}
			if got := held(t, to, testGroup); len(got) != 0 {
				t.Errorf("there is something of it: %s", described(got))
			}
		})
	}
}

func FuzzIncoming(f *testing.F) {
	from, to := memoryEngine(f), memoryEngine(f)
	fill(f, from, descriptor(testGroup, 3, "c", "f"), "new")
	out, header := outgoing(f, from, testGroup)
	for {
		c, err := out.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		f.Add(header, c[:len(c)-4])
	}
	if err := out.close(); err != nil {
		f.Fatal(err)
	}
	empty, err := (&snapshotHeader{descriptor: descriptor(testGroup, 3, "f", "c")}).append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(empty, []byte{})
	f.Fuzz(func(t *testing.T, header, c []byte) {
		in, err := beginIncoming(to, &arrivals{}, header)
		if err != nil {
			return
		}
		if parsed, err := parseChunk(appendSum(slices.Clone(c))); err == nil {
			in.next = parsed.number
		}
		_ = in.Write(appendSum(slices.Clone(c)))
		if err := in.Abort(); err != nil {
			t.Error(err)
		}
	})
}

// A snapshot that is not of the position which its message names breaks the copy whose place it took, and leaves nothing behind
// that would keep another one from coming.
func TestASnapshotOfAnotherPositionIsToldOf(t *testing.T) {
	r := newRig(t)
	r.quiet = true
	for range 3 {
		r.add()
	}
	r.birth(10, 1, 2, 3)
	r.tick(youngTicks)
	led, behind := r.node(1), r.node(3)
	r.cut[[2]uint64{1, 3}] = true
	led.put(10, "a", "b")
	r.settle()
	led.truncate(10)
	r.cut = map[[2]uint64]bool{}
	r.freights.left = 1
	r.tick(2 * electionTicks)
	if len(r.freights.under) != 1 || r.freights.under[0].in == nil {
		t.Fatalf("no snapshot is on its way: %s", r.told())
	}
	in := r.freights.under[0].in
	in.at.index++
	*in.message.Snapshot.Metadata.Index++
	r.freights.held = false
	r.settle()
	if told := r.told(); !strings.Contains(told, "3: copy of 10 is broken") || !strings.Contains(told, "3: snapshot of 10: ") {
		t.Errorf("it was told\n%s", told)
	}
	if n := len(behind.host.arrivals.under); n != 0 {
		t.Errorf("%d snapshots are on their way", n)
	}
}
