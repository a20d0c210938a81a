package heat

import (
	"bytes"
	"slices"
)

// sampleKeysMax is how many keys stand for all: their middle is some twentieth of the traffic off the true one.
const sampleKeysMax = 128

// sample is some of the keys that came, each of them as often as its part of the units makes likely.
type sample struct {
	keys  [][]byte
	units float64 // that they stand for
	state uint64  // of the random numbers
}

// add takes a key, which replaces others the more surely the more units it has: of the last one the sample has its share.
func (s *sample) add(key []byte, units float64) {
	s.units += units
	for expected := units * sampleKeysMax / max(s.units, sampleKeysMax); expected > s.random(); expected-- {
		i := len(s.keys)
		switch {
		case i == sampleKeysMax:
			i = int(s.random() * sampleKeysMax)
		case i < cap(s.keys):
			s.keys = s.keys[:i+1]
		default:
			s.keys = append(s.keys, nil)
		}
		s.keys[i] = append(s.keys[i][:0], key...)
	}
}

// random is one of [0, 1). It is the same at every run, and nobody gains by foreseeing it.
func (s *sample) random() float64 {
	s.state += odd
	return float64(mix(s.state, s.state^odd)>>11) / (1 << 53)
}

// begin forgets what came.
func (s *sample) begin() { s.keys, s.units = s.keys[:0], 0 }

// middle is the key that half of what came lies before; nil if nothing came.
func (s *sample) middle() []byte {
	if len(s.keys) == 0 {
		return nil
	}
	slices.SortFunc(s.keys, bytes.Compare)
	return slices.Clone(s.keys[len(s.keys)/2])
}
