package heat_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"stator/internal/model/capacity"
	"stator/internal/model/heat"
	"stator/internal/model/table"
)

const (
	// step is how often a script's clients ask, look how often a node looks at its partitions.
	step = 10 * time.Millisecond
	look = 2 * time.Second
	// spread is how many keys an even load is spread over.
	spread = 10_000
)

// hot is the key that a script makes hot, behindHot the first one that does not begin like it.
var hot, behindHot = key(7), append(key(7)[:len(key(7))-1], 8)

// world is the writes of a table under a clock that a script moves: the table's units, and the partitions behind them, each with what one
// serves and with what a node makes of where its traffic falls.
type world struct {
	payer      capacity.Payer
	bucket     capacity.Bucket
	partitions []*partition // in the order of their keys
	keys       [][]byte
	random     *rand.Rand
	risen      int
	now        time.Duration
	owed       float64
}

type partition struct {
	heat.Range
	bucket capacity.Bucket
	sketch heat.Sketch
	found  heat.State // by the last looks: as long as it stays hot, the last verdict
	// served counts what the last command was served.
	served int
}

// The scripts in testdata know
//
//	table provisioned=UNITS [partitions=COUNT]               a new table
//	write PER-SECOND for=DURATION [hot=PERCENT] [rising=PERCENT]
//	                                                         an even load, of which a part is for one key, or for keys that rise within a
//	                                                         collection; a row a minute, and one for each cut
//	partitions                                               what each of them served by the last command, and the last look found
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		w := &world{random: rand.New(rand.NewPCG(5, 6))}
		for i := range spread {
			w.keys = append(w.keys, key(i))
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			number := func(name string, otherwise int) int {
				if d.HasArg(name) {
					d.ScanArgs(t, name, &otherwise)
				}
				return otherwise
			}
			switch d.Cmd {
			case "table":
				w.create(number("provisioned", 0), number("partitions", 1))
				return ""
			case "write":
				var perSecond int
				var length string
				fmt.Sscan(d.CmdArgs[0].Key, &perSecond)
				d.ScanArgs(t, "for", &length)
				lasts, err := time.ParseDuration(length)
				if err != nil {
					t.Fatal(err)
				}
				return w.write(perSecond, lasts, load{hot: number("hot", 0), rising: number("rising", 0)})
			case "partitions":
				return w.list()
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func (w *world) create(units, partitions int) {
	w.payer.Table = &table.Table{ID: 100, Billing: table.Provisioned, Throughput: table.Throughput{Write: int64(units)}}
	w.bucket = capacity.NewBucket(w.payer.Bound(capacity.Writes), w.now)
	for i := range partitions {
		p := w.born(heat.Range{})
		if i > 0 {
			p.Lower = []byte{byte(i * 256 / partitions)}
			w.partitions[i-1].Upper = p.Lower
		}
		w.partitions = append(w.partitions, p)
	}
}

func (w *world) born(r heat.Range) *partition {
	return &partition{Range: r, bucket: capacity.NewBucket(capacity.PartitionBounds[capacity.Writes], w.now)}
}

// load is which parts of a hundred are not spread evenly.
type load struct{ hot, rising int }

func (w *world) next(l load) []byte {
	switch at := w.random.IntN(100); {
	case at < l.hot:
		return hot
	case at < l.hot+l.rising:
		w.risen++
		return within(9, w.risen)
	}
	return w.keys[w.random.IntN(spread)]
}

func (w *world) write(perSecond int, lasts time.Duration, l load) string {
	var b strings.Builder
	var row, last minute
	for _, p := range w.partitions {
		p.served = 0
	}
	since, began := w.now, w.now
	flush := func(until time.Duration) {
		if last != (minute{}) {
			fmt.Fprintf(&b, "%v to %v, each minute: %v\n", since, until, last)
		}
	}
	for end := w.now + lasts; w.now < end; {
		for w.owed += float64(perSecond) * step.Seconds(); w.owed >= 1; w.owed-- {
			w.one(w.next(l), &row)
		}
		w.now += step
		if w.now%look == 0 {
			w.look(&b)
		}
		if w.now%time.Minute != 0 && w.now < end {
			continue
		}
		row.partitions = len(w.partitions)
		if row != last {
			flush(began)
			since, last = began, row
		}
		row, began = minute{}, w.now
	}
	flush(w.now)
	return b.String()
}

// minute is what came of the requests of one.
type minute struct{ admitted, byTable, byPartition, partitions int }

func (m minute) String() string {
	return fmt.Sprintf("admitted %d, refused by the table %d, by a partition %d; partitions %d", m.admitted, m.byTable, m.byPartition, m.partitions)
}

// one writes a key as a request does: the table's units first, then the partition.
func (w *world) one(key []byte, row *minute) {
	i, found := slices.BinarySearchFunc(w.partitions, key, func(p *partition, key []byte) int { return bytes.Compare(p.Lower, key) })
	if !found {
		i--
	}
	p := w.partitions[i]
	switch {
	case !w.bucket.Take(w.payer.Bound(capacity.Writes), w.now, 1):
		row.byTable++
	case !p.bucket.Take(capacity.PartitionBounds[capacity.Writes], w.now, 1):
		w.bucket.Charge(-1)
		row.byPartition++
	default:
		p.sketch.Add(capacity.Writes, key, 1, w.now)
		p.served++
		row.admitted++
	}
}

// look cuts the partitions that a cut relieves. The right half is another partition, the left one goes on.
func (w *world) look(b *strings.Builder) {
	for i := len(w.partitions) - 1; i >= 0; i-- {
		p := w.partitions[i]
		j := p.sketch.Judge(capacity.Writes, p.Range, w.now)
		if j.State != heat.Rising || p.found == heat.Cool {
			p.found = j.State
		}
		if j.State != heat.Split {
			continue
		}
		fmt.Fprintf(b, "%v: partition %d of %d, at %.0f units a second, is cut with %.0f %% on the left\n", w.now, i+1, len(w.partitions),
			j.PerSecond, 100*j.Left)
		right := w.born(heat.Range{Lower: j.At, Upper: p.Upper})
		p.Upper = j.At
		w.partitions = slices.Insert(w.partitions, i+1, right)
	}
}

func (w *world) list() string {
	var b strings.Builder
	for _, p := range w.partitions {
		holds := ""
		if bytes.Equal(p.Lower, hot) && bytes.Equal(p.Upper, behindHot) {
			holds = ", the hot key alone"
		}
		fmt.Fprintf(&b, "%d served, %v%s\n", p.served, p.found, holds)
	}
	return b.String()
}
