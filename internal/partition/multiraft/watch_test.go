package multiraft

import (
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"stator/internal/storage/engine"
)

// watch looks at what a message promises as it leaves: its sender would still know it if it crashed now.
func (r *rig) watch(m Message) {
	r.t.Helper()
	body := new(raftpb.Message)
	r.must(proto.Unmarshal(m.Body, body))
	switch body.GetType() {
	case raftpb.MsgAppResp, raftpb.MsgVoteResp, raftpb.MsgVote, raftpb.MsgHeartbeatResp:
	default:
		return
	}
	log := r.afterCrash(m.FromNode, m.Group)
	if log == nil {
		return // a snapshot that is not taken over yet
	}
	term, last, vote := log.hard.term, log.last, log.hard.vote
	broken := term < body.GetTerm()
	switch {
	case body.GetReject():
	case body.GetType() == raftpb.MsgAppResp:
		broken = broken || last < body.GetIndex()
	case body.GetType() == raftpb.MsgVoteResp:
		broken = broken || term == body.GetTerm() && vote != m.To
	case body.GetType() == raftpb.MsgVote:
		broken = broken || last < body.GetIndex() || term == body.GetTerm() && vote != m.From
	}
	if broken {
		r.tell("%d: %s of term %d and entry %d leaves, and durable are term %d, entry %d, vote %d",
			m.FromNode, body.GetType(), body.GetTerm(), body.GetIndex(), term, last, vote)
	}
}

// afterCrash is what a node would know of a group after a crash.
func (r *rig) afterCrash(node, group uint64) *raftLog {
	fs := r.node(node).fs.CrashClone(vfs.CrashCloneCfg{})
	e, err := engine.Open(engine.Options{Dir: "store", FS: fs, ReserveBytes: -1, Fatal: func(error) {}})
	r.must(err)
	log, found, err := loadRaftLog(e, group)
	r.must(err)
	r.must(e.Close())
	if !found {
		return nil
	}
	return log
}
