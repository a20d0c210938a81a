package httpapi

import (
	"errors"
	"io"
	"sync"
	"time"

	"stator/internal/base/limiter"
)

// The lanes of the memory budget. Whoever works may use all of it; bodies that are still arriving may not, since a slow
// client holds their bytes for as long as it likes: then requests that are complete still find room. Bodies larger than
// any item have a lower ceiling again, so that they cannot keep single items out.
const (
	laneWork = iota
	laneItemBody
	laneLargeBody
)

const (
	// MemoryBytesMin is the least budget with which every lawful request can be served.
	MemoryBytesMin = 64 << 20

	itemBodyBytesMax = 1 << 20  // bodies up to this travel in laneItemBody: an item of 400 KB fits, in any escaping
	requestBytes     = 16 << 10 // charged for every request, for the structures around it
	workPerBodyByte  = 2        // copies of a body under way: decoded, in the batch
	pageBytes        = 2 << 20  // charged beforehand for an operation that reads pages of items
	chunkBytes       = 64 << 10 // by which a body grows while it arrives
	patienceMax      = time.Second
)

var (
	errBodyTooLarge = errors.New("the body is larger than 16 MiB")
	errNoMemory     = errors.New("the memory for requests under way is in use")
)

// NewBudget returns the budget that all requests of a process share, in bytes. Other parts of the process may charge
// what they hold for a request to it as well, in lane 0.
func NewBudget(bytes int64) *limiter.Budget {
	return limiter.NewBudget(bytes, bytes*3/4, bytes*5/8)
}

// pages names the operations whose answers hold many items.
var pages = map[string]bool{
	"Query": true, "Scan": true, "BatchGetItem": true, "TransactGetItems": true, "ExecuteStatement": true,
	"BatchExecuteStatement": true, "ExecuteTransaction": true, "GetRecords": true,
}

// chunk is a piece of an arriving body.
type chunk [chunkBytes]byte

var chunks = sync.Pool{New: func() any { return new(chunk) }}

// intake reads one body and charges it to the budget as it grows, so that a client which announces much and sends
// little costs little.
type intake struct {
	budget    *limiter.Budget
	announced int
	lane      int
	patience  time.Duration
	pieces    []*chunk
	held      int64
}

// newIntake returns an intake for a body of the announced size; negative: not announced.
func newIntake(budget *limiter.Budget, announced int, patience time.Duration) *intake {
	lane := laneLargeBody
	if 0 <= announced && announced <= itemBodyBytesMax {
		lane = laneItemBody
	}
	return &intake{budget: budget, announced: announced, lane: lane, patience: patience}
}

// read reads r to its end. before is called before each piece. The error is errBodyTooLarge, errNoMemory or r's own;
// with and without one, the caller must close the intake when it is done with the body.
func (in *intake) read(r io.Reader, before func() error) ([]byte, error) {
	size := 0
	for {
		if err := before(); err != nil {
			return nil, err
		}
		if err := in.charge(chunkBytes); err != nil {
			return nil, err
		}
		piece := chunks.Get().(*chunk)
		in.pieces = append(in.pieces, piece)
		n, err := fill(r, piece[:])
		size += n
		switch {
		case size > bodyBytesMax:
			return nil, errBodyTooLarge
		case errors.Is(err, io.EOF) && size < in.announced:
			return nil, io.ErrUnexpectedEOF
		case errors.Is(err, io.EOF):
			return in.whole(size)
		case err != nil:
			return nil, err
		}
	}
}

// fill reads until b is full. Unlike io.ReadFull it leaves io.EOF as it is, so that the end of the body and a reader
// that says its input was cut off can be told apart.
func fill(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var more int
		more, err = r.Read(b[n:])
		n += more
	}
	return n, err
}

// whole joins the pieces.
func (in *intake) whole(size int) ([]byte, error) {
	if size <= chunkBytes {
		return in.pieces[0][:size], nil
	}
	if err := in.charge(int64(size)); err != nil {
		return nil, err
	}
	body := make([]byte, 0, size)
	for _, piece := range in.pieces {
		body = append(body, piece[:min(size-len(body), chunkBytes)]...)
	}
	in.giveUpPieces()
	in.budget.Give(in.held - int64(size))
	in.held = int64(size)
	return body, nil
}

func (in *intake) charge(n int64) error {
	if !in.budget.Take(in.lane, n, in.patience) {
		return errNoMemory
	}
	in.held += n
	return nil
}

// close gives everything back; the body must not be used any more.
func (in *intake) close() {
	in.giveUpPieces()
	in.budget.Give(in.held)
	in.held = 0
}

func (in *intake) giveUpPieces() {
	for _, piece := range in.pieces {
		chunks.Put(piece)
	}
	in.pieces = nil
}
