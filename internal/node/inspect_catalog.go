package node

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/model/table"
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// checkCatalog compares what the catalog says with what is there: every table has its partitions, they cover its keys,
// and nothing is nobody's. A catalog that could not be read whole says nothing of what it lacks. Neither does a copy of one on a node of
// a cluster: what lies here, and how far it is, its partitions decide.
func (i *inspection) checkCatalog() error {
	expected := map[uint64]bool{machine.CatalogPartition: true}
	for _, entry := range i.entries {
		for _, s := range entry.Splits {
			expected[s.Child] = true
			i.remark("the split of partition %d was not finished: the next start finishes or cancels it", s.Parent)
		}
		for _, id := range slices.Sorted(maps.Keys(entry.Partitions)) {
			for _, p := range entry.Partitions[id] {
				expected[p.ID] = true
			}
			i.checkTable(entry, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(i.tables)) {
		t := i.tables[id]
		slices.SortFunc(t.Partitions, func(a, b PartitionReport) int { return cmp.Compare(string(a.Lower), string(b.Lower)) })
		for _, p := range t.Partitions {
			if !expected[p.ID] && !i.catalogPartial && !i.shared {
				i.damaged("partition %d belongs to no table of the catalog", p.ID)
			}
		}
		i.checkRing(t)
	}
	return i.checkStrays()
}

// checkTable looks for one table's, or hidden table's, partitions, and gives the table the name and state that the
// catalog has for it.
func (i *inspection) checkTable(entry *catalog.Entry, id uint64) {
	name, state, settling := described(entry.Table, id)
	t := i.tables[id]
	if t == nil && i.shared {
		return
	}
	if t == nil {
		i.tables[id] = &TableReport{ID: id, Name: name, State: state}
		if !settling {
			i.damaged("%s has none of its partitions", name)
		}
		return
	}
	t.Name, t.State = name, state
	if i.shared {
		return
	}
	for _, p := range entry.Partitions[id] {
		at := slices.IndexFunc(t.Partitions, func(has PartitionReport) bool { return has.ID == p.ID })
		switch {
		case at < 0:
			i.damaged("partition %d of %s is missing", p.ID, name)
		case len(entry.Splits) > 0:
		case string(t.Partitions[at].Lower) != string(p.Bounds.Lower) || string(t.Partitions[at].Upper) != string(p.Bounds.Upper):
			i.damaged("partition %d of %s has other bounds than the catalog says", p.ID, name)
		}
	}
}

// described is how the catalog calls a table or hidden table. One that settles may not have its partitions yet, or not
// any more.
func described(t *table.Table, id uint64) (name, state string, settling bool) {
	ix, ok := t.GlobalIndexByID(id)
	if !ok {
		return "table " + t.Name, t.State.String(), t.State == table.Creating || t.State == table.Deleting
	}
	settling = t.State == table.Creating || t.State == table.Deleting ||
		ix.Status == table.IndexDeleting || ix.Status == table.IndexCreating && !ix.Backfilling
	return "index " + t.Name + "/" + ix.Name, ix.Status.String(), settling
}

// checkRing sees that a table's partitions, in key order, cover its keys without overlap, and without gap where all of them are here.
func (i *inspection) checkRing(t *TableReport) {
	var upper []byte
	for at, p := range t.Partitions {
		overlap := at > 0 && (len(upper) == 0 || string(p.Lower) < string(upper))
		if overlap || !i.shared && string(p.Lower) != string(upper) {
			i.damaged("the keys of %s from %s to %s are held by no partition, or by two", t.Name, bound(upper), bound(p.Lower))
		}
		upper = p.Upper
	}
	if len(upper) > 0 && !i.shared {
		i.damaged("the keys of %s from %s on are held by no partition", t.Name, bound(upper))
	}
}

// checkStrays looks for rows of tables and partitions that do not exist.
func (i *inspection) checkStrays() error {
	for _, space := range keys.ByTable {
		if err := i.strays(space, func(id uint64) bool { return i.tables[id] != nil }, "table"); err != nil {
			return err
		}
	}
	for _, space := range keys.ByPartition {
		if err := i.strays(space, func(id uint64) bool { return i.held[id] }, "partition"); err != nil {
			return err
		}
	}
	return nil
}

// strays jumps from id to id, reading one key of each.
func (i *inspection) strays(space keys.Space, known func(id uint64) bool, of string) error {
	prefix := []byte{byte(space)}
	it, err := i.snapshot.Iter(prefix, keys.SuccessorPrefix(prefix))
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; {
		key := it.Key()
		if len(key) < len(prefix)+8 {
			i.damaged("a key of %d bytes in space %c", len(key), space)
			ok = it.Next()
			continue
		}
		id := binary.BigEndian.Uint64(key[len(prefix):])
		if !known(id) {
			i.damaged("space %c holds rows of %s %d, which does not exist", space, of, id)
		}
		ok = it.SeekGE(keys.SuccessorPrefix(keys.Prefix(space, id)))
	}
	if err := it.Err(); err != nil {
		i.found(err, fmt.Sprintf("space %c cannot be read", space))
	}
	return nil
}

// measure asks how much every table takes on disk, and puts the tables in order: the catalog, then the others by name.
func (i *inspection) measure() {
	for id, t := range i.tables {
		if id == machine.CatalogTable {
			t.Name = "catalog"
		}
		for _, space := range keys.ByTable {
			prefix := keys.Prefix(space, t.ID)
			n, err := i.store.DiskUsage(prefix, keys.SuccessorPrefix(prefix))
			if err != nil {
				i.found(err, fmt.Sprintf("the disk usage of %s cannot be measured", t.Name))
				continue
			}
			t.DiskBytes += n
		}
	}
	// The word catalog sorts before index and table.
	i.report.Tables = slices.SortedFunc(maps.Values(i.tables), func(a, b *TableReport) int { return cmp.Compare(a.Name, b.Name) })
}
