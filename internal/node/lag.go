package node

import "stator/internal/model/table"

// IndexLag is how far a global index is behind its table: the changes that were not fed to it, and their bytes.
type IndexLag struct {
	Table, Index   string
	Changes, Bytes int64
}

// IndexLags lists every global index. All indexes of a table are fed together, so they lag alike.
func (n *Node) IndexLags() []IndexLag {
	var lags []IndexLag
	for _, entry := range n.catalog.Entries() {
		changes, bytes := n.unfed(entry.Table)
		for i := range entry.Table.Global {
			lags = append(lags, IndexLag{Table: entry.Table.Name, Index: entry.Table.Global[i].Name, Changes: changes, Bytes: bytes})
		}
	}
	return lags
}

func (n *Node) unfed(t *table.Table) (changes, bytes int64) {
	if len(t.Global) == 0 {
		return 0, 0
	}
	for _, p := range n.catalog.Partitions(t.ID) {
		r, ok := n.host.Replica(p.ID)
		if !ok {
			continue
		}
		state := r.State()
		changes += int64(state.Unfed())
		bytes += state.Applied.UnfedBytes
	}
	return changes, bytes
}
