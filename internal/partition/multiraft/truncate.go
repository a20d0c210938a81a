package multiraft

// truncation lets go of the beginning of a group's raft log.
type truncation struct {
	// kept is the last entry that every replica has for which the log is kept.
	kept uint64
}

func (t *truncation) learn(kept uint64) { t.kept = max(t.kept, kept) }

func (g *Group) truncate() {}
