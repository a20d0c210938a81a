package rebalance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/placement"
	"stator/internal/partition/command"
)

// wishesMax bounds the operators' moves under way.
const wishesMax = 256

// Refused is why an operator's wish cannot be.
type Refused struct{ Why string }

func (e *Refused) Error() string { return e.Why }

func refuse(format string, args ...any) error { return &Refused{Why: fmt.Sprintf(format, args...)} }

// errNoSight is the answer before the first look.
var errNoSight = errors.New("this node has just begun to lead the catalog: ask again in a moment")

// Move puts down that a replica shall be on another node, in place of what was wanted of the partition before. It is begun
// with the next step, by whichever node leads the catalog then.
func (j *Job) Move(ctx context.Context, m catalog.Move) error {
	s := j.sight()
	if s == nil {
		return errNoSight
	}
	p, err := s.find(m.Partition)
	if err == nil {
		err = s.movable(p, m)
	}
	if err != nil {
		return err
	}
	return j.Catalog.UpdateCluster(ctx, func(c catalog.Cluster) (catalog.Cluster, error) {
		c.Moves = slices.DeleteFunc(slices.Clone(c.Moves), func(o catalog.Move) bool { return o.Partition == m.Partition })
		if len(c.Moves) >= wishesMax {
			return c, refuse("%d moves are under way already: wait for some of them", wishesMax)
		}
		c.Moves = append(c.Moves, m)
		return c, nil
	})
}

func (j *Job) sight() *sight {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seen
}

// movable tells why a wish cannot be.
func (s *sight) movable(p *place, w catalog.Move) error {
	from := slices.IndexFunc(p.members(), func(m command.Member) bool { return m.Node == w.From && !m.Learner })
	to := slices.IndexFunc(s.facts.Nodes, func(n placement.Node) bool { return n.ID == w.To })
	switch {
	case from < 0:
		return refuse("partition %d has no replica on node %d: it is on %s", p.ID, w.From, nodesOf(p.members()))
	case to < 0:
		return refuse("there is no node %d: see 'stator cluster nodes'", w.To)
	case holds(p.members(), w.To):
		return refuse("partition %d has a replica on node %d already", p.ID, w.To)
	}
	switch n := s.facts.Nodes[to]; {
	case n.State != placement.Up:
		return refuse("node %d is %v, and takes nothing", w.To, n.State)
	case n.Silent >= s.rules.SuspectAfter:
		return refuse("node %d is silent", w.To)
	}
	return nil
}

// Transfer hands the leadership of a partition to a node, at once.
func (j *Job) Transfer(ctx context.Context, partition, to uint64) error {
	s := j.sight()
	if s == nil {
		return errNoSight
	}
	p, err := s.find(partition)
	if err != nil {
		return err
	}
	voter := slices.ContainsFunc(p.members(), func(m command.Member) bool { return m.Node == to && !m.Learner })
	switch {
	case !voter:
		return refuse("partition %d has no voting replica on node %d: it is on %s", partition, to, nodesOf(p.members()))
	case p.leader == to:
		return refuse("node %d leads partition %d already", to, partition)
	}
	_, err = j.Cluster.Order(ctx, &catalog.Partition{ID: p.ID, Generation: p.Generation, Bounds: p.Bounds, Members: p.members()},
		command.Order{Transfer: to})
	return err
}

// find finds a partition that is in sight.
func (s *sight) find(partition uint64) (*place, error) {
	i, ok := s.index[partition]
	if !ok {
		return nil, refuse("there is no partition %d: see 'stator cluster partitions'", partition)
	}
	return &s.places[i], nil
}

func nodesOf(members []command.Member) string {
	if len(members) == 0 {
		return "no node that is known"
	}
	text := "node"
	if len(members) > 1 {
		text = "nodes"
	}
	for i, m := range members {
		switch {
		case i > 0 && i == len(members)-1:
			text += fmt.Sprintf(" and %d", m.Node)
		case i > 0:
			text += fmt.Sprintf(", %d", m.Node)
		default:
			text += fmt.Sprintf(" %d", m.Node)
		}
	}
	return text
}

// wish takes over what operators want, and has the catalog let go of what is done, or cannot be any more.
func (j *Job) wish(ctx context.Context, s *sight) error {
	known, ok := j.Catalog.Cluster()
	if !ok {
		return nil
	}
	for _, m := range known.Moves {
		if !s.settled(m) {
			s.facts.Wishes = append(s.facts.Wishes, placement.Wish(m))
		}
	}
	if len(s.facts.Wishes) == len(known.Moves) {
		return nil
	}
	err := j.Catalog.UpdateCluster(ctx, func(c catalog.Cluster) (catalog.Cluster, error) {
		c.Moves = slices.DeleteFunc(slices.Clone(c.Moves), s.settled)
		return c, nil
	})
	if err != nil {
		return fmt.Errorf("letting go of moves that are settled: %w", err)
	}
	return nil
}

// settled tells whether nothing remains to be done for a move.
func (s *sight) settled(m catalog.Move) bool {
	i, ok := s.index[m.Partition]
	if !ok {
		return true
	}
	p := &s.facts.Partitions[i]
	stays := slices.ContainsFunc(p.Replicas, func(r placement.Replica) bool { return r.Node == m.From })
	takes := slices.ContainsFunc(s.facts.Nodes, func(n placement.Node) bool { return n.ID == m.To && n.State == placement.Up })
	return !stays || !takes || placement.Wish(m).Fulfilled(p)
}
