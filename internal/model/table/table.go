// Package table is the description of one table: its key, indexes and settings. It does not know where tables are kept or who asks.
package table

import (
	"maps"
	"slices"
)

// Table describes one table. A Table that others can see is never changed: change a Clone.
//
// Invariant: Version rises with every change that a partition has to adopt.
type Table struct {
	ID      uint64 `json:"id"` // assigned by the catalog, never reused; it stands in every storage key
	Name    string `json:"name"`
	UUID    string `json:"uuid"` // TableId of the API, stable for the table's life
	Version uint64 `json:"version"`
	State   State  `json:"state"`

	Key         Key            `json:"key"`
	Definitions []KeyAttribute `json:"definitions"` // every key attribute of the table and its indexes, in the order declared
	Local       []Index        `json:"local,omitempty"`
	Global      []Index        `json:"global,omitempty"`
	Streams     []Stream       `json:"streams,omitempty"` // those that can be read, oldest first: only the last may go on

	Billing            Billing           `json:"billing"`
	Throughput         Throughput        `json:"throughput"`
	BillingMillis      int64             `json:"billingMillis,omitempty"` // when the table last became on-demand, epoch milliseconds; 0 = never
	OnDemand           OnDemand          `json:"onDemand"`
	Warm               Warm              `json:"warm"`
	Class              string            `json:"class,omitempty"` // TableClass as last sent, "" = never set
	ClassMillis        int64             `json:"classMillis,omitempty"`
	Encryption         Encryption        `json:"encryption"`
	DeletionProtection bool              `json:"deletionProtection,omitempty"`
	Tags               map[string]string `json:"tags,omitempty"`
	TimeToLive         string            `json:"timeToLive,omitempty"` // the attribute that says when an item ends, "" = none does
	CreatedMillis      int64             `json:"createdMillis"`        // epoch milliseconds
	Insights           Insights          `json:"insights,omitzero"`

	// Policies are the table's own under "", a stream's under its label. Partitions do not keep them.
	Policies map[string]Policy `json:"policies,omitempty"`
	// StreamTags are the tags of streams by their labels. Who changes a stream's puts another map in their place.
	StreamTags map[string]map[string]string `json:"streamTags,omitempty"`
}

// Clone is a copy that shares nothing that the owner of either may change.
func (t *Table) Clone() *Table {
	c := *t
	c.Definitions = slices.Clone(t.Definitions)
	c.Local = cloneIndexes(t.Local)
	c.Global = cloneIndexes(t.Global)
	c.Streams = slices.Clone(t.Streams)
	c.Tags = maps.Clone(t.Tags)
	c.Policies = maps.Clone(t.Policies)
	c.StreamTags = maps.Clone(t.StreamTags)
	return &c
}

// LocalIndex finds a local secondary index by name.
func (t *Table) LocalIndex(name string) (*Index, bool) { return find(t.Local, name) }

// GlobalIndex finds a global secondary index by name.
func (t *Table) GlobalIndex(name string) (*Index, bool) { return find(t.Global, name) }

// GlobalIndexByID finds a global secondary index by the id of its hidden table.
func (t *Table) GlobalIndexByID(id uint64) (*Index, bool) {
	for i := range t.Global {
		if t.Global[i].ID == id {
			return &t.Global[i], true
		}
	}
	return nil, false
}

// Serves reports whether reads and writes of items are answered: not while the table is being created or deleted (semantics §17.1).
func (t *Table) Serves() bool { return t.State == Active || t.State == Updating }

// Activate ends the change that partitions had to adopt: the units that it brought are described from now on.
func (t *Table) Activate() {
	t.State, t.Throughput.Before = Active, nil
	for i := range t.Global {
		t.Global[i].Throughput.Before = nil
	}
}

// Settled reports whether no index is being created, updated or deleted.
func (t *Table) Settled() bool {
	for i := range t.Global {
		if t.Global[i].Status != IndexActive {
			return false
		}
	}
	return true
}

func find(indexes []Index, name string) (*Index, bool) {
	for i := range indexes {
		if indexes[i].Name == name {
			return &indexes[i], true
		}
	}
	return nil, false
}

func cloneIndexes(indexes []Index) []Index {
	copies := slices.Clone(indexes)
	for i := range copies {
		copies[i].Projection.NonKey = slices.Clone(copies[i].Projection.NonKey)
	}
	return copies
}
