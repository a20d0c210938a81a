package node

import "sync"

// expired counts the items that went because their time to live ended, by their table's id.
type expired struct {
	mu    sync.Mutex
	items map[uint64]int64
}

func newExpired() *expired { return &expired{items: map[uint64]int64{}} }

func (e *expired) add(tableID uint64, items int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.items[tableID] += int64(items)
}

func (e *expired) of(tableID uint64) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.items[tableID]
}

func (e *expired) forget(tableID uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.items, tableID)
}

// Expired is how many items of a table have gone, since this process began, because their time to live ended.
type Expired struct {
	Table string
	Items int64
}

// Expired lists the tables that have a time to live, or had one that ended an item.
func (n *Node) Expired() []Expired {
	var list []Expired
	for _, entry := range n.catalog.Entries() {
		if items := n.expired.of(entry.Table.ID); items > 0 || entry.Table.TimeToLive != "" {
			list = append(list, Expired{Table: entry.Table.Name, Items: items})
		}
	}
	return list
}
