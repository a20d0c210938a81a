package heat_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"stator/internal/model/capacity"
	"stator/internal/model/heat"
)

// within is the key of an item of a collection.
func within(collection, item int) []byte {
	return binary.BigEndian.AppendUint64(append(key(collection), 'N'), uint64(item))
}

// judged has writes come for some seconds, and gives the first judgement that is not of rising heat.
func judged(r heat.Range, perSecond int, next func(i int) []byte) heat.Judgement {
	var s heat.Sketch
	j := heat.Judgement{}
	now := time.Hour
	for i := range 120 * perSecond {
		if i%perSecond == 0 {
			if j = s.Judge(capacity.Writes, r, now); j.State > heat.Rising {
				break
			}
		}
		now += time.Second / time.Duration(perSecond)
		s.Add(capacity.Writes, next(i), 1, now)
	}
	return j
}

func TestJudge(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	uniform := func(int) []byte { return key(random.IntN(100_000)) }
	// often is a key that comes so many times of a hundred.
	often := func(percent int) func(int) []byte {
		return func(i int) []byte {
			if random.IntN(100) < percent {
				return hot
			}
			return uniform(i)
		}
	}
	all := heat.Range{}
	for _, c := range []struct {
		what      string
		r         heat.Range
		perSecond int
		next      func(int) []byte
		state     heat.State
		at        []byte // of a split; nil: wherever it halves the traffic
	}{
		{"a quarter of the bound", all, 250, uniform, heat.Cool, nil},
		{"an even load", all, 1000, uniform, heat.Split, nil},
		{"an even load, in turn", all, 1000, func(i int) []byte { return key(i % 64) }, heat.Split, nil},
		{"a key with all the load", all, 1000, often(100), heat.Alone, nil},
		{"a key with nine tenths", heat.Range{Upper: behindHot}, 1000, often(90), heat.Split, hot},
		{"a key with nine tenths, the first one", heat.Range{Lower: hot}, 1000, often(90), heat.Split, behindHot},
		{"a key on its own", heat.Range{Lower: hot, Upper: behindHot}, 1000, often(100), heat.Alone, nil},
		{"one collection", all, 1000, func(int) []byte { return within(1, random.IntN(100_000)) }, heat.Split, nil},
		{"one collection that stays together", heat.Range{Whole: true}, 1000, func(int) []byte { return within(1, random.IntN(100_000)) }, heat.Alone, nil},
		{"rising keys", all, 1000, func(i int) []byte { return within(1, i) }, heat.Moving, nil},
		{"falling keys", all, 1000, func(i int) []byte { return within(1, 1<<30-i) }, heat.Moving, nil},
		{"keys that rise in many collections", all, 1000, func(i int) []byte { return within(i%100, i) }, heat.Split, nil},
		{"a key that is another every second, beyond the last", all, 1000, func(i int) []byte { return within(1, i/1000) }, heat.Moving, nil},
	} {
		j := judged(c.r, c.perSecond, c.next)
		even := c.state != heat.Split || c.at != nil || j.Left > 0.35 && j.Left < 0.65
		if j.State != c.state || c.at != nil && !bytes.Equal(j.At, c.at) || !even {
			t.Errorf("%s is %v, at %q with %.2f on the left; want %v at %q", c.what, j.State, j.At, j.Left, c.state, c.at)
		}
	}
}

// A partition that was cut has to be hot for as long again.
func TestBeginsAnewAfterACut(t *testing.T) {
	var s heat.Sketch
	now := time.Hour
	minute := func(r heat.Range) (states []heat.State) {
		for range 60 {
			for i := range 1000 {
				now += time.Millisecond
				s.Add(capacity.Writes, key(i), 1, now)
			}
			states = append(states, s.Judge(capacity.Writes, r, now).State)
		}
		return states
	}
	first := minute(heat.Range{})
	second := minute(heat.Range{Upper: []byte("z")})
	for i, states := range [][]heat.State{first, second} {
		if states[0] != heat.Cool || states[30] != heat.Split {
			t.Errorf("the states of minute %d: %v", i, states)
		}
	}
}
