package split

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// row is the suffix of a row of a collection, which is known by its token.
func row(collection, item uint64) []byte {
	token := binary.BigEndian.AppendUint64(make([]byte, keys.TokenBytes-8), collection)
	return binary.BigEndian.AppendUint64(token, item)
}

func collection(n uint64) []byte { return row(n, 0)[:keys.TokenBytes] }

// A cut is between collections where there is one, and within one only if it may be.
func TestMiddle(t *testing.T) {
	type rows []struct {
		collection, item uint64
		bytes            int
	}
	for name, test := range map[string]struct {
		rows        rows
		want, whole []byte
	}{
		"nothing":                        {nil, nil, nil},
		"one row":                        {rows{{1, 1, 10}}, nil, nil},
		"two collections":                {rows{{1, 1, 10}, {2, 1, 10}}, collection(2), collection(2)},
		"a large one behind a small one": {rows{{1, 1, 1}, {2, 1, 100}, {2, 2, 100}, {2, 3, 100}}, collection(2), collection(2)},
		"a large one before a small one": {rows{{1, 1, 100}, {1, 2, 100}, {1, 3, 100}, {2, 1, 1}}, row(1, 3), collection(2)},
		"a single collection":            {rows{{1, 1, 10}, {1, 2, 10}, {1, 3, 10}, {1, 4, 10}}, row(1, 3), nil},
		"by bytes and not by rows":       {rows{{1, 1, 1}, {2, 1, 1}, {3, 1, 1}, {4, 1, 90}, {5, 1, 90}}, collection(5), collection(5)},
	} {
		s := &search{}
		for _, r := range test.rows {
			s.take(row(r.collection, r.item), r.bytes)
		}
		if got := s.middle(false); string(got) != string(test.want) {
			t.Errorf("%s: cut at %x, want %x", name, got, test.want)
		}
		if got := s.middle(true); string(got) != string(test.whole) {
			t.Errorf("%s, in whole collections: cut at %x, want %x", name, got, test.whole)
		}
	}
}

// However many rows there are, what is remembered of them is bounded, and the cut is near the middle.
func TestMiddleOfMany(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s, before := &search{}, map[string]int64{}
	for i := range uint64(100_000) {
		before[string(collection(i))] = s.bytes
		s.take(row(i, 1), 1+random.IntN(2000))
		if len(s.marks) > marksMax {
			t.Fatalf("%d rows are remembered", len(s.marks))
		}
	}
	if off := before[string(s.middle(false))] - s.bytes/2; max(off, -off) > s.bytes/(marksMax/4) {
		t.Errorf("cut %d of %d bytes off the middle", off, s.bytes)
	}
}

// reader is a host that shows rows, a few at a time.
type reader struct {
	Host
	rows  [][]byte
	reads int
	fails error
}

func (r *reader) Rows(_ machine.Descriptor, from []byte, _ int, each func([]byte, int)) ([]byte, error) {
	r.reads++
	if r.fails != nil {
		return nil, r.fails
	}
	at, _ := slices.BinarySearchFunc(r.rows, from, slices.Compare[[]byte])
	end := min(at+10, len(r.rows))
	for _, suffix := range r.rows[at:end] {
		each(suffix, 1)
	}
	if end == len(r.rows) {
		return nil, nil
	}
	return r.rows[end], nil
}

// A search goes on where it was, is begun anew within other bounds or after a failure, and is not kept once it is over.
func TestSearchGoesOn(t *testing.T) {
	host := &reader{}
	for i := range uint64(35) {
		host.rows = append(host.rows, row(i, 1))
	}
	j := &Job{Host: host}
	whole := machine.Descriptor{Partition: 7}
	look := func(d machine.Descriptor, reads int, found bool) {
		t.Helper()
		at, err := j.look(d, true)
		if err != nil || found != (at != nil) || host.reads != reads {
			t.Errorf("read %d: found %x after %d reads, %v", reads, at, host.reads, err)
		}
	}
	look(whole, 1, false)
	look(whole, 2, false)
	if seen := j.Searches(); seen[7] != 20 {
		t.Errorf("after two steps %v bytes are read", seen)
	}
	look(whole, 3, false)
	look(whole, 4, true)
	if len(j.Searches()) > 0 {
		t.Errorf("a search that is over is kept: %v", j.Searches())
	}
	look(whole, 5, false)
	half := whole
	half.Bounds = command.Bounds{Upper: row(15, 0)}
	look(half, 6, false)
	if seen := j.Searches(); seen[7] != 10 {
		t.Errorf("within other bounds %v bytes are read", seen)
	}
	host.fails = errors.New("the disk is gone")
	if _, err := j.look(half, true); !errors.Is(err, host.fails) || len(j.Searches()) > 0 {
		t.Errorf("a search that failed gives %v and is kept: %v", err, j.Searches())
	}
}

// So many searches are kept and no more, and nobody reads where another does.
func TestSearchesAreBounded(t *testing.T) {
	var all searches
	busy, err := all.begin(machine.Descriptor{Partition: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := all.begin(machine.Descriptor{Partition: 1}); !errors.Is(err, errLooking) {
		t.Errorf("a second search in the same partition: %v", err)
	}
	for id := range uint64(3 * searchesMax) {
		s, err := all.begin(machine.Descriptor{Partition: 2 + id})
		if err != nil {
			t.Fatal(err)
		}
		all.end(s, false)
	}
	if len(all.all) != searchesMax || all.all[1] != busy {
		t.Errorf("%d searches are kept, the one under way among them: %t", len(all.all), all.all[1] == busy)
	}
}
