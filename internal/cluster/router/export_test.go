package router

import "stator/internal/cluster/catalog"

// Locate is the way to a partition.
func (r *Router) Locate(tableID uint64, key []byte) (*catalog.Partition, error) {
	return r.locate(tableID, key)
}

// Again tells what is tried again.
func Again(err error, version uint64) bool { return again(err, version) }
