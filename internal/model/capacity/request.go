package capacity

// Request is what asks for units of one payer: its part of a request of the API, which may have several payers.
type Request struct {
	Payer
	Kind  Kind
	Units float64
	// Key is the key suffix of the item that is asked for, or what those of a collection begin with, in the payer's own order; nil where
	// that is not known, or no one key.
	Key []byte
}

// Tally is what a payer consumed and was refused in some stretch of time.
type Tally struct {
	Consumed [Kinds]float64
	// Refused counts requests, by what refused them.
	Refused [Kinds][Limits]uint64
}

// Add adds another tally.
func (t *Tally) Add(other *Tally) {
	for kind := range Kinds {
		t.Consumed[kind] += other.Consumed[kind]
		for limit := range Limits {
			t.Refused[kind][limit] += other.Refused[kind][limit]
		}
	}
}

// Throttled is how many requests were refused, whatever by.
func (t *Tally) Throttled(kind Kind) uint64 {
	sum := uint64(0)
	for _, n := range t.Refused[kind] {
		sum += n
	}
	return sum
}
