package machine

import (
	"encoding/binary"
	"maps"
	"reflect"
	"strings"

	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// check holds every performed batch to what must be true of all of them.
func (s *script) check(b *Batch) {
	s.t.Helper()
	named := map[string]bool{}
	for _, w := range b.Writes {
		if named[string(w.Key)] {
			s.t.Errorf("the batch names a key twice: %s", s.row(w.Key, w.Value))
		}
		named[string(w.Key)] = true
	}
	loaded, found, err := Load(s.store, s.part.Descriptor.Partition)
	s.must(err)
	if !found || !reflect.DeepEqual(plain(loaded), plain(s.part)) {
		s.t.Errorf("what is stored differs from the state:\n%+v\n%+v", plain(loaded), plain(s.part))
	}
	if logged := s.count(keys.SpaceLog, s.part.Descriptor.Partition); logged != int(s.part.Applied.Sequence-s.part.Applied.First+1) {
		s.t.Errorf("%d changes in the log, which says %s", logged, showApplied(s.part.Applied))
	}
	s.checkExpiry()
	if s.part.Descriptor.Bounds.Upper == nil {
		s.checkStatistics()
		if locks := s.count(keys.SpaceLock, s.part.Descriptor.Table); locks != int(s.part.Applied.Locks) {
			s.t.Errorf("%d locks, there are %d", s.part.Applied.Locks, locks)
		}
	}
}

// checkExpiry holds the index of expiry to the items: within the bounds no entry is at odds with its item and, unless the
// index is being rebuilt, none is missing.
func (s *script) checkExpiry() {
	id, t := s.part.Descriptor.Partition, s.part.Table
	want := map[string]bool{}
	for key, value := range s.store {
		if !strings.HasPrefix(key, string(keys.Prefix(keys.SpaceData, s.part.Descriptor.Table))) || t == nil {
			continue
		}
		item, err := record.ParseItem(value)
		s.must(err)
		suffix := []byte(key[9:])
		if second, ok := t.Expiry(item.Attributes); ok && s.part.Descriptor.Bounds.Holds(suffix) {
			entry := string(keys.Expiry(id, second, suffix))
			want[entry] = true
			if _, shown := s.store[entry]; !shown && s.part.Expiry == nil {
				s.t.Errorf("the index of expiry lacks %s at %d", text(item.Attributes), second)
			}
		}
	}
	prefix := string(keys.Prefix(keys.SpaceExpiry, id))
	for key, value := range s.store {
		if strings.HasPrefix(key, prefix) && s.part.Descriptor.Bounds.Holds([]byte(key[17:])) && !want[key] {
			s.t.Errorf("the index of expiry is at odds with an item: %s", s.row([]byte(key), value))
		}
	}
}

func (s *script) count(space keys.Space, id uint64) (n int) {
	prefix := string(keys.Prefix(space, id))
	for key := range s.store {
		if len(key) > len(prefix) && key[:len(prefix)] == prefix {
			n++
		}
	}
	return n
}

// checkStatistics counts anew what a partition that was never split says of itself, and the sizes of its collections.
func (s *script) checkStatistics() {
	stats := command.Stats{}
	sizes := map[string]int64{}
	for key, value := range s.store {
		space, id := keys.Space(key[0]), binary.BigEndian.Uint64([]byte(key[1:]))
		if id != s.part.Descriptor.Table || space != keys.SpaceData && space != keys.SpaceLocalIndex {
			continue
		}
		item, err := record.ParseItem(value)
		s.must(err)
		collection, order := keys.SplitSuffix([]byte(key[9:]), 1)
		sizes[string(collection)] += int64(item.Attributes.Size())
		switch {
		case int(item.Size) != item.Attributes.Size():
			s.t.Errorf("stored size %d of %s", item.Size, text(item.Attributes))
		case item.Deleted:
		case space == keys.SpaceData:
			stats.Items++
			stats.Bytes += int64(item.Size)
		default:
			if stats.Local == nil {
				stats.Local = map[uint32]command.Tally{}
			}
			index := binary.BigEndian.Uint32(order)
			tally := stats.Local[index]
			stats.Local[index] = command.Tally{Items: tally.Items + 1, Bytes: tally.Bytes + int64(item.Size)}
		}
	}
	said := s.part.Applied.Stats
	said.Local = maps.Clone(said.Local)
	maps.DeleteFunc(said.Local, func(_ uint32, tally command.Tally) bool { return tally == command.Tally{} })
	if len(said.Local) == 0 {
		said.Local = nil
	}
	if !s.corrected && !reflect.DeepEqual(stats, said) {
		s.t.Errorf("statistics %+v, counted %+v", said, stats)
	}
	if s.part.Table == nil || len(s.part.Table.Local) == 0 {
		return
	}
	for collection, size := range sizes {
		stored, _ := binary.Uvarint(s.store[string(keys.Size(s.part.Descriptor.Table, []byte(collection)))])
		if int64(stored) != size {
			s.t.Errorf("collection %s has %d bytes, not %d", components([]byte(collection)[keys.TokenBytes:]), size, stored)
		}
	}
	if sized := s.count(keys.SpaceSize, s.part.Descriptor.Table); sized != len(sizes) {
		s.t.Errorf("sizes of %d collections, there are %d", sized, len(sizes))
	}
}

// plain is a state without the difference between empty and absent.
func plain(p Part) []string {
	var rows []string
	for _, w := range p.Writes() {
		rows = append(rows, string(w.Key)+string(w.Value))
	}
	return rows
}
