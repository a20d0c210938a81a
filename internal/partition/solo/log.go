// Package solo is a log kept by one copy alone: a batch is agreed once the engine has synced it. It does not know what a
// batch means.
package solo

import (
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
)

// Log is the log of one partition. All logs of a node share its Committer.
type Log struct {
	committer *Committer
	copy      replica.Copy
}

// NewLog returns a log that commits through c. Keep must be called before the first Append.
func NewLog(c *Committer) *Log { return &Log{committer: c} }

// Keep names the copy this log keeps, and makes it lead: alone, it always does.
func (l *Log) Keep(copy replica.Copy, state machine.Part) {
	l.copy = copy
	copy.Lead(machine.SoloEpoch, state)
}

// Append queues b for the next engine commit.
func (l *Log) Append(b machine.Batch, done func(replica.Outcome)) {
	l.committer.add(entry{log: l, batch: b, done: done})
}

// Barrier has nothing to wait for: there is no other copy that could have decided meanwhile. What is decided here and
// not durable is held back by the in-flight set.
func (l *Log) Barrier(done func(error)) { done(nil) }

// Position is none: there is no other copy that could be behind.
func (l *Log) Position() (performed, begun uint64) { return 0, 0 }
