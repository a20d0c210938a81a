//go:build !unix

package engine

func mapBytes(size int) []byte { return make([]byte, size) }

func unmapBytes([]byte) {}
