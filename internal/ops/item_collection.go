package ops

import (
	"math"

	"stator/internal/model/api"
	"stator/internal/model/attr"
)

// collectionMetrics is the ItemCollectionMetrics member of a write's answer: the item's collection with bounds, in GB, of its size with
// all local index entries. Only tables with a local index keep that size (semantics §3.12). item holds the key.
func (w written) collectionMetrics(kind *string, item attr.Map) *api.ItemCollectionMetrics {
	if value(kind) != api.ReturnItemCollectionMetricsSize || len(w.table.Local) == 0 {
		return nil
	}
	const gigabyte = 1 << 30
	whole := math.Floor(float64(w.CollectionBytes) / gigabyte)
	return &api.ItemCollectionMetrics{
		ItemCollectionKey:   item.Only(w.table.Key.Hash[0].Name),
		SizeEstimateRangeGB: []float64{whole, whole + 1},
	}
}
