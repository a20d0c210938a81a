package multiraft

import (
	"cmp"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"

	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// Retention is how much of a group's raft log is kept. What is zero is a default.
type Retention struct {
	// EntriesMin and BytesMin are what a truncation takes away at least: each one costs a range deletion.
	EntriesMin uint64
	BytesMin   int64
	// BytesPatient is how long a log may become for the sake of replicas that do not answer, BytesMax for any.
	BytesPatient, BytesMax int64
}

var retentionDefault = Retention{EntriesMin: 4096, BytesMin: 1 << 20, BytesPatient: 16 << 20, BytesMax: 64 << 20}

func (r Retention) withDefaults() Retention {
	d := retentionDefault
	return Retention{
		EntriesMin: cmp.Or(r.EntriesMin, d.EntriesMin), BytesMin: cmp.Or(r.BytesMin, d.BytesMin),
		BytesPatient: cmp.Or(r.BytesPatient, d.BytesPatient), BytesMax: cmp.Or(r.BytesMax, d.BytesMax),
	}
}

// truncation lets go of the beginning of a group's raft log. Each replica does so for itself, the followers as far as their
// leader tells them: any of them may have to bring the others up to date one day.
type truncation struct {
	// kept is the last entry that every replica has for which the log is kept.
	kept uint64
	// to is the entry up to which this pass truncates, 0 for none.
	to uint64
}

func (t *truncation) learn(kept uint64) { t.kept = max(t.kept, kept) }

// tick looks whether there is enough to let go of.
func (t *truncation) tick(g *Group) {
	if g.age.ticks%statusTicks != 0 {
		return
	}
	if g.lead.role == raft.StateLeader {
		t.kept = g.keptByAll()
	}
	l, keep := g.log, &g.host.options.Retention
	to := min(t.kept, g.at.index)
	if l.bytes > keep.BytesMax {
		to = g.at.index
	}
	if to >= l.truncated.index+keep.EntriesMin || to > l.truncated.index && l.bytes >= keep.BytesMin {
		t.to = to
	}
}

// keptByAll is the last entry that all other replicas have. One that is sent a snapshot goes on from where that was taken.
func (g *Group) keptByAll() uint64 {
	kept := g.at.index
	if index, sending := g.snapshotsFrom(); sending {
		kept = min(kept, index)
	}
	g.node.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
		switch {
		case id == g.replica || !p.RecentActive && g.log.bytes > g.host.options.Retention.BytesPatient:
		case p.State == tracker.StateSnapshot:
			kept = min(kept, p.PendingSnapshot)
		default:
			kept = min(kept, p.Match)
		}
	})
	return kept
}

// truncate lets entries go that are performed, so that a crash which forgets that they are performed forgets this, too.
func (g *Group) truncate(batch *engine.Batch) {
	to := g.truncation.to
	g.truncation.to = 0
	if g.node != nil {
		g.log.truncate(batch, to)
	}
}

func (l *raftLog) truncate(batch *engine.Batch, to uint64) {
	term, err := l.Term(to)
	if err != nil || to <= l.truncated.index {
		return // a snapshot came first
	}
	batch.DeleteRange(keys.RaftEntry(l.group, l.truncated.index+1), keys.RaftEntry(l.group, to+1))
	entries, left := l.last-l.truncated.index, l.last-to
	l.bytes = l.bytes * int64(left) / int64(entries) // entries are taken to be of one size
	l.truncated = mark{index: to, term: term}
	batch.Set(truncatedKey(l.group), l.truncated.append(nil))
	if at, ok := l.inRecent(to); ok {
		for _, e := range l.recent[:at+1] {
			l.recentBytes -= int64(entryBytes(e))
		}
		l.recent = append(l.recent[:0:0], l.recent[at+1:]...)
	}
}
