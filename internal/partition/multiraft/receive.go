package multiraft

import (
	"bytes"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// campaignTransfer is what the library writes into votes for a replica to which leadership is transferred.
const campaignTransfer = "CampaignTransfer"

// receive takes one message from another replica. What cannot be one is dropped, as is what only the library says to
// itself.
func (g *Group) receive(m Message) {
	if g.node == nil || m.To != g.replica {
		return
	}
	g.peers.learn(m.From, m.FromNode)
	if m.Wake {
		return // wakeFor has seen to it
	}
	body := new(raftpb.Message)
	if err := proto.Unmarshal(m.Body, body); err != nil || body.GetFrom() != m.From || body.GetTo() != m.To {
		return
	}
	fromLeader := false
	switch body.GetType() {
	case raftpb.MsgVote, raftpb.MsgPreVote:
		if g.deaf(body) {
			return
		}
	case raftpb.MsgApp, raftpb.MsgHeartbeat:
		fromLeader = true
	case raftpb.MsgAppResp, raftpb.MsgHeartbeatResp, raftpb.MsgVoteResp, raftpb.MsgPreVoteResp, raftpb.MsgTimeoutNow:
	default:
		return
	}
	// The library refuses what comes from replicas it does not know, or drops it; neither is anybody's fault.
	_ = g.node.Step(body)
	if fromLeader && g.follows(m.From) {
		g.age.heard(g)
		g.truncation.learn(m.Kept)
		if m.Rest {
			g.follow(body)
		}
	}
}

// follows tells whether a replica is the leader that this one follows.
func (g *Group) follows(from uint64) bool {
	status := g.node.BasicStatus()
	return status.RaftState == raft.StateFollower && status.Lead == from
}

// deaf tells whether this replica must not vote yet: it was just restarted and may have answered a leader before, whose
// lease counts on that. A leader that transfers its leadership has given up its lease.
func (g *Group) deaf(m *raftpb.Message) bool {
	return g.age.ticks < electionTicks && !g.age.fresh && !bytes.Equal(m.GetContext(), []byte(campaignTransfer))
}
