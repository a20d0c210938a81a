package multiraft

import (
	"fmt"
	"strings"

	"github.com/cockroachdb/datadriven"

	"stator/internal/partition/machine"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// disturb are commands that reach behind a group's back; false tells that a command is none of them.
func (r *rig) disturb(d *datadriven.TestData) bool {
	s := r.node(r.number(d, "node", 1))
	group := r.number(d, "group", 10)
	switch d.Cmd {
	case "stall":
		// The node's clock goes on while nothing of it runs.
		for range r.number(d, "n", 1) {
			r.clock += TickDefault
			s.host.Tick()
		}
		r.rest(d)
	case "library-drops":
		// The library transfers leadership and drops proposals meanwhile, of which the group knows nothing.
		g, to := s.copies[group].group, r.number(d, "to", 0)
		g.inbox.request(func() { g.node.TransferLeader(to) })
		r.rest(d)
	case "lost":
		// Every node that is up, or one, learns that another is gone.
		for _, o := range r.nodes {
			if !o.down && (!d.HasArg("by") || o.id == r.number(d, "by", 0)) {
				o.host.Lost(s.id)
			}
		}
		r.rest(d)
	case "silence":
		for _, o := range r.nodes {
			if c := o.copies[group]; !o.down && c != nil {
				r.tell("%d: no leader heard for %d ticks", o.id, c.group.age.silence)
			}
		}
	case "age":
		s.copies[group].group.age.silence = int(r.number(d, "ticks", 0))
	case "inboxes":
		// What is in the network lies in the inboxes, and nobody has looked into them.
		for _, m := range r.network {
			r.node(m.ToNode).host.Receive(m)
		}
		r.network = nil
	case "wake":
		for range r.number(d, "n", 1) {
			s.copies[group].group.Wake()
		}
		r.rest(d)
	case "hold-rest":
		r.holdsRest = true
	case "watch":
		r.watches = true
	case "messages":
		// How many messages a while brings forth.
		r.sent = 0
		r.tick(int(r.number(d, "ticks", 1)))
		r.tell("%d messages", r.sent)
	case "fill":
		// So many large items, one after the other.
		for i := range r.number(d, "n", 1) {
			r.quiet = true
			s.put(group, fmt.Sprint("fill", i), strings.Repeat(r.text(d, "with"), int(r.number(d, "bytes", 1000))))
			r.settle()
			r.quiet = false
			if told := r.told(); !strings.HasSuffix(told, ": done\n") {
				r.tell("%.200s", told)
				return true
			}
		}
		r.tell("filled")
	case "log":
		for _, o := range r.nodes {
			if c := o.copies[group]; !o.down && c != nil {
				l := c.group.log
				r.tell("%d: entries %d to %d, %d of them in memory", o.id, l.truncated.index+1, l.last, len(l.recent))
			}
		}
	case "tombstone":
		r.write(s, tombstoneKey(r.number(d, "of", 0)), mark{index: r.number(d, "replica", 0)}.append(nil))
	case "voted":
		r.write(s, hardKey(r.number(d, "of", 0)), hard{
			replica: r.number(d, "replica", 0), term: r.number(d, "term", 0), vote: r.number(d, "vote", 0),
		}.append(nil))
	case "hard":
		for _, o := range r.nodes {
			h, found, err := machine.ReadRecord(o.engine, hardKey(r.number(d, "of", 0)), parseHard)
			r.must(err)
			r.tell("%d: %t, replica %d term %d vote %d commit %d", o.id, found, h.replica, h.term, h.vote, h.commit)
		}
	case "rows":
		for _, o := range r.nodes {
			r.tell("%d: %s", o.id, strings.Join(o.rows(), " "))
		}
	case "corrupt":
		g := s.copies[group].group
		g.inbox.request(func() { g.at.index++ })
		r.rest(d)
	default:
		return false
	}
	return true
}

func (r *rig) write(s *station, key, value []byte) {
	b := s.engine.NewBatch()
	defer b.Close()
	b.Set(key, value)
	r.must(s.engine.Commit(b, true))
}

// rows are the items that a node holds, whoever answers for them.
func (s *station) rows() (names []string) {
	prefix := keys.Prefix(keys.SpaceData, 100)
	it, err := s.engine.Iter(prefix, keys.SuccessorPrefix(prefix))
	s.rig.must(err)
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.Value()
		s.rig.must(err)
		item, err := record.ParseItem(value)
		s.rig.must(err)
		pk, _ := item.Attributes.Get("pk")
		names = append(names, pk.Text())
	}
	s.rig.must(it.Close())
	return names
}
