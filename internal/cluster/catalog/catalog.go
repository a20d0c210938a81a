// Package catalog is the map of the database: which tables and partitions exist. It does not know how a request finds
// its way, or what is in a table.
package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"sync/atomic"

	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// ErrExists is the answer to creating a table whose name is taken, ErrMissing to changing one that is not there.
var (
	ErrExists  = errors.New("a table of this name exists")
	ErrMissing = errors.New("no table of this name exists")
)

// followBytesMax bounds what one step of following reads of the change log.
const followBytesMax = 4 << 20

// Store is partition 1, where the catalog's items are, here or far away.
type Store interface {
	WriteAndWait(ctx context.Context, wait replica.Wait, c *command.Command) (command.Result, error)
	ScanAndWait(ctx context.Context, wait replica.Wait, p *command.Plan) (command.Page, error)
	// ChangesAndWait reads the change log, and says in the page's shard where it ends.
	ChangesAndWait(ctx context.Context, wait replica.Wait, p command.ChangesPlan) (command.LogPage, error)
}

// Partition is the catalog's knowledge of one partition: an index of what the partition itself is the authority on.
type Partition struct {
	ID         uint64         `json:"id"`
	Generation uint64         `json:"generation"`
	Bounds     command.Bounds `json:"bounds"`
	// Members are the copies; none on a node that is alone.
	Members []command.Member `json:"members,omitempty"`
}

// Holding finds the partition that holds a key among a table's, in key order; nil where it has none.
func Holding(partitions []Partition, key []byte) *Partition {
	if len(partitions) == 0 {
		return nil
	}
	i := sort.Search(len(partitions), func(i int) bool { return string(partitions[i].Bounds.Lower) > string(key) })
	return &partitions[i-1]
}

// Entry is one table with its partitions and those of its global indexes. It is never changed.
type Entry struct {
	Table *table.Table
	// Revision rises by one with each change. No two entries of one name ever have the same.
	Revision int64
	// Partitions maps a table id, the table's own or that of an index's hidden table, to its partitions in key order.
	Partitions map[uint64][]Partition
	// Splits are the splits reserved and not yet finished.
	Splits []Reservation
	// Past are the last splits that were finished, oldest first.
	Past []Reservation
}

// TableIDs lists the table's own id and those of its hidden tables, ascending: whoever asks all partitions for something asks
// them in the same order each time.
func (e *Entry) TableIDs() []uint64 { return slices.Sorted(maps.Keys(e.Partitions)) }

// pastMax is how many finished splits of a table and its indexes are remembered.
const pastMax = 64

// Finished is e with a split among the past ones.
func (e *Entry) Finished(s Reservation) *Entry {
	next := *e
	if slices.ContainsFunc(e.Past, func(o Reservation) bool { return o.Child == s.Child }) {
		return &next
	}
	next.Past = append(slices.Clone(e.Past), s)
	next.Past = next.Past[max(0, len(next.Past)-pastMax):]
	return &next
}

// Reservation is a split: child is the id the right half gets.
type Reservation struct {
	Table      uint64 `json:"table"`
	Parent     uint64 `json:"parent"`
	Generation uint64 `json:"generation"`
	At         []byte `json:"at"`
	Child      uint64 `json:"child"`
	Millis     int64  `json:"millis,omitempty"` // when it was reserved, since the epoch
}

// Options are a catalog's surroundings.
type Options struct {
	Store Store
	Wait  replica.Wait
	// Changed is called after the map moved.
	Changed func()
	// Choose names the nodes of the first copies of so many new partitions, for each its own; nil where a node is alone.
	Choose func(partitions int) ([][]uint64, error)
}

// Catalog keeps the whole map in memory and follows the change log of partition 1. Readers see one consistent map.
type Catalog struct {
	options Options
	current atomic.Pointer[state]
	// turn holds what whoever brings the map up to date takes out meanwhile. It is no mutex: that takes as long as partition 1,
	// and whoever waits for it may give up.
	turn  chan struct{}
	syncs syncs
}

// state is one consistent map. It is never changed.
type state struct {
	byName map[string]*Entry
	// byTable finds an entry by its table's id or by that of a hidden table.
	byTable  map[uint64]*Entry
	names    []string
	nodes    map[uint64]*Node
	cluster  *Cluster
	scaled   map[string]scaled
	raised   int64 // the revision of raisedKey, 0 while it is not there
	sequence uint64
	// pieced tells that the items may be of several copies, one of them behind sequence: what it lacks no change will bring.
	pieced bool
}

// Open loads the catalog from partition 1. Where nobody leads that, the map of a copy has to do until somebody does.
func Open(ctx context.Context, o Options) (*Catalog, error) {
	c := &Catalog{options: o, turn: make(chan struct{}, 1)}
	c.turn <- struct{}{}
	err := c.load(ctx, true)
	if err != nil && c.load(ctx, false) != nil {
		return nil, fmt.Errorf("loading the catalog: %w", err)
	}
	return c, nil
}

// Table finds a table by name, in whatever state.
func (c *Catalog) Table(name string) (*table.Table, bool) {
	entry, ok := c.current.Load().byName[name]
	if !ok {
		return nil, false
	}
	return entry.Table, true
}

// TableByID finds a table by id.
func (c *Catalog) TableByID(id uint64) (*table.Table, bool) {
	entry, ok := c.current.Load().byTable[id]
	if !ok || entry.Table.ID != id {
		return nil, false
	}
	return entry.Table, true
}

// Names lists the tables in byte order.
func (c *Catalog) Names() []string { return c.current.Load().names }

// Entry finds a table with its partitions by name.
func (c *Catalog) Entry(name string) (*Entry, bool) {
	entry, ok := c.current.Load().byName[name]
	return entry, ok
}

// EntryByTable finds the entry of a table by its id, or by that of an index's hidden table.
func (c *Catalog) EntryByTable(tableID uint64) (*Entry, bool) {
	entry, ok := c.current.Load().byTable[tableID]
	return entry, ok
}

// Partitions lists the partitions of a table, or of an index's hidden table, in key order.
func (c *Catalog) Partitions(tableID uint64) []Partition {
	entry, ok := c.current.Load().byTable[tableID]
	if !ok {
		return nil
	}
	return entry.Partitions[tableID]
}

// Sequence is the last change of partition 1 that the map shows.
func (c *Catalog) Sequence() uint64 { return c.current.Load().sequence }

// Entries lists all tables in name order.
func (c *Catalog) Entries() []*Entry {
	s := c.current.Load()
	entries := make([]*Entry, len(s.names))
	for i, name := range s.names {
		entries[i] = s.byName[name]
	}
	return entries
}

// IndexTable is the description of a global index's hidden table, as its partitions adopt it: keyed by the index key,
// made unique by the table's.
func IndexTable(t *table.Table, ix *table.Index) *table.Table {
	key := table.Key{Hash: ix.Key.Hash}
	key.Range = append(append(append(key.Range, ix.Key.Range...), t.Key.Hash...), t.Key.Range...)
	return &table.Table{ID: ix.ID, Name: t.Name + "/index/" + ix.Name, Version: t.Version, State: t.State, Key: key}
}
