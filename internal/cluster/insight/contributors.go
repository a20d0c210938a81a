package insight

import (
	"bytes"
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"stator/internal/model/capacity"
	"stator/internal/model/heat"
	"stator/internal/model/table"
	"stator/internal/storage/keys"
)

const (
	// ContributorsMax is how many keys a rule names, as in the service. A node tells more of them: what is many by several is not always
	// among the first of one.
	ContributorsMax = 25
	toldMax         = 4 * ContributorsMax
	// CountedMax bounds the tables and indexes whose keys are counted on a node, each of which takes a megabyte or two at most.
	CountedMax = 64
	// writeWeight is how much more a unit of a write counts than one of a read, which costs a third of it.
	writeWeight = 3
)

// Contributor is a key with what it is asked for, or throttled, a second: the sort key follows the partition key where a rule is of items.
type Contributor struct {
	Key       []byte  `json:"key"`
	PerSecond float64 `json:"perSecond"`
}

// Contributors are the keys of a payer by rule, the first one first.
type Contributors map[table.Rule][]Contributor

// Keys counts the keys of the tables and indexes whose insights are turned on. What came earlier counts less: half after a minute.
type Keys struct {
	now  func() time.Duration
	full func()

	making  sync.Mutex // held by whoever adds or removes a payer
	told    bool       // that there is no room
	counted atomic.Pointer[map[uint64]*counted]
}

// counted are one payer's keys.
type counted struct {
	mu   sync.Mutex // guards tops
	tops map[table.Rule]*heat.Top
}

// NewKeys returns keys that nobody asked for yet. now is a clock that never jumps, full is told once when keys are left uncounted for want of
// room, and again if that happens after there was some.
func NewKeys(now func() time.Duration, full func()) *Keys {
	k := &Keys{now: now, full: full}
	k.counted.Store(&map[uint64]*counted{})
	return k
}

// Consumed counts an access, for the units that it cost.
func (k *Keys) Consumed(r *capacity.Request) {
	if of := r.Insights(); of.On && !of.ThrottledOnly && r.Key != nil && r.Units > 0 {
		units := r.Units
		if r.Kind == capacity.Writes {
			units *= writeWeight
		}
		k.add(r, units, table.AccessedPartitions, table.AccessedItems)
	}
}

// Refused counts a throttle.
func (k *Keys) Refused(r *capacity.Request) {
	if r.Insights().On && r.Key != nil {
		k.add(r, 1, table.ThrottledPartitions, table.ThrottledItems)
	}
}

func (k *Keys) add(r *capacity.Request, weight float64, partitions, items table.Rule) {
	c := k.of(r.ID())
	if c == nil {
		return
	}
	hash, sort := keys.SplitSuffix(r.Key, len(r.Payer.Key().Hash))
	now := k.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.top(partitions).Add(hash, weight, now)
	if len(sort) > 0 {
		c.top(items).Add(r.Key, weight, now)
	}
}

func (c *counted) top(rule table.Rule) *heat.Top {
	top, ok := c.tops[rule]
	if !ok {
		top = &heat.Top{}
		c.tops[rule] = top
	}
	return top
}

// of finds a payer's keys, or makes a place for them; nil where there is none left.
func (k *Keys) of(payer uint64) *counted {
	if c, ok := (*k.counted.Load())[payer]; ok {
		return c
	}
	c, first := k.open(payer)
	if first {
		k.full()
	}
	return c
}

// open makes a place for a payer's keys. Without one, first tells that this was not known before.
func (k *Keys) open(payer uint64) (c *counted, first bool) {
	k.making.Lock()
	defer k.making.Unlock()
	all := *k.counted.Load()
	if c, ok := all[payer]; ok {
		return c, false
	}
	if len(all) == CountedMax {
		first, k.told = !k.told, true
		return nil, first
	}
	c = &counted{tops: map[table.Rule]*heat.Top{}}
	next := map[uint64]*counted{payer: c}
	for id, other := range all {
		next[id] = other
	}
	k.counted.Store(&next)
	return c, false
}

// HasRoom tells whether the keys of a payer are counted, or would be.
func (k *Keys) HasRoom(payer uint64) bool {
	all := *k.counted.Load()
	_, counted := all[payer]
	return counted || len(all) < CountedMax
}

// Keep forgets the keys of all payers but some.
func (k *Keys) Keep(wanted func(payer uint64) bool) {
	k.making.Lock()
	defer k.making.Unlock()
	next := map[uint64]*counted{}
	for id, c := range *k.counted.Load() {
		if wanted(id) {
			next[id] = c
		}
	}
	k.told = k.told && len(next) == CountedMax
	k.counted.Store(&next)
}

// Of are the keys of a payer.
func (k *Keys) Of(payer uint64) Contributors {
	of := Contributors{}
	c, ok := (*k.counted.Load())[payer]
	if !ok {
		return of
	}
	now := k.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for rule, top := range c.tops {
		for _, key := range top.Keys(toldMax, now) {
			of[rule] = append(of[rule], Contributor{Key: key.Bytes, PerSecond: key.PerSecond})
		}
	}
	return of
}

// Add adds what another node counted.
func (c Contributors) Add(other Contributors) {
	for rule, list := range other {
		for _, one := range list {
			at := slices.IndexFunc(c[rule], func(o Contributor) bool { return bytes.Equal(o.Key, one.Key) })
			if at < 0 {
				c[rule] = append(c[rule], one)
			} else {
				c[rule][at].PerSecond += one.PerSecond
			}
		}
		slices.SortFunc(c[rule], func(a, b Contributor) int {
			return cmp.Or(cmp.Compare(b.PerSecond, a.PerSecond), bytes.Compare(a.Key, b.Key))
		})
	}
}
