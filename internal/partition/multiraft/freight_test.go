package multiraft

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cockroachdb/datadriven"

	"stator/internal/storage/keys"
)

var errInterrupted = errors.New("the connection broke")

// freight is a snapshot on its way through a rig.
type freight struct {
	rig      *rig
	from, to *station
	header   []byte
	source   *Outgoing
	in       *Incoming
	// closing tells that all of it is there and the receiver's worker is to take it over.
	closing bool
}

// freights are those of a rig.
type freights struct {
	under []*freight
	// held tells that no chunk moves; left is how many chunks move before that is so, if it is positive.
	held bool
	left int
	// muted tells of which group no message reaches a node.
	muted map[[2]uint64]bool
}

// ship begins to send a snapshot.
func (s *station) ship(node uint64, header []byte, source *Outgoing) {
	r := s.rig
	f := &freight{rig: r, from: s, header: slices.Clone(header), source: source}
	if int(node) <= len(r.nodes) {
		f.to = r.node(node)
	}
	r.freights.under = append(r.freights.under, f)
}

// haul moves snapshots until each has ended or is held.
func (r *rig) haul() (moved bool) {
	for _, f := range slices.Clone(r.freights.under) {
		for r.hauls() && !f.closing && f.step() {
			moved = true
		}
	}
	return moved
}

func (r *rig) hauls() bool { return !r.freights.held }

// step moves one chunk; false tells that there is nothing to move any more.
func (f *freight) step() bool {
	if f.to == nil || f.to.down || f.rig.cut[[2]uint64{f.from.id, f.to.id}] {
		f.fail(errInterrupted)
		return false
	}
	var err error
	if f.in == nil {
		if f.in, err = f.to.host.Incoming(f.header); err != nil {
			f.fail(err)
			return false
		}
	}
	chunk, err := f.source.Next()
	if errors.Is(err, io.EOF) {
		f.closing = true
		f.in.Close(func(err error) { f.end(err) })
		return true
	}
	if err == nil {
		err = f.in.Write(chunk)
	}
	if err != nil {
		f.fail(err)
		return false
	}
	if l := &f.rig.freights; l.left > 0 {
		l.left--
		l.held = l.left == 0
	}
	return true
}

// fail ends a snapshot before all of it has come.
func (f *freight) fail(err error) {
	if f.in != nil && !f.to.down {
		f.rig.must(f.in.Abort())
	}
	f.end(err)
}

func (f *freight) end(err error) {
	r := f.rig
	r.freights.under = slices.DeleteFunc(r.freights.under, func(o *freight) bool { return o == f })
	if f.to != nil {
		r.tell("%d: snapshot of %d: %s", f.to.id, f.source.group, outcome(err))
	}
	f.source.Done(err)
}

// lost ends the snapshots from and to a node that goes down.
func (r *rig) lost(s *station) {
	for _, f := range slices.Clone(r.freights.under) {
		if f.from == s || f.to == s {
			if f.from == s {
				f.fail(errInterrupted)
				continue
			}
			f.end(errInterrupted)
		}
	}
}

// remove takes a replica off its node, as the node does once it knows.
func (s *station) remove(group, replica uint64) {
	if c := s.copies[group]; c != nil && c.group.replica == replica {
		c.Stop()
		delete(s.copies, group)
	}
	s.host.Remove(group, replica, func(err error) { s.rig.tell("%d: removed %d: %s", s.id, group, outcome(err)) })
}

// truncate lets a replica's log go, up to what is performed.
func (s *station) truncate(group uint64) {
	g := s.copies[group].group
	l, upto := g.log, g.at.mark
	b := s.engine.NewBatch()
	defer b.Close()
	b.DeleteRange(keys.RaftEntry(group, l.truncated.index+1), keys.RaftEntry(group, upto.index+1))
	b.Set(truncatedKey(group), upto.append(nil))
	s.rig.must(s.engine.Commit(b, false))
	l.truncated = upto
	for len(l.recent) > 0 && l.recent[0].GetIndex() <= upto.index {
		l.recent = l.recent[1:]
	}
}

// transport are the commands about snapshots and removals; false tells that it is none of them.
func (r *rig) transport(d *datadriven.TestData) bool {
	switch d.Cmd {
	case "freeze": // snapshots stand still, after n chunks if it is given
		r.freights.left = int(r.number(d, "after", 0))
		r.freights.held = r.freights.left == 0
	case "thaw":
		r.freights.held, r.freights.left = false, 0
		r.rest(d)
	case "mute": // no message of a group reaches a node
		r.freights.muted = map[[2]uint64]bool{{r.number(d, "group", 10), r.number(d, "node", 1)}: true}
	case "unmute":
		r.freights.muted = nil
	case "break": // what is on its way is lost
		for _, f := range slices.Clone(r.freights.under) {
			f.fail(errInterrupted)
		}
		r.freights.held, r.freights.left = false, 0
		r.rest(d)
	case "remove":
		r.node(r.number(d, "node", 1)).remove(r.number(d, "group", 10), r.number(d, "replica", 0))
		r.rest(d)
	case "truncate": // the log lets go of all that is performed
		r.node(r.number(d, "node", 1)).truncate(r.number(d, "group", 10))
	case "contents":
		s := r.node(r.number(d, "node", 1))
		r.tell("%s", s.summary())
	default:
		return false
	}
	return true
}

// summary counts what a node holds, by space and by table or partition.
func (s *station) summary() string {
	counts := map[string]int{}
	var names []string
	it, err := s.engine.Iter(nil, nil)
	s.rig.must(err)
	for ok := it.First(); ok; ok = it.Next() {
		k := it.Key()
		if keys.Space(k[0]) == keys.SpaceNode {
			continue
		}
		name := fmt.Sprintf("%s %d", keys.Space(k[0]), partitionOf(k))
		if counts[name]++; counts[name] == 1 {
			names = append(names, name)
		}
	}
	s.rig.must(it.Close())
	if len(names) == 0 {
		return "nothing"
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%s: %d", name, counts[name])
	}
	return strings.Join(names, ", ")
}
