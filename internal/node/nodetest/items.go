package nodetest

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"stator/internal/cluster/catalog"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
	"stator/internal/storage/keys"
)

// Things is a table of items with a partition key "pk" and a sort key "sk", both strings, and global indexes by the string
// attributes that are named: each index has the name of its attribute and shows all of an item.
func Things(indexed ...string) *table.Table {
	pk, sk := table.KeyAttribute{Name: "pk", Type: attr.S}, table.KeyAttribute{Name: "sk", Type: attr.S}
	t := &table.Table{
		Name: "things", State: table.Creating, Definitions: []table.KeyAttribute{pk, sk},
		Key: table.Key{Hash: []table.KeyAttribute{pk}, Range: []table.KeyAttribute{sk}},
	}
	for _, name := range indexed {
		t.Definitions = append(t.Definitions, table.KeyAttribute{Name: name, Type: attr.S})
		t.Global = append(t.Global, Index(name))
	}
	return t
}

// Index is an index as Things makes it, not yet created.
func Index(name string) table.Index {
	return table.Index{Name: name, Status: table.IndexCreating, Projection: table.Projection{Kind: table.All},
		Key: table.Key{Hash: []table.KeyAttribute{{Name: name, Type: attr.S}}}}
}

// Suffix is the key suffix of an item of Things.
func Suffix(pk, sk string) []byte {
	return keys.Suffix([]attr.Value{attr.String(pk)}, []attr.Value{attr.String(sk)})
}

// Put is a wish to write an item of the table with this name, as the catalog has it; more are names and values in turn.
func (n *Node) Put(name, pk, sk string, more ...string) *command.Command {
	n.tb.Helper()
	t := n.Entry(name).Table
	entries := []attr.Entry{{Name: "pk", Value: attr.String(pk)}, {Name: "sk", Value: attr.String(sk)}}
	for i := 0; i+1 < len(more); i += 2 {
		entries = append(entries, attr.Entry{Name: more[i], Value: attr.String(more[i+1])})
	}
	return &command.Command{Action: command.Put, Table: t.ID, TableVersion: t.Version, Key: Suffix(pk, sk), Item: attr.NewMap(entries)}
}

// Delete is a wish to delete an item.
func (n *Node) Delete(name, pk, sk string) *command.Command {
	n.tb.Helper()
	c := n.Put(name, pk, sk)
	c.Action, c.Item = command.Delete, nil
	return c
}

// FillTable puts so many items, of which each index shows most, in a few item collections.
func (n *Node) FillTable(name string, items int, indexed ...string) {
	n.tb.Helper()
	for i := range items {
		var more []string
		for j, attribute := range indexed {
			if (i+j)%4 != 0 {
				more = append(more, attribute, fmt.Sprint("value ", (i+j)%7))
			}
		}
		n.Write(n.Put(name, fmt.Sprint("collection ", i%9), fmt.Sprint("item ", i), more...))
	}
}

// Items are the live items of a table, or of an index's hidden table, by their key suffixes, as a scan shows them.
func (n *Node) Items(id, version uint64) map[string]attr.Map {
	n.tb.Helper()
	found := map[string]attr.Map{}
	for _, p := range n.Catalog().Partitions(id) {
		r := n.Must(p.ID)
		d := r.State().Descriptor
		page, err := r.ScanAndWait(context.Background(), n.Wait, &command.Plan{
			Table: id, TableVersion: version, Lower: d.Bounds.Lower, Upper: d.Bounds.Upper, Strong: true, Raw: true,
		})
		if err != nil {
			n.tb.Fatalf("partition %d: %v", p.ID, err)
		}
		for _, e := range page.Entries {
			if _, twice := found[string(e.Key)]; twice {
				n.tb.Errorf("partition %d shows a key of another", p.ID)
			}
			if e.Item != nil {
				found[string(e.Key)] = e.Item
			}
		}
	}
	return found
}

// Check holds a table to what must be true of it at rest: its partitions and those of its indexes tile the ring as the
// catalog says, their statistics are what they hold, and each active index is the function of the table that it should be,
// that of expiry among them.
func (n *Node) Check(name string) map[string]attr.Map {
	n.tb.Helper()
	entry := n.Entry(name)
	items := n.checked(entry.Table.ID, entry.Table.Version)
	n.checkExpiry(entry, items)
	for i := range entry.Table.Global {
		ix := &entry.Table.Global[i]
		if ix.Status != table.IndexActive {
			continue
		}
		shown := n.checked(ix.ID, entry.Table.Version)
		want := 0
		for _, item := range items {
			shows, ok := ix.Entry(entry.Table, item)
			if !ok {
				continue
			}
			hash, rng, _ := ix.EntryKey(entry.Table, shows)
			if want++; !bytes.Equal(shown[string(keys.Suffix(hash, rng))], shows) {
				n.tb.Errorf("index %s does not show %s", ix.Name, item.AppendJSON(nil))
			}
		}
		if want != len(shown) {
			n.tb.Errorf("index %s shows %d entries, want %d", ix.Name, len(shown), want)
		}
	}
	return items
}

// checkExpiry holds the index of expiry to a table's items. A partition that was split may keep entries of its other half.
func (n *Node) checkExpiry(entry *catalog.Entry, items map[string]attr.Map) {
	n.tb.Helper()
	for _, p := range entry.Partitions[entry.Table.ID] {
		r := n.Must(p.ID)
		if progress := r.State().Expiry; progress != nil {
			n.tb.Errorf("the index of expiry of partition %d is not whole: %+v", p.ID, progress)
		}
		entries, _, err := r.Due(replica.Due{}, math.MaxUint64, math.MaxInt)
		if err != nil {
			n.tb.Fatal(err)
		}
		shown := map[string]uint64{}
		for _, e := range entries {
			if !p.Bounds.Holds(e.Key) {
				continue
			}
			if second, twice := shown[string(e.Key)]; twice {
				n.tb.Errorf("the index of expiry shows an item at %d and at %d", second, e.Second)
			}
			shown[string(e.Key)] = e.Second
		}
		for key, item := range items {
			second, ok := entry.Table.Expiry(item)
			if has, shows := shown[key]; p.Bounds.Holds([]byte(key)) && (shows != ok || has != second) {
				n.tb.Errorf("the index of expiry has an item at %d (%t) that is to go at %d (%t)", has, shows, second, ok)
			}
			delete(shown, key)
		}
		if len(shown) > 0 {
			n.tb.Errorf("the index of expiry of partition %d has %d entries without an item", p.ID, len(shown))
		}
	}
}

// checked is what the partitions of one table hold.
func (n *Node) checked(id, version uint64) map[string]attr.Map {
	n.tb.Helper()
	var lower []byte
	stats := command.Stats{}
	partitions := n.Catalog().Partitions(id)
	for i, p := range partitions {
		state := n.Must(p.ID).State()
		if string(state.Descriptor.Bounds.Lower) != string(p.Bounds.Lower) || string(state.Descriptor.Bounds.Upper) != string(p.Bounds.Upper) {
			n.tb.Errorf("partition %d has bounds %x, the catalog says %x", p.ID, state.Descriptor.Bounds, p.Bounds)
		}
		if string(p.Bounds.Lower) != string(lower) || (len(p.Bounds.Upper) == 0) != (i == len(partitions)-1) {
			n.tb.Errorf("partition %d does not begin where the one before it ends: %x after %x", p.ID, p.Bounds.Lower, lower)
		}
		lower = p.Bounds.Upper
		stats.Items += state.Applied.Stats.Items
		stats.Bytes += state.Applied.Stats.Bytes
	}
	items := n.Items(id, version)
	size := 0
	for _, item := range items {
		size += item.Size()
	}
	if stats.Items != int64(len(items)) || stats.Bytes != int64(size) {
		n.tb.Errorf("statistics of table %d say %d items of %d bytes, there are %d of %d", id, stats.Items, stats.Bytes, len(items), size)
	}
	return items
}
