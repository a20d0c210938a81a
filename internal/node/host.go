package node

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"stator/internal/cluster/catalog"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/partition/solo"
	"stator/internal/storage/keys"
)

// host keeps the replicas of this node.
type host struct {
	node *Node
	mu   sync.Mutex // held by whoever changes replicas
	// replicas is replaced whole, so that a request finds its replica without a lock.
	replicas atomic.Pointer[map[uint64]*replica.Replica]
}

// newHost returns a host without replicas. It may be asked at once: a snapshot may come before the store's own partitions are up.
func newHost(n *Node) *host {
	h := &host{node: n}
	h.replicas.Store(&map[uint64]*replica.Replica{})
	return h
}

// Replica finds the replica of a partition.
func (h *host) Replica(partition uint64) (*replica.Replica, bool) {
	r, ok := (*h.replicas.Load())[partition]
	return r, ok
}

// Led finds the replica of a partition if it leads.
func (h *host) Led(partition uint64) (*replica.Replica, bool) {
	r, ok := h.Replica(partition)
	if !ok {
		return nil, false
	}
	leads, _ := r.Leads()
	return r, leads
}

// leadsCatalog tells whether the catalog is led here, and with it the work of which there is one in a cluster.
func (n *Node) leadsCatalog() bool {
	_, leads := n.host.Led(machine.CatalogPartition)
	return leads
}

// all lists the replicas.
func (h *host) all() map[uint64]*replica.Replica { return *h.replicas.Load() }

// partitions lists in order those of which a replica is here.
func (h *host) partitions() []uint64 { return slices.Sorted(maps.Keys(h.all())) }

// open starts every partition the store holds, and in a new store the catalog's.
func (h *host) open() error {
	ids, err := replica.Stored(h.node.engine)
	if err != nil {
		return err
	}
	if len(ids) == 0 && h.node.first() {
		if err := h.birthOfCatalog(); err != nil {
			return err
		}
		ids = []uint64{machine.CatalogPartition}
	}
	if c := h.node.cluster; c != nil {
		if err := c.convert(ids); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if err := h.Start(id); err != nil && !h.node.setAside(id, err) {
			return err
		}
	}
	return nil
}

func (h *host) birthOfCatalog() error {
	system := catalog.SystemTable()
	part := machine.Born(machine.CatalogPartition, system.ID, catalog.EvenPartitions(1, machine.CatalogPartition)[0].Bounds)
	part.Table = system
	return solo.Birth(h.node.engine, []machine.Part{part}, true)
}

// Start brings up a partition whose state is durable; one that is up stays as it is.
func (h *host) Start(partition uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, up := h.Replica(partition); up {
		return nil
	}
	state, found, err := machine.Load(h.node.engine, partition)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("partition %d has no state in this store", partition)
	}
	log, err := h.log(partition)
	if err != nil {
		return err
	}
	t := &task{pool: h.node.executors}
	options := replica.Options{
		Partition: partition, Engine: h.node.engine, Log: log, Wake: t.wake, Queued: t.queued, NowMillis: h.node.nowMillis,
		Steady: h.node.counted(partition), Bounded: h.node.options.Capacity == CapacityEnforce,
		Ordered:   h.node.cluster == nil, // by the engine's own log
		Performed: h.node.performed,
		Broken:    func(err error) { h.node.broken(partition, err) },
	}
	if c := h.node.cluster; c != nil {
		options.Led = c.led
	}
	t.replica = replica.New(options)
	log.Keep(t.replica, state)
	next := maps.Clone(h.all())
	next[partition] = t.replica
	h.replicas.Store(&next)
	if h.node.damaged.has(partition) {
		t.replica.Stop() // it was found to be so before it could be found here
	}
	h.node.expects(state, 0)
	if state.Unfed() > 0 {
		h.node.feeds.add(partition)
	}
	return nil
}

// keeper is a log before it has its copy.
type keeper interface {
	replica.Log
	Keep(copy replica.Copy, state machine.Part)
}

// log is what keeps a partition here: the engine's own where the node is alone, else the partition's group.
func (h *host) log(partition uint64) (keeper, error) {
	if h.node.cluster == nil {
		return solo.NewLog(h.node.committer), nil
	}
	return h.node.cluster.open(partition)
}

// Birth makes partitions that never existed here.
func (h *host) Birth(tableID uint64, partitions []catalog.Partition) error {
	parts := make([]machine.Part, len(partitions))
	for i, p := range partitions {
		parts[i] = machine.Born(p.ID, tableID, p.Bounds)
	}
	if c := h.node.cluster; c != nil {
		return c.birth(parts, partitions)
	}
	if err := solo.Birth(h.node.engine, parts, !h.node.options.InMemory); err != nil {
		return err
	}
	for _, p := range partitions {
		if err := h.Start(p.ID); err != nil {
			return err
		}
	}
	return nil
}

// Drop stops partitions, then removes them with all their table's ranges.
func (h *host) Drop(tableID uint64, partitions []catalog.Partition) error {
	for _, r := range h.take(partitions) {
		r.Stop()
	}
	batch := h.node.engine.NewBatch()
	defer batch.Close()
	drop := func(prefix []byte) { batch.DeleteRange(prefix, keys.SuccessorPrefix(prefix)) }
	for _, space := range keys.ByTable {
		drop(keys.Prefix(space, tableID))
	}
	for _, p := range partitions {
		for _, space := range keys.ByPartition {
			drop(keys.Prefix(space, p.ID))
		}
	}
	if err := h.node.engine.Commit(batch, !h.node.options.InMemory); err != nil {
		return fmt.Errorf("dropping table %d: %w", tableID, err)
	}
	for _, p := range partitions {
		h.node.damaged.gone(p.ID)
	}
	return nil
}

// take removes partitions from those that serve.
func (h *host) take(partitions []catalog.Partition) []*replica.Replica {
	h.mu.Lock()
	defer h.mu.Unlock()
	var taken []*replica.Replica
	next := maps.Clone(h.all())
	for _, p := range partitions {
		if r, ok := next[p.ID]; ok {
			taken = append(taken, r)
			delete(next, p.ID)
		}
	}
	h.replicas.Store(&next)
	return taken
}

func (h *host) stop() {
	for _, r := range h.all() {
		r.Stop()
	}
}
