package heat_test

import (
	"crypto/md5"
	"encoding/binary"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sort"
	"testing"
	"time"

	"stator/internal/model/capacity"
	"stator/internal/model/heat"
)

// key is one such as a partition has: a token, and behind it what it is the token of.
func key(n int) []byte {
	name := binary.BigEndian.AppendUint64([]byte("Scustomer#"), uint64(n))
	token := md5.Sum(name)
	return append(token[:], name...)
}

// zipf draws keys as often as 1/rank^theta.
type zipf struct {
	random *rand.Rand
	sums   []float64
}

func newZipf(keys int, theta float64) *zipf {
	z := &zipf{random: rand.New(rand.NewPCG(1, 2)), sums: make([]float64, keys)}
	sum := 0.0
	for i := range z.sums {
		sum += math.Pow(float64(i+1), -theta)
		z.sums[i] = sum
	}
	return z
}

func (z *zipf) next() int {
	return sort.SearchFloat64s(z.sums, z.random.Float64()*z.sums[len(z.sums)-1])
}

// The true first ten of a zipfian load are named, with what they take: the first ten of an hour ago not any more.
func TestTopOfZipf(t *testing.T) {
	const perSecond, keys = 400, 1_000_000
	for _, theta := range []float64{0.99, 1.2} {
		var top heat.Top
		z := newZipf(keys, theta)
		now := time.Duration(0)
		for phase := range 2 {
			truth := map[int]float64{}
			// Ten half-lives leave a thousandth of what was before.
			for range 10 * 60 * perSecond {
				now += time.Second / perSecond
				rank := z.next()
				units := 0.5 + float64(rank%4)/2
				truth[rank] += units * math.Exp2(now.Minutes())
				top.Add(key(phase*keys+rank), units, now)
			}
			ranks := slices.SortedFunc(maps.Keys(truth), func(a, b int) int { return int(math.Copysign(1, truth[b]-truth[a])) })
			all := 0.0
			for _, units := range truth {
				all += units
			}
			scale := math.Ln2 / 60 / math.Exp2(now.Minutes())
			if got, want := top.PerSecond(now), all*scale; math.Abs(got/want-1) > 0.01 {
				t.Errorf("theta %v: %.1f units a second, want %.1f", theta, got, want)
			}
			for i, got := range top.Keys(10, now) {
				want := truth[ranks[i]] * scale
				if string(got.Bytes) != string(key(phase*keys+ranks[i])) || math.Abs(got.PerSecond/want-1) > 0.01 {
					t.Errorf("theta %v, phase %d: number %d is %q with %.3f units a second, want %q with %.3f", theta, phase, i+1,
						got.Bytes[md5.Size:], got.PerSecond, key(phase*keys + ranks[i])[md5.Size:], want)
				}
				// Weights are a moment old, and a thousandth is left of what was before.
				if got.PerSecond-got.Error > want*1.002 || got.PerSecond < want*0.998 {
					t.Errorf("theta %v: %v to %v units a second are said to hold %v", theta, got.PerSecond-got.Error, got.PerSecond, want)
				}
			}
		}
	}
}

// However many keys come, and however long they are, a partition's sketch takes less than a megabyte. One that has seen little takes little.
func TestMemory(t *testing.T) {
	measure := func(keys, bytes int) uint64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := &heat.Sketch{}
		long := make([]byte, bytes)
		for i := range keys {
			copy(long, key(i))
			s.Add(capacity.Reads, long, 1, time.Duration(i)*time.Millisecond)
			s.Add(capacity.Writes, long, 1, time.Duration(i)*time.Millisecond)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(s)
		return after.HeapAlloc - before.HeapAlloc
	}
	if got := measure(100_000, 3000); got > 1<<20 {
		t.Errorf("a partition with many long keys takes %d bytes", got)
	}
	if got := measure(1, 40); got > 4096 {
		t.Errorf("a partition with one key takes %d bytes", got)
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	s := &heat.Sketch{}
	keys := make([][]byte, 10_000)
	now := time.Duration(0)
	add := func() {
		now += time.Second
		for i := range keys {
			s.Add(capacity.Writes, keys[i], 1, now)
		}
	}
	for i := range keys {
		keys[i] = key(i)
	}
	add()
	if got := testing.AllocsPerRun(100, add); got != 0 {
		t.Errorf("%v allocations for %d keys", got, len(keys))
	}
}

// What came before a year's sleep counts nothing, and what comes after it counts as ever.
func TestLongSleep(t *testing.T) {
	var s heat.Sketch
	now := time.Hour
	for i := range 10 * 60 * 100 {
		if now += 10 * time.Millisecond; i == 5*60*100 {
			now += 365 * 24 * time.Hour
		}
		s.Add(capacity.Reads, key(i%10), 1, now)
	}
	if got := s.PerSecond(capacity.Reads, now); math.Abs(got-100) > 5 || len(s.Keys(capacity.Reads, 20, now)) != 10 {
		t.Errorf("%v units a second instead of 100", got)
	}
}

func TestIdle(t *testing.T) {
	var s heat.Sketch
	s.Add(capacity.Reads, key(1), 1, time.Hour)
	if s.Idle(time.Hour + 5*time.Minute) {
		t.Error("five minutes without a request are idle")
	}
	if !s.Idle(2 * time.Hour) {
		t.Error("an hour without a request is not")
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, c := range []struct {
		name  string
		theta float64
	}{{"uniform", 0}, {"zipfian", 0.99}} {
		b.Run(c.name, func(b *testing.B) {
			z := newZipf(1_000_000, c.theta)
			keys := make([][]byte, 1<<18)
			for i := range keys {
				keys[i] = key(z.next())
			}
			s := &heat.Sketch{}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.Add(capacity.Writes, keys[i%len(keys)], 1, time.Duration(i)*time.Microsecond)
			}
		})
	}
}
