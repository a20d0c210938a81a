package routertest

import (
	"slices"
	"sync"
	"sync/atomic"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
)

// group is one partition's copies and the log between them, which agrees at once: a batch that the leader appends is
// performed on every copy that does not lag.
type group struct {
	cluster *Cluster
	leader  atomic.Uint64

	mu     sync.Mutex // held while a batch is performed, and while the leader changes
	epoch  uint64
	copies map[uint64]*member
	state  machine.Part
	// batches counts those that were performed.
	batches uint64
}

// member is the copy on one node.
type member struct {
	node    *Node
	replica *replica.Replica
	wake    chan struct{}
	ended   chan struct{} // closed when nothing is stepped any more; what wakes the copy then is passed over
	lagging bool
	behind  []machine.Batch
	// batches counts those that this copy has performed.
	batches *atomic.Uint64
}

// log is a group as one of its copies sees it.
type log struct {
	group   *group
	node    uint64
	batches *atomic.Uint64
}

// Append performs a batch of the leader everywhere.
func (l log) Append(b machine.Batch, done func(replica.Outcome)) {
	g := l.group
	g.mu.Lock()
	if g.leader.Load() != l.node || b.Epoch != g.epoch {
		g.mu.Unlock()
		done(replica.Rejected)
		return
	}
	g.state = b.After
	g.batches++
	for _, m := range g.copies {
		if m.lagging {
			m.behind = append(m.behind, b)
		} else {
			m.perform(b)
		}
	}
	g.mu.Unlock()
	if b.Child != nil {
		g.cluster.divide(g, *b.Child)
	}
	done(replica.Performed)
}

// Barrier is passed by the leader alone.
func (l log) Barrier(done func(error)) {
	if leader := l.group.leader.Load(); leader != l.node {
		done(&command.NotLeader{Hint: leader})
		return
	}
	done(nil)
}

// Position is one more than the batches that the copy has performed.
func (l log) Position() (performed, begun uint64) {
	index := l.batches.Load() + 1
	return index, index
}

func (m *member) perform(b machine.Batch) {
	apply(m.node.engine, &b)
	m.batches.Add(1)
	m.replica.Performed(b, b.After)
}

// apply brings a batch into an engine.
func apply(e *engine.Engine, b *machine.Batch) {
	batch := e.NewBatch()
	defer batch.Close()
	b.Fill(batch)
	if err := e.Commit(batch, false); err != nil {
		panic(err)
	}
}

// join gives a node its copy, which steps whenever it is woken.
func (g *group) join(n *Node, state machine.Part) {
	m := &member{node: n, wake: make(chan struct{}, 1), ended: make(chan struct{}), batches: new(atomic.Uint64)}
	m.batches.Store(g.batches)
	partition := state.Descriptor.Partition
	m.replica = replica.New(replica.Options{
		Partition: partition, Engine: n.engine, Log: log{group: g, node: n.ID, batches: m.batches}, NowMillis: n.cluster.NowMillis,
		Wake: func() {
			select {
			case m.wake <- struct{}{}:
			default:
			}
		},
		Performed: n.performed,
		Broken:    func(err error) { n.cluster.tb.Errorf("partition %d on node %d is broken: %v", partition, n.ID, err) },
	})
	apply(n.engine, &machine.Batch{Writes: state.Writes()})
	m.replica.Replaced(state)
	m.replica.Follow(0)
	g.copies[n.ID] = m
	n.cluster.running.Go(func() {
		for {
			select {
			case <-m.wake:
				for m.replica.Step() {
					continue
				}
			case <-m.ended:
				return
			}
		}
	})
}

// lead makes a node's copy decide, in a new epoch; 0 is none.
func (g *group) lead(node uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.epoch++
	g.leader.Store(node)
	for _, id := range g.nodes() {
		if m := g.copies[id]; id == node {
			m.catchUp()
			m.replica.Lead(g.epoch, g.state)
		} else {
			m.replica.Follow(node)
		}
	}
}

func (m *member) catchUp() {
	for _, b := range m.behind {
		m.perform(b)
	}
	m.behind, m.lagging = nil, false
}

func (g *group) nodes() []uint64 {
	var nodes []uint64
	for id := range g.copies {
		nodes = append(nodes, id)
	}
	slices.Sort(nodes)
	return nodes
}
