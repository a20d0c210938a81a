package replica

import (
	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
)

// locks are the locks of the partition's items that are performed, by their engine keys, so that no write looks into the
// store for one that mostly is not there. There are as many as transactions under way have taken.
//
// They are followed from a moment at which there were none, and not read from the store: a copy that begins amid locks
// looks for them there until those are gone.
type locks struct {
	held map[string][]byte
	// known tells that held is all there are.
	known bool
}

// begin takes over from what was certain before.
func (l *locks) begin(state *machine.Part) {
	if state.Applied.Locks == 0 {
		l.held, l.known = nil, true
		return
	}
	l.known = l.known && int64(len(l.held)) == state.Applied.Locks
}

// forget is for a state of which it is not known what led to it.
func (l *locks) forget() { l.held, l.known = nil, false }

// performed follows a batch that led from one state to the next.
func (l *locks) performed(b *machine.Batch, state *machine.Part) {
	if !l.known || len(l.held) == 0 && state.Applied.Locks == 0 {
		l.begin(state)
		return
	}
	for _, w := range b.Writes {
		switch {
		case keys.Space(w.Key[0]) != keys.SpaceLock:
		case w.Value == nil:
			delete(l.held, string(w.Key))
		default:
			if l.held == nil {
				l.held = map[string][]byte{}
			}
			l.held[string(w.Key)] = w.Value
		}
	}
	if b.Kind == machine.Splits {
		l.leave(state)
	}
	l.begin(state)
}

// leave lets go of the locks that went to the other half of a split.
func (l *locks) leave(state *machine.Part) {
	own := len(keys.Prefix(keys.SpaceLock, state.Descriptor.Table))
	for key := range l.held {
		if !state.Descriptor.Bounds.Holds([]byte(key[own:])) {
			delete(l.held, key)
		}
	}
}

// find finds a lock, if it is certain whether there is one; other keys are none of its business.
func (l *locks) find(key []byte) (value []byte, certain bool) {
	if !l.known || keys.Space(key[0]) != keys.SpaceLock {
		return nil, false
	}
	return l.held[string(key)], true
}
