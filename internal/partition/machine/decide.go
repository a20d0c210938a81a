package machine

import (
	"fmt"

	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// FeedAgeMillisMax is how long after it was sent a feed may be performed: tombstones are kept ten minutes, so that
// nothing older than one can still be under way when it goes.
const FeedAgeMillisMax = 60_000

// UnfedBytesMax is how many bytes of changes may wait for the table's indexes before writes are throttled.
const UnfedBytesMax = 1 << 30

// BatchBytesMax is how much a pass writes: the command that brings it there is its last. What commands bring says little of
// it, as the update of one attribute writes its whole item, and a change with two of them.
const BatchBytesMax = 4 << 20

// Decide answers commands in order, each over what the ones before it wrote, and returns the one batch that makes it so.
// Those behind BatchBytesMax have no answer: they are left for the next pass. nowMillis is the leader's clock. An error is
// *Unread, a fault of the view: nothing was decided.
func Decide(state Part, nowMillis int64, view View, commands []*command.Command) (Batch, []Answer, error) {
	d := decision{
		part: state, recorded: state.Applied.Sequence, nowMillis: nowMillis, view: view, writes: make([]Write, 0, 2*len(commands)+1),
	}
	answers := make([]Answer, 0, len(commands))
	for i, c := range commands {
		if d.bytes >= BatchBytesMax {
			break
		}
		answer, err := d.decide(c)
		if err != nil {
			return Batch{}, nil, &Unread{At: i, Cause: fmt.Errorf("deciding for partition %d: %w", state.Descriptor.Partition, err)}
		}
		answer.Result.Sequence = d.part.Applied.Sequence
		answers = append(answers, answer)
	}
	return d.batch(state), answers, nil
}

// Unread tells that what the command at a place has to know could not be read.
type Unread struct {
	At    int
	Cause error
}

func (e *Unread) Error() string { return e.Cause.Error() }
func (e *Unread) Unwrap() error { return e.Cause }

// decision is one pass over a queue.
type decision struct {
	part      Part
	nowMillis int64
	view      View
	writes    []Write
	ranges    []Range
	// bytes is the size of the values among writes.
	bytes int
	// at maps a written engine key to its place in writes.
	at      map[string]int
	changes int
	// due is the earliest second under which the pass wrote an entry of expiry, 0 for none.
	due uint64
	// recorded is the last change of the log before this pass.
	recorded uint64
	// ownsLocal tells that the statistics' map of local indexes is this decision's own copy.
	ownsLocal bool
	// corrected tells that only the statistics were written.
	corrected bool
}

// Get reads through what this pass wrote.
func (d *decision) Get(key []byte) ([]byte, bool, error) {
	if i, ok := d.at[string(key)]; ok {
		value := d.writes[i].Value
		return value, value != nil, nil
	}
	return d.view.Get(key)
}

// Head is Get for a caller who looks at an item's head only.
func (d *decision) Head(key []byte) ([]byte, bool, error) {
	if i, ok := d.at[string(key)]; ok {
		value := d.writes[i].Value
		return value, value != nil, nil
	}
	return d.view.Head(key)
}

// put and delete remember the place of a key, and a second write of it takes the first one's: a batch names a key once.
func (d *decision) put(key, value []byte) {
	d.bytes += len(value)
	if i, ok := d.at[string(key)]; ok {
		d.bytes -= len(d.writes[i].Value)
		d.writes[i].Value = value
		return
	}
	if d.at == nil {
		d.at = make(map[string]int, cap(d.writes))
	}
	d.at[string(key)] = len(d.writes)
	d.writes = append(d.writes, Write{Key: key, Value: value})
}

func (d *decision) delete(key []byte) { d.put(key, nil) }

func (d *decision) decide(c *command.Command) (Answer, error) {
	switch c.Action {
	case command.Put, command.Update, command.Delete:
		return d.writeItem(c)
	case command.Expire:
		return d.expire(c)
	case command.Rebuild:
		return d.rebuild(c)
	case command.Feed:
		return d.feed(c)
	case command.Sweep:
		return d.sweep(c)
	case command.Correct:
		return d.correct(c), nil
	case command.Consume:
		return d.consume(c), nil
	case command.Progress:
		if c.Generation != d.part.Descriptor.Generation {
			return Answer{Err: StaleRoute(d.part.Descriptor)}, nil
		}
		progress := c.Backfill
		progress.Since = d.part.Backfills[c.Index].Since
		d.part = d.part.withBackfill(c.Index, progress)
		write := partJSON(d.part.Descriptor.Partition, nameBackfills, d.part.Backfills)
		d.put(write.Key, write.Value)
		return Answer{}, nil
	}
	if c.Transaction != nil {
		return d.transaction(c)
	}
	return Answer{}, fmt.Errorf("action %d does not belong in a queue", c.Action)
}

// nextVersion gives the version of a write: above every earlier one, and near the clock.
func (d *decision) nextVersion() uint64 {
	version := command.VersionAt(d.nowMillis)
	if version <= d.part.Applied.VersionMax {
		version = d.part.Applied.VersionMax + 1
	}
	d.part.Applied.VersionMax = version
	return version
}

// brought takes note of a version that was given elsewhere: those given here from now on are above it.
func (d *decision) brought(version uint64) {
	d.part.Applied.VersionMax = max(d.part.Applied.VersionMax, version)
}

// routed refuses a command that was planned with another table or for another range than the partition has.
func (d *decision) routed(c *command.Command, key []byte) error {
	if !d.part.Descriptor.Bounds.Holds(key) || c.Table != d.part.Descriptor.Table {
		return StaleRoute(d.part.Descriptor)
	}
	if d.part.Table == nil {
		return &command.StaleTable{}
	}
	if c.TableVersion != d.part.Table.Version {
		return &command.StaleTable{Have: d.part.Table.Version}
	}
	return nil
}

// StaleRoute is the refusal that tells a router what the partition does hold.
func StaleRoute(d Descriptor) error {
	return &command.StaleRoute{Partition: d.Partition, Generation: d.Generation, Have: d.Bounds}
}

// batch closes the pass. A pass that wrote nothing has no place in the chain.
func (d *decision) batch(before Part) Batch {
	b := Batch{
		Kind:       Writes,
		Epoch:      before.Applied.Epoch,
		Generation: before.Descriptor.Generation,
		Writes:     d.writes,
		Ranges:     d.ranges,
		Changes:    d.changes,
		Due:        d.due,
	}
	if b.Empty() && !d.corrected {
		b.After = before
		return b
	}
	d.part.Applied.Chain++
	b.Chain, b.After = d.part.Applied.Chain, d.part
	b.Writes = append(b.Writes, Write{
		Key:   keys.Part(d.part.Descriptor.Partition, nameApplied),
		Value: d.part.Applied.append(nil),
	})
	return b
}
