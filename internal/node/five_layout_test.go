package node_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"sync"
	"testing"

	"stator/internal/cluster/catalog"
	"stator/internal/jobs/rebalance"
	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// evenMax is by how much the nodes of a zone may differ in replicas, and all nodes in partitions that they lead.
const evenMax = 2

// placement: the replicas of each partition come to be in three zones, and are even within a zone, as leaders are over all.
func (f *five) placement(t *testing.T) {
	await(t, func() string { return f.unevenness(t) })
	if count := len(f.partitions()); count != fivePartitions {
		t.Errorf("%d partitions", count)
	}
}

func (f *five) unevenness(t *testing.T) string {
	replicas, leads := map[int]int{}, map[int]int{}
	for _, p := range f.layout(t) {
		zones := map[string]bool{}
		if p.Leader != 0 {
			leads[f.place(p.Leader)]++
		}
		for _, r := range p.Replicas {
			zones[fiveZones[f.place(r.Node)]] = true
			if p.Table == "things" {
				replicas[f.place(r.Node)]++
			}
		}
		switch {
		case p.Table != "things":
			continue
		case p.Leader == 0 || len(p.Replicas) != fiveReplicas || len(zones) != fiveReplicas:
			return fmt.Sprintf("partition %d has %+v, led by %d", p.ID, p.Replicas, p.Leader)
		}
	}
	for i := range f.nodes {
		for k := range i {
			if fiveZones[i] == fiveZones[k] && abs(replicas[i]-replicas[k]) > evenMax || abs(leads[i]-leads[k]) > evenMax {
				return fmt.Sprintf("the nodes have %v replicas and lead %v partitions", replicas, leads)
			}
		}
	}
	return ""
}

func abs(n int) int { return max(n, -n) }

// routing: an item of every partition is written, read strongly and read at all, at each node without a replica of it.
func (f *five) routing(t *testing.T) {
	for _, p := range f.partitions() {
		pk, outside := keysIn(p, 1)[0], f.outside(p)
		if len(outside) != len(f.nodes)-fiveReplicas {
			t.Fatalf("partition %d is nowhere but on %v, and not at %v", p.ID, p.Members, outside)
		}
		for n, i := range outside {
			value := fmt.Sprintf("of node %d", i)
			call(t, f.calls[i], "PutItem", putBody(pk, value))
			f.shows(t, i, pk, value)
			f.shows(t, outside[1-n], pk, value)
			comes(t, f.calls[i], dynamo+"GetItem", getBody(pk, false), value)
		}
	}
}

// oldMaps: a node that has not heard of a move or a split finds what it looks for all the same.
func (f *five) oldMaps(t *testing.T) {
	p, leader := f.led(t)
	held := keysIn(p, 20)
	left, right := held[0], held[10]
	for _, pk := range []string{left, right} {
		call(t, f.calls[0], "PutItem", putBody(pk, "old"))
	}
	at := f.outside(p)[0]
	moved, _ := f.nodes[at].Behind(f.table.ID)
	behind := func(pk string) *command.Command {
		item := attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String(pk)}, {Name: "value", Value: attr.String("new")}})
		return &command.Command{Action: command.Put, Table: f.table.ID, TableVersion: f.table.Version, Key: suffixOf(pk), Item: item}
	}
	get := command.Get{Table: f.table.ID, TableVersion: f.table.Version, Key: suffixOf(left), Strong: true}
	if _, err := moved.Read(t.Context(), get); err != nil {
		t.Fatal(err)
	}
	f.exchange(t, p, leader)
	if _, err := moved.Write(t.Context(), behind(left)); err != nil {
		t.Errorf("after its leader moved away: %v", err)
	}
	f.shows(t, at, left, "new")
	split, told := f.nodes[at].Behind(f.table.ID)
	if _, err := f.nodes[at].Split(t.Context(), "things", suffixOf(right)[:keys.TokenBytes]); err != nil {
		t.Fatal(err)
	}
	get.Key = suffixOf(right)
	if _, err := split.Read(t.Context(), get); err != nil || !told() {
		t.Errorf("after a split the map is known to be old: %t, %v", told(), err)
	}
	if _, err := split.Write(t.Context(), behind(right)); err != nil {
		t.Error(err)
	}
	f.shows(t, at, right, "new")
}

// led is a partition that is led by a node which is not alone in its zone, and where that is.
func (f *five) led(t *testing.T) (p catalog.Partition, leader int) {
	t.Helper()
	for _, p := range f.partitions() {
		if leader := f.leader(t, p.ID); leader < len(f.nodes)-1 {
			return p, leader
		}
	}
	t.Fatal("one node leads all")
	return p, 0
}

// exchange moves the replica of a partition from one node to the other one of its zone, and that of another partition the
// other way, so that no node has more than before.
func (f *five) exchange(t *testing.T, p catalog.Partition, from int) {
	t.Helper()
	to, back := from^1, uint64(0)
	for _, other := range f.partitions() {
		if f.nodes[to].Holds(other.ID) && !f.nodes[from].Holds(other.ID) {
			back = other.ID
		}
	}
	f.tell(t, rebalance.Question{Verb: rebalance.VerbMove, Partition: p.ID, From: f.nodes[from].ID(), To: f.nodes[to].ID()})
	f.tell(t, rebalance.Question{Verb: rebalance.VerbMove, Partition: back, From: f.nodes[to].ID(), To: f.nodes[from].ID()})
	await(t, func() string {
		if f.nodes[from].Holds(p.ID) || !f.nodes[to].Holds(p.ID) || f.nodes[to].Holds(back) || !f.nodes[from].Holds(back) {
			return fmt.Sprintf("the replicas of %d and %d did not change places", p.ID, back)
		}
		return ""
	})
}

// moves: of what is written while the replica that leads moves away, nothing is lost, nothing stays behind, and the replicas
// come to be the same.
func (f *five) moves(t *testing.T) {
	const writers, keysEach = 4, 10
	p, from := f.led(t)
	held := keysIn(p, writers*keysEach)
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	var stored [writers]map[string]string
	for w := range stored {
		stored[w] = map[string]string{}
		writing.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				pk, value := held[writers*(n%keysEach)+w], fmt.Sprint("write ", n)
				if err := f.store(n%len(f.nodes), pk, value); err != nil {
					t.Error(err)
					return
				}
				stored[w][pk] = value
			}
		})
	}
	f.exchange(t, p, from)
	stop()
	writing.Wait()
	for w := range stored {
		for pk, value := range stored[w] {
			f.shows(t, from, pk, value)
		}
	}
	if rows, _ := f.rows(t, from, append(f.spansOf(p), rangeOf(keys.SpaceRaft, p.ID, command.Bounds{}))); rows > 0 {
		t.Errorf("the node that had it still holds %d rows", rows)
	}
	tombstone := binary.BigEndian.AppendUint64(keys.Node("tombstone/"), p.ID)
	if _, stands, err := f.nodes[from].Engine().Get(tombstone); err != nil || !stands {
		t.Errorf("no tombstone stands where it was: %v", err)
	}
	await(t, func() string { return f.difference(t, f.partition(p.ID)) })
}

// difference tells how the replicas of a partition differ.
func (f *five) difference(t *testing.T, p catalog.Partition) string {
	rows, sums := map[int]bool{}, map[uint32]bool{}
	for _, node := range memberNodes(p) {
		count, sum := f.rows(t, f.place(node), f.spansOf(p))
		rows[count], sums[sum] = true, true
	}
	if len(sums) != 1 || rows[0] {
		return fmt.Sprintf("the replicas on %v hold %v rows of sums %v", memberNodes(p), rows, sums)
	}
	return ""
}

// spansOf are the places of all that the replicas of a partition have alike.
func (f *five) spansOf(p catalog.Partition) (spans []span) {
	for _, space := range []keys.Space{keys.SpaceData, keys.SpaceLocalIndex, keys.SpaceLock, keys.SpaceSize, keys.SpaceTransaction} {
		spans = append(spans, rangeOf(space, f.table.ID, p.Bounds))
	}
	for _, space := range []keys.Space{keys.SpaceLog, keys.SpaceExpiry, keys.SpacePart} {
		spans = append(spans, rangeOf(space, p.ID, command.Bounds{}))
	}
	return spans
}

type span struct{ lower, upper []byte }

func rangeOf(space keys.Space, id uint64, within command.Bounds) (s span) {
	s.lower, s.upper = keys.Span(space, id, within.Lower, within.Upper)
	return s
}

// rows counts and sums up what a node has in some places.
func (f *five) rows(t *testing.T, place int, spans []span) (count int, sum uint32) {
	t.Helper()
	snapshot := f.nodes[place].Engine().Snapshot()
	defer snapshot.Close()
	for _, s := range spans {
		it, err := snapshot.Iter(s.lower, s.upper)
		if err != nil {
			t.Fatal(err)
		}
		for ok := it.First(); ok; ok = it.Next() {
			value, err := it.Value()
			if err != nil {
				t.Fatal(err)
			}
			sum = crc32.Update(crc32.Update(sum, crc32.IEEETable, it.Key()), crc32.IEEETable, value)
			count++
		}
		if err := it.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return count, sum
}
