package node

// Expired is how many items of a table have gone, since this process began, because their time to live ended.
type Expired struct {
	Table string
	Items int
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
