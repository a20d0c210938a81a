package ops

import (
	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// source is what a Query or Scan walks: a table's own items, or the entries of one of its indexes. Each has a key space of its own, in
// which bounds and start keys are places.
type source struct {
	table *table.Table
	index *table.Index // nil: the table's own items
	local bool
}

// sourceOf finds what a request names. A global index that is not filled yet cannot be read.
func sourceOf(t *table.Table, name *string) (source, error) {
	if name == nil {
		return source{table: t}, nil
	}
	if index, ok := t.LocalIndex(*name); ok {
		return source{table: t, index: index, local: true}, nil
	}
	index, ok := t.GlobalIndex(*name)
	if !ok || index.Status == table.IndexDeleting {
		return source{}, api.NewValidationException("The table does not have the specified index: " + *name)
	}
	if index.Status == table.IndexCreating {
		return source{}, api.NewValidationException("Cannot read from backfilling global secondary index: " + *name)
	}
	return source{table: t, index: index}, nil
}

// global tells whether the source is a global index.
func (s source) global() bool { return s.index != nil && !s.local }

// singular tells whether each partition key is that of one item at most.
func (s source) singular() bool { return s.index == nil && len(s.table.Key.Range) == 0 }

// key is the key the source is ordered by.
func (s source) key() table.Key {
	if s.index == nil {
		return s.table.Key
	}
	return s.index.Key
}

// keyNames lists the attributes that name one place of the source: the table's key and the index's.
func (s source) keyNames() []string {
	names := s.table.Key.Names()
	if s.index == nil {
		return names
	}
	for _, name := range s.index.Key.Names() {
		if !s.table.Key.Has(name) {
			names = append(names, name)
		}
	}
	return names
}

// plan is a walk over the whole source. A global index is a hidden table of its own, described by the same version as its table.
func (s source) plan() command.Plan {
	p := command.Plan{Table: s.table.ID, TableVersion: s.table.Version, Bytes: pageBytesMax}
	switch {
	case s.local:
		p.Index = uint32(s.index.ID)
	case s.index != nil:
		p.Table = s.index.ID
	}
	return p
}

// prefix is what the places of the source begin with whose key has these values: all hash attributes, then some of the components that
// order the collection.
func (s source) prefix(hash, rng []attr.Value) []byte {
	if !s.local {
		return keys.Suffix(hash, rng)
	}
	var components []byte
	for _, v := range rng {
		components = keys.AppendComponent(components, v)
	}
	key := keys.LocalIndex(s.table.ID, keys.Suffix(hash, nil), uint32(s.index.ID), components)
	return key[len(keys.Prefix(keys.SpaceLocalIndex, s.table.ID)):]
}

// place is where an item, or an index entry, lies; ok is false when a key attribute is missing or unlawful.
func (s source) place(item attr.Map) (suffix []byte, ok bool) {
	if s.index == nil {
		hash, rng, ok := s.table.Key.Values(item)
		if !ok {
			return nil, false
		}
		return s.prefix(hash, rng), true
	}
	hash, rng, ok := s.index.EntryKey(s.table, item)
	if !ok {
		return nil, false
	}
	if s.local {
		// The table's partition key is the index's too: it follows the index's one range attribute only in a global index.
		rng = append(rng[:1:1], rng[2:]...)
	}
	return s.prefix(hash, rng), true
}

// checkFilter refuses a filter on a key attribute of the source: the key condition is for those (semantics §8.16). origin is how the
// message names the filter.
func (s source) checkFilter(filter *expr.Condition, origin string) error {
	if filter == nil {
		return nil
	}
	key := s.key()
	for _, path := range filter.Paths() {
		if key.Has(path[0].Name) {
			return api.NewValidationException(origin + " can only contain non-primary key attributes: Primary key attribute: " + path[0].Name)
		}
	}
	return nil
}
