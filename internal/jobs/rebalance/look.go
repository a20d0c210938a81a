package rebalance

import (
	"context"
	"time"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/placement"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// sight is the cluster at one moment, with what was planned from it. It is never changed once it is shown.
type sight struct {
	at      time.Duration
	rules   placement.Rules
	facts   placement.Facts
	reports map[uint64]*Report
	// places are the partitions in the order of the facts.
	places []place
	index  map[uint64]int
	// unseen are the nodes with replicas of tables that come or go.
	unseen map[uint64]bool
	plan   placement.Plan
}

// place is a partition as the catalog has it, and as its leader says it is.
type place struct {
	catalog.Partition
	table   string
	tableID uint64
	leader  uint64
	led     *Led // nil where nobody was heard to lead
}

// states are the catalog's as placement has them.
var states = map[catalog.NodeState]placement.State{
	catalog.Joining: placement.Joining, catalog.Up: placement.Up, catalog.Leaving: placement.Leaving, catalog.Gone: placement.Gone,
}

// look asks the nodes and puts together what they say.
func (j *Job) look(ctx context.Context) *sight {
	s := &sight{at: j.Now(), rules: j.Rules, reports: map[uint64]*Report{}, index: map[uint64]int{}, unseen: map[uint64]bool{}}
	if known, ok := j.Catalog.Cluster(); ok {
		s.rules = ruled(s.rules, known)
	}
	reports := j.Cluster.Reports(ctx)
	for i := range reports {
		s.reports[reports[i].Node] = &reports[i]
	}
	j.lookAtNodes(s)
	j.lookAtPartitions(s)
	return s
}

// ruled are the rules with what the cluster was told.
func ruled(r placement.Rules, c *catalog.Cluster) placement.Rules {
	if c.Replicas > 0 {
		r.Replicas = c.Replicas
	}
	if c.ReplaceAfterSeconds > 0 {
		r.DeadAfter = time.Duration(c.ReplaceAfterSeconds) * time.Second
	}
	return r
}

func (j *Job) lookAtNodes(s *sight) {
	for _, n := range j.Catalog.Nodes() {
		facts := placement.Node{ID: n.ID, Zone: n.Zone, State: states[n.State], Silent: j.silent(n.ID)}
		if r, ok := s.reports[n.ID]; ok {
			facts.DiskBytes, facts.FreeBytes = r.DiskBytes, r.FreeBytes
		}
		s.facts.Nodes = append(s.facts.Nodes, facts)
	}
}

// silent is for how long a node was not heard. Whoever has just begun to lead may never have heard it: nobody is given up
// for a silence before that.
func (j *Job) silent(node uint64) time.Duration {
	j.mu.Lock()
	since := j.since
	j.mu.Unlock()
	return min(j.Cluster.Silent(node), j.Now()-since)
}

// lookAtPartitions lists what the catalog has, each as its leader says it is. Tables that come or go are left alone, and so
// are partitions that are being split.
func (j *Job) lookAtPartitions(s *sight) {
	if known, ok := j.Catalog.Cluster(); ok {
		system := catalog.SystemTable()
		s.add(place{
			Partition: catalog.Partition{ID: machine.CatalogPartition, Generation: known.Generation, Members: known.Members},
			table:     system.Name, tableID: system.ID,
		})
	}
	for _, entry := range j.Catalog.Entries() {
		passes := entry.Table.State == table.Creating || entry.Table.State == table.Deleting
		for _, tableID := range entry.TableIDs() {
			for _, p := range entry.Partitions[tableID] {
				if !passes {
					s.add(place{Partition: p, table: entry.Table.Name, tableID: tableID})
					continue
				}
				for _, m := range p.Members {
					s.unseen[m.Node] = true
				}
			}
		}
		for _, split := range entry.Splits {
			if i, ok := s.index[split.Parent]; ok {
				s.facts.Partitions[i].Changing = true
			}
		}
	}
	for node, report := range s.reports {
		for i := range report.Leads {
			s.hear(node, &report.Leads[i])
		}
	}
	for node, report := range s.reports {
		for _, h := range report.Heat {
			s.feel(node, h)
		}
		for _, d := range report.Damaged {
			s.miss(node, d)
		}
	}
}

// miss takes the word of a node for a replica there that is out of service. A younger one that came in its place is not.
func (s *sight) miss(node uint64, d Damaged) {
	i, ok := s.index[d.Partition]
	if !ok || s.places[i].led == nil {
		return
	}
	if m, there := s.places[i].led.on(node); !there || m.Replica != d.Replica {
		return
	}
	for n := range s.facts.Partitions[i].Replicas {
		if r := &s.facts.Partitions[i].Replicas[n]; r.Node == node {
			r.Current, r.Damaged = false, max(1, time.Duration(d.ForMillis)*time.Millisecond)
		}
	}
}

// feel takes the word of a node for what its replica of a partition serves.
func (s *sight) feel(node uint64, h Heat) {
	i, ok := s.index[h.Partition]
	if !ok {
		return
	}
	replicas := s.facts.Partitions[i].Replicas
	for n := range replicas {
		if replicas[n].Node == node {
			replicas[n].Heat = h.Heat
		}
	}
}

// add enters a partition that nobody was heard to lead yet.
func (s *sight) add(p place) {
	s.index[p.ID] = len(s.places)
	s.places = append(s.places, p)
	facts := placement.Partition{ID: p.ID, Generation: p.Generation}
	for _, m := range p.Members {
		facts.Replicas = append(facts.Replicas, placement.Replica{Node: m.Node, Learner: m.Learner})
	}
	s.facts.Partitions = append(s.facts.Partitions, facts)
}

// hear takes the word of a node that leads a partition.
func (s *sight) hear(node uint64, led *Led) {
	i, ok := s.index[led.Partition]
	if !ok {
		return
	}
	p := &s.places[i]
	if p.led != nil && p.led.Epoch >= led.Epoch {
		return
	}
	p.leader, p.led = node, led
	facts := &s.facts.Partitions[i]
	facts.Leader, facts.Generation, facts.Bytes = node, led.Generation, led.Bytes
	facts.Changing = facts.Changing || led.Changing
	facts.Replicas = nil
	for _, m := range led.Members {
		facts.Replicas = append(facts.Replicas, placement.Replica{Node: m.Node, Learner: m.Learner, Current: m.Current})
	}
}

// members are the replicas as the leader has them, else as the catalog does.
func (p *place) members() []command.Member {
	if p.led == nil {
		return p.Members
	}
	members := make([]command.Member, len(p.led.Members))
	for i, m := range p.led.Members {
		members[i] = m.Member
	}
	return members
}
