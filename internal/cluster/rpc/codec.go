package rpc

import (
	"fmt"

	"google.golang.org/grpc/mem"
)

// packet is what gRPC carries: bytes as they are.
type packet struct {
	bytes []byte
	// pooled is set instead of bytes where they go back to pool once they are on the wire.
	pooled *[]byte
}

var pool = mem.DefaultBufferPool()

// codec hands packets through, so that there is no second encoding below the one in frame.go.
type codec struct{}

func (codec) Name() string { return "stator" }

func (codec) Marshal(v any) (mem.BufferSlice, error) {
	p, ok := v.(*packet)
	if !ok {
		return nil, fmt.Errorf("%T is no packet", v)
	}
	if p.pooled != nil {
		return mem.BufferSlice{mem.NewBuffer(p.pooled, pool)}, nil
	}
	return mem.BufferSlice{mem.SliceBuffer(p.bytes)}, nil
}

// Unmarshal copies the message once, into memory that belongs to whoever gets it: entries, and what is parsed out of
// them, point into it.
func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	p, ok := v.(*packet)
	if !ok {
		return fmt.Errorf("%T is no packet", v)
	}
	p.bytes = data.Materialize()
	return nil
}
