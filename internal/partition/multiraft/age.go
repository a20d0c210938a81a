package multiraft

import (
	"time"

	"go.etcd.io/raft/v3"
)

// campaignTicks is how often a replica that has to lead a new group campaigns, campaignsForTicks how long: the votes of
// replicas that were born a moment later would be asked for again only after an election timeout.
const (
	campaignTicks     = 2
	campaignsForTicks = 40
)

// age is what a replica knows of time: how long it is up, and since when it heard no leader.
type age struct {
	ticks int
	// silence is for how many ticks no leader was heard.
	silence int
	// lastHeard is when one was, on the host's clock.
	lastHeard time.Duration
	// fresh tells that no leader can ever have heard of this replica: it stands as it was born.
	fresh bool
	// eager tells that this replica is to lead a new group.
	eager bool
}

func (a *age) begin(g *Group) {
	a.fresh = g.log.hard.term == birthTerm && g.log.last == birthIndex
	if a.fresh {
		a.silence = electionTicks
	}
}

func (a *age) tick() {
	a.ticks++
	a.silence++
}

func (a *age) heard(g *Group) {
	a.silence, a.lastHeard = 0, g.host.options.Now()
	a.fresh = false
	g.rest.suspicious = false
}

// campaign has this replica ask for votes. It does nothing while a leader that this replica has answered may hold a lease: a
// replica that campaigns forgets its leader and would vote for others that suspect it, too.
func (g *Group) campaign() {
	if g.node == nil || g.lead.role == raft.StateLeader || g.age.silence < electionTicks && !g.alone() {
		return
	}
	// A replica that may not lead, as a learner, does not campaign.
	_ = g.node.Campaign()
}

// alone tells whether this replica is the only voter.
func (g *Group) alone() bool {
	voters := 0
	for _, m := range g.state.Descriptor.Members {
		if !m.Learner {
			voters++
			if m.Replica != g.replica {
				return false
			}
		}
	}
	return voters == 1 && len(g.at.outgoing) == 0
}

// firstCampaign has a replica campaign at once that has nobody to wait for: the only voter, the first replica of a new
// table's partition, and the child of a split where the parent is led.
func (g *Group) firstCampaign() {
	d := &g.state.Descriptor
	first := len(d.Members) > 0 && d.Members[0].Replica == g.replica && d.Parent == 0
	g.age.eager = g.age.fresh && (first || g.host.takeEager(g.id))
	if g.age.eager || g.alone() {
		g.campaign()
	}
}

func (g *Group) campaignAgain() {
	a := &g.age
	if g.rest.suspects(g) {
		g.campaign()
	}
	if !a.eager {
		return
	}
	if g.lead.leader != 0 || a.ticks > campaignsForTicks {
		a.eager = false
		return
	}
	if a.ticks%campaignTicks == 0 {
		g.campaign()
	}
}
