package router

import "sync"

// leadersMax bounds the partitions whose leader is remembered; with one more, all are forgotten and found again.
const leadersMax = 1 << 16

// leaders remembers which other node led a partition last. It may be wrong: the copies know.
type leaders struct {
	mu    sync.RWMutex
	nodes map[uint64]uint64
}

func (l *leaders) of(partition uint64) uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.nodes[partition]
}

// set remembers a leader. It mostly finds it there.
func (l *leaders) set(partition, node uint64) {
	if l.of(partition) == node {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nodes == nil || len(l.nodes) >= leadersMax {
		l.nodes = map[uint64]uint64{}
	}
	l.nodes[partition] = node
}

// forget lets go of a leader that did not answer as one, if another has not been found meanwhile.
func (l *leaders) forget(partition, node uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nodes[partition] == node {
		delete(l.nodes, partition)
	}
}
