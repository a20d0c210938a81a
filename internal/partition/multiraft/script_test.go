package multiraft

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"go.etcd.io/raft/v3/raftpb"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// Each script is a story of a few nodes with one moral. Nothing happens between two commands; `run` lets the network and
// the nodes come to rest, `tick` lets time pass and comes to rest after each tick.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		r := newRig(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			r.t = t
			r.command(d)
			if told := r.told(); told != "" {
				return told
			}
			return "(nothing)\n"
		})
	})
}

// args are the numbers of a command, by their names.
func (r *rig) number(d *datadriven.TestData, name string, otherwise uint64) uint64 {
	if !d.HasArg(name) {
		return otherwise
	}
	var n uint64
	d.ScanArgs(r.t, name, &n)
	return n
}

func (r *rig) list(d *datadriven.TestData, name string) []uint64 {
	var list []uint64
	if d.HasArg(name) {
		d.ScanArgs(r.t, name, &list)
	}
	return list
}

func (r *rig) text(d *datadriven.TestData, name string) string {
	var s string
	if d.HasArg(name) {
		d.ScanArgs(r.t, name, &s)
	}
	return s
}

func (r *rig) command(d *datadriven.TestData) {
	group := r.number(d, "group", 10)
	at := func() *station { return r.node(r.number(d, "node", 1)) }
	switch d.Cmd {
	case "nodes":
		for range r.number(d, "n", 3) {
			r.add()
		}
	case "birth":
		r.birth(group, r.list(d, "on")...)
	case "run":
		r.settle()
	case "tick":
		r.tick(int(r.number(d, "n", 1)), r.list(d, "on")...)
	case "put":
		at().put(group, r.text(d, "key"), r.text(d, "value"))
		r.rest(d)
	case "get":
		at().get(group, r.text(d, "key"), !d.HasArg("eventual"))
		r.rest(d)
	case "campaign":
		g := at().copies[group].group
		g.inbox.request(g.campaign)
		r.rest(d)
	case "transfer":
		at().copies[group].group.Transfer(r.number(d, "to", 0))
		r.rest(d)
	case "split":
		r.split(d, at(), group)
	case "move":
		r.move(d, at(), group)
	case "status":
		r.status(d, group)
	case "same":
		r.same(group)
	default:
		r.fault(d)
	}
}

// fault are the commands that disturb.
func (r *rig) fault(d *datadriven.TestData) {
	at := func() *station { return r.node(r.number(d, "node", 1)) }
	switch d.Cmd {
	case "isolate":
		r.isolate(r.number(d, "node", 1), true)
	case "cut":
		r.cut[[2]uint64{r.number(d, "from", 0), r.number(d, "to", 0)}] = true
	case "heal":
		clear(r.cut)
	case "hold":
		for _, name := range d.CmdArgs {
			r.held[raftpb.MessageType(raftpb.MessageType_value[name.Key])] = true
		}
	case "release":
		clear(r.held)
		if d.HasArg("newest-first") {
			slices.Reverse(r.kept)
		}
		r.network = append(r.network, r.kept...)
		r.kept = nil
		r.rest(d)
	case "lose":
		clear(r.held)
		r.tell("lost %d messages", len(r.kept))
		r.kept = nil
	case "double":
		r.copies = !d.HasArg("off")
	case "crash":
		at().crash()
	case "restart":
		at().restart(r.list(d, "groups")...)
		r.rest(d)
	case "stop":
		at().host.Stop(r.number(d, "group", 10))
		r.rest(d)
	default:
		if !r.transport(d) && !r.disturb(d) {
			d.Fatalf(r.t, "no such command")
		}
	}
}

// rest lets everything come to rest, unless the command says that it waits.
func (r *rig) rest(d *datadriven.TestData) {
	if !d.HasArg("waits") {
		r.settle()
	}
}

func (r *rig) isolate(node uint64, cut bool) {
	for _, s := range r.nodes {
		if s.id != node {
			r.cut[[2]uint64{node, s.id}], r.cut[[2]uint64{s.id, node}] = cut, cut
		}
	}
}

func (r *rig) split(d *datadriven.TestData, s *station, group uint64) {
	state := s.copies[group].State()
	c := &command.Command{Action: command.Split, At: []byte{byte(r.number(d, "at", 0x80))}, Child: r.number(d, "child", 11),
		Generation: r.number(d, "generation", state.Descriptor.Generation)}
	s.copies[group].Split(c, func(err error) { r.tell("%d: split: %s", s.id, outcome(err)) })
	r.rest(d)
}

func (r *rig) move(d *datadriven.TestData, s *station, group uint64) {
	m := command.Membership{
		Generation: s.copies[group].State().Descriptor.Generation,
		AddLearner: r.number(d, "learner", 0), Promote: r.number(d, "promote", 0), Remove: r.number(d, "remove", 0),
	}
	s.copies[group].Move(m, func(err error) { r.tell("%d: move: %s", s.id, outcome(err)) })
	r.rest(d)
}

var roleNames = map[Role]string{Follower: "follows", Candidate: "campaigns", Leader: "leads", Learner: "learns", Stopped: "stopped"}

func (r *rig) status(d *datadriven.TestData, group uint64) {
	only := r.list(d, "on")
	for _, s := range r.nodes {
		c := s.copies[group]
		if s.down || c == nil || len(only) > 0 && !slices.Contains(only, s.id) {
			continue
		}
		c.group.publish()
		st := c.group.Status()
		fmt.Fprintf(&r.out, "%d: %s in term %d, leader %d, applied %d of %d, generation %d", s.id, roleNames[st.Role], st.Term, st.Leader,
			st.Applied, st.Last, st.Generation)
		if c.group.lease.valid(r.clock) {
			r.out.WriteString(", lease")
		}
		if st.Resting {
			r.out.WriteString(", resting")
		}
		if st.Joint {
			r.out.WriteString(", joint")
		}
		if d.HasArg("members") {
			for _, m := range st.Members {
				fmt.Fprintf(&r.out, " [%d on %d%s match %d]", m.Replica, m.Node, map[bool]string{true: " learns"}[m.Learner], m.Match)
			}
		}
		r.out.WriteString("\n")
	}
}

// same compares everything that is replicated of a partition, on all nodes that have it.
func (r *rig) same(group uint64) {
	held := map[string][]string{}
	for _, s := range r.nodes {
		if s.down || s.copies[group] == nil {
			continue
		}
		text := s.contents(group)
		held[text] = append(held[text], fmt.Sprint(s.id))
	}
	if len(held) == 1 {
		r.tell("the same everywhere")
		return
	}
	for text, nodes := range held {
		r.tell("on %s:\n%s", strings.Join(nodes, ", "), text)
	}
}

// contents is all that a node holds of a partition but for its raft log.
func (s *station) contents(group uint64) string {
	var b strings.Builder
	state, _, err := machine.Load(s.engine, group)
	s.rig.must(err)
	for _, span := range allSpans(state.Descriptor) {
		if span.Lower[0] == 'r' {
			continue
		}
		it, err := s.engine.Iter(span.Lower, span.Upper)
		s.rig.must(err)
		for ok := it.First(); ok; ok = it.Next() {
			value, err := it.Value()
			s.rig.must(err)
			fmt.Fprintf(&b, "%q = %q\n", it.Key(), value)
		}
		s.rig.must(it.Close())
	}
	return b.String()
}
