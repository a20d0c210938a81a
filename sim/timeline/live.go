package timeline

import (
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"sync"
)

// running is held by the one world that there is.
var running sync.Mutex

// Live gives a world its time, in which it lives and then leaves, and returns a checksum of all that was noted. log, unless it is
// nil, gets that too. The random numbers of raft, which are crypto/rand's, come from the seed meanwhile: one world at a time lives in
// a process. stream tells the worlds of one simulator from those that another one makes of the same seed.
func Live(seed, stream uint64, log io.Writer, live func(*Timeline) error) (trace uint64, err error) {
	running.Lock()
	defer running.Unlock()
	machines := cryptorand.Reader
	cryptorand.Reader = NewBytes(seed, 0x7af7)
	defer func() { cryptorand.Reader = machines }()
	sum := fnv.New64a()
	notes := io.Writer(sum)
	if log != nil {
		notes = io.MultiWriter(sum, log)
	}
	t := New(rand.New(rand.NewPCG(seed, stream)), notes)
	if err := live(t); err != nil || t.failed != nil {
		return sum.Sum64(), fmt.Errorf("seed %d: %w", seed, errors.Join(t.failed, err))
	}
	return sum.Sum64(), nil
}
