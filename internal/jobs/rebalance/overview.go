package rebalance

import (
	"cmp"
	"fmt"
	"slices"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/placement"
)

// Overview is the cluster as an operator sees it.
type Overview struct {
	// Cluster is its name, Leader the node that leads the catalog and tells this.
	Cluster  string `json:"cluster"`
	Leader   uint64 `json:"leader"`
	Replicas int    `json:"replicas"`
	// ReplaceAfterSeconds is the silence after which a node's replicas are made anew.
	ReplaceAfterSeconds int64  `json:"replace_after_seconds"`
	Format              int    `json:"format"`
	Nodes               []Node `json:"nodes"`
	Tally               Tally  `json:"partitions"`
	// Wanted are operators' moves that have not begun.
	Wanted []catalog.Move `json:"wanted"`
	// Moves are replicas that are on their way in, at most movesShownMax of MovesCount.
	Moves      []Move `json:"moves"`
	MovesCount int    `json:"moves_count"`
	// Splits are partitions whose middle is being looked for, at most splitsShownMax.
	Splits []Split `json:"splits"`
	// Damaged are replicas that are out of service on nodes that live, at most damagedShownMax of DamagedCount.
	Damaged      []DamagedReplica `json:"damaged"`
	DamagedCount int              `json:"damaged_count"`
	// Blocked is what should be done and cannot, Recent what was done last.
	Blocked      []string `json:"blocked"`
	BlockedCount int      `json:"blocked_count"`
	Recent       []Recent `json:"recent"`
	// AgeMillis is how old all this is.
	AgeMillis int64 `json:"age_millis"`
}

// Node is one node of the overview.
type Node struct {
	ID           uint64 `json:"id"`
	Zone         string `json:"zone"`
	State        string `json:"state"`
	SilentMillis int64  `json:"silent_millis"`
	RPC          string `json:"rpc"`
	HTTP         string `json:"http"`
	Release      string `json:"release"`
	Format       int    `json:"format"`
	Replicas     int    `json:"replicas"`
	Leads        int    `json:"leads"`
	// Bytes is what its replicas hold, UsedBytes what its store takes of the disk.
	Bytes     int64 `json:"bytes"`
	UsedBytes int64 `json:"used_bytes"`
	DiskBytes int64 `json:"disk_bytes"`
	FreeBytes int64 `json:"free_bytes"`
}

// Tally counts partitions: each is one of Whole, Lacking and Stopped.
type Tally struct {
	Total int `json:"total"`
	// Whole have all the replicas they should have, all of them up to date.
	Whole int `json:"whole"`
	// Lacking serve, and have fewer living replicas than they should.
	Lacking int `json:"lacking"`
	// Stopped have no leader that is known.
	Stopped int `json:"stopped"`
}

// Move is a replica on its way in.
type Move struct {
	Partition uint64 `json:"partition"`
	Node      uint64 `json:"node"`
	// Ready tells that it has caught up.
	Ready bool `json:"ready"`
}

// Split is a partition whose middle is being looked for, with how much of it was read.
type Split struct {
	Partition uint64 `json:"partition"`
	ReadBytes int64  `json:"read_bytes"`
	Bytes     int64  `json:"bytes"`
}

// DamagedReplica is a replica that is out of service for so long.
type DamagedReplica struct {
	Partition uint64 `json:"partition"`
	Node      uint64 `json:"node"`
	ForMillis int64  `json:"for_millis"`
}

// Recent is a step that was made so long ago.
type Recent struct {
	AgoMillis int64  `json:"ago_millis"`
	Text      string `json:"text"`
}

// Partition is one partition as an operator sees it.
type Partition struct {
	ID    uint64 `json:"id"`
	Table string `json:"table"`
	// Index is the id of the index's hidden table, 0 for the table itself.
	Index    uint64    `json:"index,omitempty"`
	Leader   uint64    `json:"leader"`
	Replicas []Replica `json:"replicas"`
	Items    int64     `json:"items"`
	Bytes    int64     `json:"bytes"`
}

// Replica is one replica of it.
type Replica struct {
	Node    uint64 `json:"node"`
	Learner bool   `json:"learner,omitempty"`
	Current bool   `json:"current"`
}

// Bounds of what an overview lists.
const movesShownMax, splitsShownMax, damagedShownMax = 32, 32, 16

// Overview tells how the cluster was at the last look; false before the first.
func (j *Job) Overview() (Overview, bool) {
	j.mu.Lock()
	s, recent := j.seen, slices.Clone(j.recent)
	j.mu.Unlock()
	if s == nil {
		return Overview{}, false
	}
	now := j.Now()
	o := Overview{
		Replicas: s.rules.Replicas, ReplaceAfterSeconds: int64(s.rules.DeadAfter.Seconds()), AgeMillis: (now - s.at).Milliseconds(), BlockedCount: s.plan.BlockedCount,
		Blocked: []string{}, Recent: []Recent{}, Moves: []Move{}, Wanted: []catalog.Move{}, Splits: []Split{},
		Damaged: []DamagedReplica{},
	}
	if known, ok := j.Catalog.Cluster(); ok {
		o.Format = known.Format
	}
	// Placement wants no replicas that there are no nodes for, so that no partition of its plan tells of it.
	if staying := j.staying(0); staying < o.Replicas {
		o.Blocked = append(o.Blocked, fmt.Sprintf("%d replicas need %d nodes (now %d): start others with --join", o.Replicas, o.Replicas, staying))
		o.BlockedCount++
	}
	for _, b := range s.plan.Blocked {
		o.Blocked = append(o.Blocked, b.String())
	}
	for _, d := range recent {
		o.Recent = append(o.Recent, Recent{AgoMillis: (now - d.At).Milliseconds(), Text: d.Text})
	}
	for _, w := range s.facts.Wishes {
		if !s.begun(w) {
			o.Wanted = append(o.Wanted, catalog.Move(w))
		}
	}
	o.Nodes = j.nodes(s)
	s.count(&o)
	return o, true
}

// begun tells whether the replica that a wish asks for is on its way in, or there.
func (s *sight) begun(w placement.Wish) bool {
	return holds(s.places[s.index[w.Partition]].members(), w.To)
}

func (j *Job) nodes(s *sight) []Node {
	nodes := make([]Node, 0, len(s.facts.Nodes))
	at := map[uint64]int{}
	for i, n := range s.facts.Nodes {
		at[n.ID] = i
		shown := Node{ID: n.ID, Zone: n.Zone, State: n.State.String(), SilentMillis: n.Silent.Milliseconds(), DiskBytes: n.DiskBytes, FreeBytes: n.FreeBytes}
		if known, ok := j.Catalog.Node(n.ID); ok {
			shown.RPC, shown.HTTP, shown.Format = known.RPC, known.HTTP, known.Format
		}
		if r, ok := s.reports[n.ID]; ok {
			shown.Release, shown.UsedBytes = r.Release, r.UsedBytes
		}
		nodes = append(nodes, shown)
	}
	for i := range s.places {
		p := &s.places[i]
		for _, m := range p.members() {
			if n, ok := at[m.Node]; ok {
				nodes[n].Replicas++
				nodes[n].Bytes += s.facts.Partitions[i].Bytes
			}
		}
		if n, ok := at[p.leader]; ok {
			nodes[n].Leads++
		}
	}
	return nodes
}

// count tells how the partitions are.
func (s *sight) count(o *Overview) {
	silent := map[uint64]bool{}
	for _, n := range s.facts.Nodes {
		silent[n.ID] = n.State == placement.Gone || n.Silent >= s.rules.SuspectAfter
	}
	for i := range s.facts.Partitions {
		p := &s.facts.Partitions[i]
		if led := s.places[i].led; led != nil && led.ReadBytes > 0 && len(o.Splits) < splitsShownMax {
			o.Splits = append(o.Splits, Split{Partition: p.ID, ReadBytes: led.ReadBytes, Bytes: led.Bytes})
		}
		living := 0
		for _, r := range p.Replicas {
			if r.Damaged > 0 {
				o.DamagedCount++
				if len(o.Damaged) < damagedShownMax {
					o.Damaged = append(o.Damaged, DamagedReplica{Partition: p.ID, Node: r.Node, ForMillis: r.Damaged.Milliseconds()})
				}
			}
			if r.Learner {
				o.MovesCount++
				if len(o.Moves) < movesShownMax {
					o.Moves = append(o.Moves, Move{Partition: p.ID, Node: r.Node, Ready: r.Current})
				}
			} else if r.Current && !silent[r.Node] {
				living++
			}
		}
		o.Tally.Total++
		switch {
		case p.Leader == 0 || silent[p.Leader]:
			o.Tally.Stopped++
		case living < s.rules.Replicas:
			o.Tally.Lacking++
		default:
			o.Tally.Whole++
		}
	}
}

// Partitions lists the partitions of a table and of its indexes, of all tables if none is named, by table and id; false
// before the first look.
func (j *Job) Partitions(table string) ([]Partition, bool) {
	s := j.sight()
	if s == nil {
		return nil, false
	}
	list := []Partition{}
	for i := range s.places {
		p := &s.places[i]
		if table != "" && p.table != table {
			continue
		}
		shown := Partition{ID: p.ID, Table: p.table, Leader: p.leader, Replicas: []Replica{}, Bytes: s.facts.Partitions[i].Bytes}
		if p.led != nil {
			shown.Items = p.led.Items
		}
		if entry, ok := j.Catalog.Entry(p.table); ok && entry.Table.ID != p.tableID {
			shown.Index = p.tableID
		}
		for _, r := range s.facts.Partitions[i].Replicas {
			shown.Replicas = append(shown.Replicas, Replica{Node: r.Node, Learner: r.Learner, Current: r.Current})
		}
		list = append(list, shown)
	}
	slices.SortFunc(list, func(a, b Partition) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Index, b.Index), cmp.Compare(a.ID, b.ID))
	})
	return list, true
}
