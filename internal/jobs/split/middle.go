package split

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"

	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// Bounds of the search for the middle of a partition.
const (
	// sliceBytesMax is how much one step of a search reads: some hundredths of a second.
	sliceBytesMax = 16 << 20
	// marksMax bounds what a search remembers, and so how near to the middle it comes: within a 256th of the whole.
	marksMax = 1024
	// searchesMax bounds the searches under way. With one more, another is forgotten.
	searchesMax = 16
)

// search looks for the middle of a partition, a slice of its rows at each step, in one pass. All of a large partition is
// minutes of a disk's time: nobody is to wait for that, and what was read is not to be read again because somebody gave up.
//
// Invariant: marks are rows in key order, the first one among them, each at least stride bytes after the one before.
type search struct {
	descriptor machine.Descriptor
	busy       bool
	// seen are the bytes that were read before the last slice was begun.
	seen   int64
	next   []byte // where the next slice begins
	bytes  int64  // of the rows before it
	stride int64
	marks  []mark
}

// mark is a row, and the bytes of those before it.
type mark struct {
	suffix []byte
	before int64
}

// take counts a row.
func (s *search) take(suffix []byte, bytes int) {
	if n := len(s.marks); n == 0 || s.bytes-s.marks[n-1].before >= s.stride {
		if n == marksMax {
			s.thin()
		}
		s.marks = append(s.marks, mark{slices.Clone(suffix), s.bytes})
	}
	s.bytes += int64(bytes)
}

// thin forgets every other mark.
func (s *search) thin() {
	for i := range marksMax / 2 {
		s.marks[i] = s.marks[2*i]
	}
	clear(s.marks[marksMax/2:])
	s.marks = s.marks[:marksMax/2]
	s.stride = 2 * s.bytes / marksMax
}

// middle is a key that halves what was read: the beginning of an item collection where there is one to cut at, else, unless
// collections stay whole, a key within one; nil if there is none.
func (s *search) middle(whole bool) []byte {
	if len(s.marks) < 2 {
		return nil
	}
	first := s.marks[0].suffix[:keys.TokenBytes]
	half := 1 + sort.Search(len(s.marks)-2, func(i int) bool { return s.marks[i+1].before >= s.bytes/2 })
	later := slices.IndexFunc(s.marks[half:], func(m mark) bool { return string(m.suffix[:keys.TokenBytes]) > string(first) })
	switch {
	case later == 0 || later > 0 && whole:
		return s.marks[half+later].suffix[:keys.TokenBytes]
	case whole:
		return nil
	}
	return s.marks[half].suffix
}

var errLooking = errors.New("its middle is being looked for already")

// searches are those under way, by their partitions.
type searches struct {
	mu  sync.Mutex // guards all, and who is busy with which
	all map[uint64]*search
}

// begin goes on with the search in a partition, or begins one where there is none within the same bounds.
func (s *searches) begin(d machine.Descriptor) (*search, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.all[d.Partition]
	if found != nil && found.busy {
		return nil, fmt.Errorf("partition %d: %w", d.Partition, errLooking)
	}
	if found == nil || !slices.Equal(found.descriptor.Bounds.Lower, d.Bounds.Lower) || !slices.Equal(found.descriptor.Bounds.Upper, d.Bounds.Upper) {
		found = &search{descriptor: d, next: d.Bounds.Lower}
		s.keep(found)
	}
	found.busy = true
	return found, nil
}

func (s *searches) keep(one *search) {
	if s.all == nil {
		s.all = map[uint64]*search{}
	}
	for id, other := range s.all {
		if len(s.all) >= searchesMax && !other.busy {
			delete(s.all, id)
		}
	}
	s.all[one.descriptor.Partition] = one
}

// end lets others go on with a search, unless nothing is left of it.
func (s *searches) end(one *search, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.busy, one.seen = false, one.bytes
	if over {
		delete(s.all, one.descriptor.Partition)
	}
}

// look reads the next slice of a partition, and returns its middle once all of it is read; nil before that.
func (j *Job) look(d machine.Descriptor, whole bool) ([]byte, error) {
	s, err := j.searches.begin(d)
	if err != nil {
		return nil, err
	}
	next, err := j.Host.Rows(d, s.next, sliceBytesMax, s.take)
	s.next = next
	j.searches.end(s, next == nil)
	if err != nil {
		return nil, fmt.Errorf("looking for the middle of partition %d: %w", d.Partition, err)
	}
	if next != nil {
		return nil, nil
	}
	if at := s.middle(whole); at != nil {
		return at, nil
	}
	return nil, ErrNothing
}

// middle looks until it has found the middle, for whoever is willing to wait.
func (j *Job) middle(ctx context.Context, d machine.Descriptor, whole bool) (at []byte, err error) {
	for at == nil && err == nil {
		if err = ctx.Err(); err == nil {
			at, err = j.look(d, whole)
		}
	}
	return at, err
}

// Searches are the partitions whose middle is being looked for, with how many of their bytes were read.
func (j *Job) Searches() map[uint64]int64 {
	j.searches.mu.Lock()
	defer j.searches.mu.Unlock()
	read := map[uint64]int64{}
	for id, s := range j.searches.all {
		read[id] = s.seen
	}
	return read
}
