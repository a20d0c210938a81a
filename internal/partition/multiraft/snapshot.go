package multiraft

import (
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// snapshot is what the library sends a replica that the log does not reach back to. There is none to be had as yet.
func (g *Group) snapshot() (*raftpb.Snapshot, error) {
	return nil, raft.ErrSnapshotTemporarilyUnavailable
}

// sendSnapshot begins the transfer of what snapshot has promised.
func (g *Group) sendSnapshot(m *raftpb.Message) {
	g.node.ReportSnapshot(m.GetTo(), raft.SnapshotFailure)
}
