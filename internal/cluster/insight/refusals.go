// Package insight remembers the last hour, to tell why requests were throttled. It does not know how units are counted, nor what time it is.
package insight

import (
	"bytes"
	"cmp"
	"slices"
	"sync"

	"stator/internal/model/capacity"
	"stator/internal/storage/keys"
)

const (
	// Minutes is how long what happened is remembered.
	Minutes = 60
	// rowsMax bounds the rows of refusals, keyBytesMax how much of a key is kept: the token, by which keys are told apart, and what a person
	// recognises it by.
	rowsMax     = 2048
	keyBytesMax = 256
)

// Refused are the requests of one minute that the same limit refused in the same place.
type Refused struct {
	Minute    int64         `json:"minute"`              // since the epoch
	Payer     uint64        `json:"payer"`               // the id of the table, or of the index's hidden table
	Partition uint64        `json:"partition,omitempty"` // 0: of no one partition
	Kind      capacity.Kind `json:"kind"`
	// Bound is what refused the last of them.
	Bound    capacity.Bound `json:"bound"`
	Requests uint64         `json:"requests"`
	// Units are what they would have cost at the least.
	Units float64 `json:"units"`
	// Lower and Upper are the first and the last key that was asked for, as far as they are kept; nil for walks of no one key.
	Lower []byte `json:"lower,omitempty"`
	Upper []byte `json:"upper,omitempty"`
}

// place is what the requests of one row have in common.
type place struct {
	minute           int64
	payer, partition uint64
	kind             capacity.Kind
	limit            capacity.Limit
	ofPartition      bool
}

func (r *Refused) place() place {
	return place{r.Minute, r.Payer, r.Partition, r.Kind, r.Bound.Limit, r.Bound.OfPartition}
}

// anywhere is the place without its partition.
func (p place) anywhere() place {
	p.partition = 0
	return p
}

// add adds what was refused in the same place.
func (r *Refused) add(other *Refused) {
	r.Bound = other.Bound
	r.Requests += other.Requests
	r.Units += other.Units
	if other.Lower == nil {
		return
	}
	if r.Lower == nil || bytes.Compare(other.Lower, r.Lower) < 0 {
		r.Lower = other.Lower
	}
	if r.Upper == nil || bytes.Compare(other.Upper, r.Upper) > 0 {
		r.Upper = other.Upper
	}
}

// key is the partition key that all of the requests asked for, as it is kept; nil if they asked for several.
func (r *Refused) key() []byte {
	if len(r.Lower) < keys.TokenBytes || len(r.Upper) < keys.TokenBytes || !bytes.Equal(r.Lower[:keys.TokenBytes], r.Upper[:keys.TokenBytes]) {
		return nil
	}
	return r.Lower
}

// spans tells whether a key lies between the first and the last.
func (r *Refused) spans(key []byte) bool {
	return r.Lower != nil && bytes.Compare(r.Lower, key) <= 0 && bytes.Compare(key, r.Upper) <= 0
}

// Refusals are what was refused in the last hour: a row a minute, limit and partition, whatever the number of requests. Where there are too
// many, the oldest minutes tell no partitions any more, so that an hour of many hot partitions is still told as an hour.
type Refusals struct {
	mu     sync.Mutex // guards what follows
	rows   map[place]*Refused
	newest int64
	lost   uint64
}

// Note takes note of a refused request. Its key is not kept.
func (m *Refusals) Note(r *capacity.Request, by capacity.Bound, partition uint64, minute int64) {
	one := Refused{Minute: minute, Payer: r.ID(), Partition: partition, Kind: r.Kind, Bound: by, Requests: 1, Units: r.Units}
	if r.Units == 0 {
		one.Units = 1 // what an index pays is known later: one, if it pays at all
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	row := m.row(&one)
	if row == nil {
		m.lost++
		return
	}
	if key := r.Key[:min(len(r.Key), keyBytesMax)]; key != nil && !row.spans(key) {
		one.Lower = bytes.Clone(key)
		one.Upper = one.Lower
	}
	row.add(&one)
}

// NoteCounted takes note of requests that a partition would have refused, of which nothing else is known.
func (m *Refusals) NoteCounted(counted *Refused) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if row := m.row(counted); row != nil {
		row.add(counted)
		return
	}
	m.lost += counted.Requests
}

// row finds the row of a refusal, or makes it: nil where the limits of this minute alone have filled all there is room for. The caller holds mu.
func (m *Refusals) row(of *Refused) *Refused {
	at := of.place()
	if row, ok := m.rows[at]; ok {
		return row
	}
	if of.Minute > m.newest {
		m.newest = of.Minute
		m.forget(of.Minute - Minutes)
	}
	if len(m.rows) >= rowsMax && !m.merge() {
		oldest := of.Minute
		for p := range m.rows {
			oldest = min(oldest, p.minute)
		}
		if oldest == of.Minute {
			return nil
		}
		m.forget(oldest)
	}
	if m.rows == nil {
		m.rows = map[place]*Refused{}
	}
	row := &Refused{Minute: of.Minute, Payer: of.Payer, Partition: of.Partition, Kind: of.Kind}
	m.rows[at] = row
	return row
}

// merge makes one row of those of a limit that differ only in their partitions, in the oldest minute that has such. It tells whether there was
// one. The caller holds mu.
func (m *Refusals) merge() bool {
	alike, oldest, found := map[place]int{}, int64(0), false
	for p := range m.rows {
		alike[p.anywhere()]++
		if alike[p.anywhere()] > 1 && (!found || p.minute < oldest) {
			oldest, found = p.minute, true
		}
	}
	if !found {
		return false
	}
	for p, row := range m.rows {
		if p.minute != oldest || p.partition == 0 {
			continue
		}
		delete(m.rows, p)
		into, ok := m.rows[p.anywhere()]
		if !ok {
			into = &Refused{Minute: p.minute, Payer: p.payer, Kind: p.kind}
			m.rows[p.anywhere()] = into
		}
		into.add(row)
	}
	return true
}

// forget lets go of a minute and all before it. The caller holds mu.
func (m *Refusals) forget(minute int64) {
	for p := range m.rows {
		if p.minute <= minute {
			delete(m.rows, p)
		}
	}
}

// Refusal is what was refused of some payers.
type Refusal struct {
	Rows []Refused `json:"rows,omitempty"`
	// Lost counts requests, of whatever payer, for which there was no room.
	Lost uint64 `json:"lost,omitempty"`
}

// Of is what was refused of some payers since a minute, in the order of time.
func (m *Refusals) Of(payers []uint64, since int64) Refusal {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := Refusal{Lost: m.lost}
	for _, row := range m.rows {
		if row.Minute >= since && slices.Contains(payers, row.Payer) {
			of.Rows = append(of.Rows, *row)
		}
	}
	of.sort()
	return of
}

// Add adds what another node refused.
func (r *Refusal) Add(other Refusal) {
	r.Lost += other.Lost
	rows := map[place]int{}
	for i := range r.Rows {
		rows[r.Rows[i].place()] = i
	}
	for i := range other.Rows {
		row := &other.Rows[i]
		if at, ok := rows[row.place()]; ok {
			r.Rows[at].add(row)
			continue
		}
		r.Rows = append(r.Rows, *row)
	}
	r.sort()
}

func (r *Refusal) sort() {
	slices.SortFunc(r.Rows, func(a, b Refused) int {
		return cmp.Or(cmp.Compare(a.Minute, b.Minute), cmp.Compare(a.Payer, b.Payer), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Bound.Limit, b.Bound.Limit), cmp.Compare(a.Partition, b.Partition))
	})
}
