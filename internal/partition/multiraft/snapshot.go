package multiraft

import (
	"errors"
	"fmt"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// snapshot is what the raft library asks for when its log does not reach back to what a replica has. It is of what is
// performed now, and cut in the same pass, before anything more is.
func (g *Group) snapshot() (*raftpb.Snapshot, error) {
	h := g.host
	if h.options.SendSnapshot == nil || g.young() || !h.departures.room(g.id, h.options.Now()) {
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	index, term := g.at.index, g.at.term
	return &raftpb.Snapshot{Metadata: &raftpb.SnapshotMetadata{ConfState: g.confState(), Index: &index, Term: &term}}, nil
}

// sendSnapshot freezes the state that a message speaks of and has it sent. What cannot be sent is told to the library once
// it is through with this pass.
func (g *Group) sendSnapshot(m *raftpb.Message) {
	if err := g.depart(m); err != nil {
		g.unsent = append(g.unsent, m.GetTo())
	}
}

func (g *Group) depart(m *raftpb.Message) error {
	h, to := g.host, m.GetTo()
	node, known := g.peers.node(to)
	if !known {
		return fmt.Errorf("replica %d of partition %d lies on no node", to, g.id)
	}
	index := m.GetSnapshot().GetMetadata().GetIndex()
	if !h.departures.add(departure{group: g.id, replica: to, index: index}, h.options.Now()) {
		return fmt.Errorf("%d snapshots are on their way", departuresMax)
	}
	out, header, err := g.cut(m, node)
	if err != nil {
		h.departures.end(g.id, to, true, h.options.Now())
		return err
	}
	h.options.SendSnapshot(node, header, out)
	return nil
}

// cut freezes the state at the position that the message names.
func (g *Group) cut(m *raftpb.Message, node uint64) (*Outgoing, []byte, error) {
	body, err := proto.Marshal(m)
	if err != nil {
		return nil, nil, err
	}
	out, header, err := newOutgoing(g.host.options.Engine, g.id)
	if err != nil {
		return nil, nil, err
	}
	meta := m.GetSnapshot().GetMetadata()
	if want := (mark{index: meta.GetIndex(), term: meta.GetTerm()}); out.at != want {
		err := fmt.Errorf("partition %d is at %v and its snapshot was to be of %v", g.id, out.at, want)
		return nil, nil, errors.Join(err, out.close())
	}
	envelope := Message{
		Group: g.id, FromNode: g.host.options.Node, ToNode: node, From: g.replica, To: m.GetTo(), Body: body,
	}
	header.message = AppendMessage(nil, &envelope)
	out.host, out.group, out.replica = g.host, g.id, m.GetTo()
	data, err := header.append(nil)
	if err != nil {
		return nil, nil, errors.Join(err, out.close())
	}
	return out, data, nil
}

// youngTicks is for how long a group that still begins at its birth sends no snapshots: a replica that has nothing will
// mostly be born in a moment, by a split or with its table.
const youngTicks = 60

func (g *Group) young() bool { return g.age.ticks < youngTicks && g.log.truncated.index == birthIndex }

// snapshotDone takes note of the end of a snapshot.
func (h *Host) snapshotDone(group, replica uint64, err error) {
	h.departures.end(group, replica, err != nil, h.options.Now())
	if g := h.group(group); g != nil {
		g.inbox.request(func() { g.reportSnapshot(replica, err == nil) })
	}
}

// reportSnapshot lets the library go on with a replica.
func (g *Group) reportSnapshot(replica uint64, arrived bool) {
	if g.node == nil {
		return
	}
	status := raft.SnapshotFailure
	if arrived {
		status = raft.SnapshotFinish
	}
	g.node.ReportSnapshot(replica, status)
}

// reportUnsent tells the library of the snapshots that this pass could not send.
func (g *Group) reportUnsent() {
	for _, replica := range g.unsent {
		g.reportSnapshot(replica, false)
	}
	g.unsent = g.unsent[:0]
}

// snapshotsFrom is the position of the oldest snapshot that this replica is sending.
func (g *Group) snapshotsFrom() (index uint64, sending bool) { return g.host.departures.oldest(g.id) }
