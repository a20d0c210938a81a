package heat

import (
	"bytes"
	"math"
	"time"

	"stator/internal/model/capacity"
	"stator/internal/model/token"
)

const (
	// hotShare is how near to its bound a partition is hot.
	hotShare = 0.8
	// gatherFor is how long the traffic of a hot partition is looked at before a middle is chosen, sustainedFor how long it has to be hot,
	// the middle being tried meanwhile.
	gatherFor    = 10 * time.Second
	sustainedFor = 30 * time.Second
	// halfMin is the part of the traffic that the smaller half has to have: less, and the other one is as hot as the whole.
	halfMin = 0.2
	// ruleMin is the part of the traffic that makes a key the one that heats the partition.
	ruleMin = 1.0 / 3
)

// Range is what a partition holds: the keys in [Lower, Upper), an empty Upper being no bound.
type Range struct {
	Lower, Upper []byte
	// Whole tells that item collections stay together.
	Whole bool
}

// State is what a look at a partition finds.
type State byte

// The states.
const (
	// Cool: it is not near its bound.
	Cool State = iota
	// Rising: it is, but not for long enough.
	Rising
	// Split: it has been, and a cut would help.
	Split
	// Moving: it has been, and a cut would not help. Where the traffic goes wanders on, as it does when keys rise, and one half would soon
	// have all of it.
	Moving
	// Alone: it has been, and a cut could not help. One key has all the traffic.
	Alone
)

var stateNames = [...]string{"cool", "rising", "split", "moving", "alone"}

// String is the state's name.
func (s State) String() string { return stateNames[s] }

// Judgement is what was found of a partition's reads or writes.
type Judgement struct {
	State     State
	PerSecond float64 // since it began to be hot
	// At is where to cut, if that helps, Left the part of the traffic that lies before.
	At   []byte
	Left float64
}

// watch is a flow from the moment on at which it began to be hot. After a while a middle is chosen, and it is counted what comes before
// it, for it and behind it. A cut at it is sure to be worth it only because it would have been: what a sample says of the past may be of no
// use, and it is of none where each new key is beyond all others.
type watch struct {
	began time.Duration
	begun bool
	units float64 // since then

	middle             []byte // nil: not chosen yet
	before, on, behind float64
}

func (w *watch) add(key []byte, units float64) {
	w.units += units
	switch {
	case w.middle == nil:
	case bytes.HasPrefix(key, w.middle):
		w.on += units
	case bytes.Compare(key, w.middle) < 0:
		w.before += units
	default:
		w.behind += units
	}
}

// Judge looks at a kind's traffic, and is to be called every few seconds. A partition that was cut meanwhile begins anew.
func (s *Sketch) Judge(kind capacity.Kind, r Range, now time.Duration) Judgement {
	if s.bounded && !(bytes.Equal(s.lower, r.Lower) && bytes.Equal(s.upper, r.Upper)) {
		*s = Sketch{last: s.last}
	}
	s.lower, s.upper, s.bounded = r.Lower, r.Upper, true
	return s.flows[kind].judge(r, hotShare*capacity.PartitionBounds[kind].PerSecond, now)
}

func (f *flow) judge(r Range, hot float64, now time.Duration) Judgement {
	w := &f.watch
	since := now - w.began
	j := Judgement{State: Rising, PerSecond: w.units / max(since, time.Second).Seconds()}
	switch {
	case !w.begun || j.PerSecond < hot:
		j.State = Cool
		f.begin(now)
	case since < gatherFor:
	case w.middle == nil:
		w.middle = f.sample.middle()
		if r.Whole {
			w.middle = w.middle[:min(len(w.middle), token.Size)]
		}
	case since >= sustainedFor:
		j.verdict(w, r)
		f.begin(now)
	}
	return j
}

// begin watches from now on.
func (f *flow) begin(now time.Duration) {
	f.sample.begin()
	f.watch = watch{began: now, begun: true}
}

// verdict says whether a cut before the middle, or behind it, would have parted the traffic; or taken from the key that heats the partition
// what else there is.
func (j *Judgement) verdict(w *watch, r Range) {
	all := w.before + w.on + w.behind
	behind := successor(w.middle)
	left, right := w.before/all, w.behind/all
	if bytes.Compare(w.middle, r.Lower) <= 0 {
		left = 0
	}
	if behind == nil || len(r.Upper) > 0 && bytes.Compare(behind, r.Upper) >= 0 {
		right = 0
	}
	ruled := w.on/all >= ruleMin
	switch smaller := math.Max(math.Min(left, 1-left), math.Min(right, 1-right)); {
	case smaller < halfMin && !ruled:
		j.State = Moving
	case smaller == 0:
		j.State = Alone
	case math.Min(left, 1-left) >= math.Min(right, 1-right):
		j.State, j.At, j.Left = Split, w.middle, left
	default:
		j.State, j.At, j.Left = Split, behind, 1-right
	}
}

// successor is the first key behind all that begin like one; nil if there is none.
func successor(key []byte) []byte {
	for i := len(key) - 1; i >= 0; i-- {
		if key[i] != math.MaxUint8 {
			next := bytes.Clone(key[:i+1])
			next[i]++
			return next
		}
	}
	return nil
}
