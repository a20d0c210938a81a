package timeline

import (
	"math/rand/v2"
	"sync"
)

// Bytes are a seed's random bytes for whoever reads them.
type Bytes struct {
	mu     sync.Mutex // guards random
	random *rand.Rand
}

// NewBytes returns one of the streams of bytes that a seed has.
func NewBytes(seed, stream uint64) *Bytes {
	return &Bytes{random: rand.New(rand.NewPCG(seed, stream))}
}

// Read implements io.Reader.
func (b *Bytes) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range p {
		p[i] = byte(b.random.Uint32())
	}
	return len(p), nil
}
