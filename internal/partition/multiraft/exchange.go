package multiraft

import (
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"stator/internal/storage/engine"
)

// exchange carries out what the raft library asks of the groups that this pass is about. The order is the protocol's:
//
//   - appends and heartbeats leave at once: the leader's own disk works while they travel;
//   - entries, terms and votes of all groups become durable in one synced commit;
//   - then leave votes and acknowledgements, which promise exactly that;
//   - what a quorum has is performed in one commit that need not be synced: the raft log has it all;
//   - then everything is answered.
func (w *worker) exchange() {
	for _, g := range w.touched {
		g.guard(g.begin)
	}
	if !w.keep() {
		return
	}
	for _, g := range w.touched {
		if g.ready != nil {
			g.sendLate()
		}
	}
	if !w.perform() {
		return
	}
	for _, g := range w.touched {
		if g.ready != nil {
			g.guard(g.end)
		}
		g.arrived()
	}
}

// begin asks the library what there is to do, and sends what may leave before anything is durable.
func (g *Group) begin() {
	if g.node == nil {
		return
	}
	if !g.node.HasReady() {
		g.resume()
		return
	}
	rd := g.node.Ready()
	g.ready = &rd
	for _, m := range rd.Messages {
		if early(&rd, m) {
			g.send(m)
		}
	}
}

// early tells whether a message may leave before what goes with it is durable. Acknowledgements and votes may not. Neither
// may a candidate ask for votes: after a crash it could ask again in the same term with a shorter log, and take an answer
// that was given for the longer one. A response to a heartbeat promises nothing but that the sender's term was known,
// unless the term is new.
func early(rd *raft.Ready, m *raftpb.Message) bool {
	switch m.GetType() {
	case raftpb.MsgAppResp, raftpb.MsgVoteResp, raftpb.MsgPreVoteResp, raftpb.MsgVote, raftpb.MsgPreVote:
		return false
	case raftpb.MsgHeartbeatResp:
		return !rd.MustSync || len(rd.Entries) > 0 && raft.IsEmptyHardState(rd.HardState)
	}
	return true
}

func (g *Group) sendLate() {
	for _, m := range g.ready.Messages {
		if !early(g.ready, m) {
			g.send(m)
		}
	}
}

// send gives a message to the network. What cannot be sent is reported to the library once it is through with this pass.
func (g *Group) send(m *raftpb.Message) {
	to := m.GetTo()
	if m.GetType() == raftpb.MsgSnap {
		g.sendSnapshot(m)
		return
	}
	body, err := proto.Marshal(m)
	if err != nil {
		panic(err) // the library made it
	}
	appends := m.GetType() == raftpb.MsgApp
	if !g.post(to, Message{Kept: g.truncation.kept, InOrder: appends, Body: body}) && appends {
		g.unreachable = append(g.unreachable, to)
	}
}

// post puts a message into its envelope; false tells that it did not leave.
func (g *Group) post(to uint64, m Message) bool {
	node, known := g.peers.node(to)
	m.Group, m.FromNode, m.ToNode, m.From, m.To = g.id, g.host.options.Node, node, g.replica, to
	return known && g.host.options.Send(node, m)
}

// keep makes durable what must be before votes and acknowledgements leave.
func (w *worker) keep() bool {
	c := commit{host: w.host}
	for _, g := range w.touched {
		if g.ready == nil || len(g.ready.Entries) == 0 && raft.IsEmptyHardState(g.ready.HardState) {
			continue
		}
		c.sync = c.sync || g.ready.MustSync
		g.guard(func() { g.persist(c.batch()) })
		c.bound()
	}
	return c.end()
}

func (g *Group) persist(to *engine.Batch) {
	if !raft.IsEmptySnap(g.ready.Snapshot) && !g.takeOver() {
		return
	}
	g.log.append(to, g.ready.Entries)
	if !raft.IsEmptyHardState(g.ready.HardState) {
		g.log.setHard(to, g.ready.HardState)
	}
}

// perform carries out what is agreed.
func (w *worker) perform() bool {
	c := commit{host: w.host}
	for _, g := range w.touched {
		if g.ready != nil && len(g.ready.CommittedEntries) > 0 {
			g.guard(func() { g.perform(c.batch()) })
		}
		if g.truncation.to > 0 {
			g.guard(func() { g.truncate(c.batch()) })
		}
		c.bound()
	}
	return c.end()
}

// end answers what the pass decided and tells the library that it is done.
func (g *Group) end() {
	g.applied.Store(g.at.index) // before it is answered: who then asks for what it saw need not wait
	for _, change := range g.changes {
		g.node.ApplyConfChange(change)
	}
	if len(g.changes) > 0 {
		g.changes = nil
		g.leave()
	}
	g.answer()
	g.node.Advance(*g.ready)
	g.ready = nil
	for _, replica := range g.unreachable {
		g.node.ReportUnreachable(replica)
	}
	g.unreachable = g.unreachable[:0]
	g.reportUnsent()
	g.report()
}

// more tells whether the library has something to do that came up while the pass was carried out.
func (g *Group) more() bool { return g.node != nil && g.node.HasReady() }
