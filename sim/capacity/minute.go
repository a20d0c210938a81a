package capacity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/model/api"
	"stator/internal/model/table"
	"stator/internal/storage/keys"
)

// Load is the units of writing that are asked for in a second. A part of a hundred is for one item, the rest for all alike.
type Load struct{ PerSecond, Hot int }

// hot is the item.
const hot = 0

// Minute is what became of one, in units a second.
type Minute struct {
	Asked, Admitted, Throttled int
	// Partitions are as many as there are at its end; Hottest is what that one served which served most.
	Partitions, Hottest int
	// Setting is what is provisioned at its end, or the warm throughput of an on-demand table.
	Setting int64
	// Reasons are why requests were throttled.
	Reasons string
}

// Ask has so many minutes pass under a load, and tells of each.
func (w *World) Ask(l Load, minutes int) (told []Minute, err error) {
	err = w.do(func() error {
		for range minutes {
			m, err := w.minute(l)
			if err != nil {
				return err
			}
			told = append(told, m)
		}
		return nil
	})
	return told, err
}

// minute asks evenly through one.
func (w *World) minute(l Load) (Minute, error) {
	began := w.time.Now
	served, reasons := make([]int, items), map[string]bool{}
	requests, admitted := l.PerSecond*60/itemUnits, 0
	for i := range requests {
		w.time.Sleep(began + time.Minute*time.Duration(i)/time.Duration(requests) - w.time.Now)
		item := w.time.Random.IntN(items)
		if w.time.Chance(l.Hot) {
			item = hot
		}
		throttled, err := w.write(item)
		if err != nil {
			return Minute{}, err
		}
		if throttled != "" {
			reasons[throttled] = true
			continue
		}
		served[item]++
		admitted++
	}
	w.time.Sleep(began + time.Minute - w.time.Now)
	t, partitions := w.table()
	m := Minute{
		Asked: perSecond(requests), Admitted: perSecond(admitted), Throttled: perSecond(requests - admitted), Partitions: len(partitions),
		Setting: t.Throughput.Write, Reasons: strings.Join(slices.Sorted(maps.Keys(reasons)), ", "),
	}
	if t.Billing == table.OnDemandBilling {
		m.Setting = t.Warm.Write
	}
	for _, requests := range w.byPartition(partitions, served) {
		m.Hottest = max(m.Hottest, perSecond(requests))
	}
	return m, nil
}

// perSecond is what so many requests of a minute are in units a second.
func perSecond(requests int) int { return (requests*itemUnits + 30) / 60 }

// write asks for the units of one item, and tells why it was throttled, if it was. Its condition fails, so that it costs what the item is
// and brings nothing to the disk: an hour of a busy table would be gigabytes.
func (w *World) write(item int) (throttled string, err error) {
	_, err = w.calls[dynamo+"DeleteItem"](context.Background(), w.items[item].removal, nil)
	refused, ok := errors.AsType[*api.Error](err)
	switch {
	case ok && len(refused.ThrottlingReasons) == 1:
		return *refused.ThrottlingReasons[0].Reason, nil
	case ok && refused.Type == "ConditionalCheckFailedException":
		return "", nil
	}
	return "", fmt.Errorf("a write of item %d: %w", item, err)
}

func (w *World) table() (*table.Table, []catalog.Partition) {
	entry, _ := w.node.Catalog().Entry(tableName)
	return entry.Table, entry.Partitions[entry.Table.ID]
}

// byPartition are the requests of items as they fall on partitions.
func (w *World) byPartition(partitions []catalog.Partition, byItem []int) map[uint64]int {
	sums := map[uint64]int{}
	for item, requests := range byItem {
		sums[catalog.Holding(partitions, w.items[item].key).ID] += requests
	}
	return sums
}

// Alone tells whether the item that is hot has a partition for itself.
func (w *World) Alone() bool {
	_, partitions := w.table()
	key := w.items[hot].key
	bounds := catalog.Holding(partitions, key).Bounds
	return string(bounds.Lower) == string(key) && string(bounds.Upper) == string(keys.SuccessorPrefix(key))
}
