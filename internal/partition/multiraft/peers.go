package multiraft

import (
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// strangersMax bounds what a replica remembers of others that its own state does not name.
const strangersMax = 16

// peers tells on which node a replica lies. A replica that is behind is spoken to by others that it does not know yet, and
// has to answer them.
type peers struct {
	members   []command.Member
	outgoing  []command.Member
	strangers []command.Member
}

func (p *peers) know(d *machine.Descriptor, outgoing []command.Member) {
	p.members, p.outgoing = d.Members, outgoing
}

// learn takes note of where a message came from.
func (p *peers) learn(replica, node uint64) {
	if known, ok := p.node(replica); ok && known == node {
		return
	}
	if len(p.strangers) == strangersMax {
		p.strangers = p.strangers[1:]
	}
	p.strangers = append(p.strangers, command.Member{Replica: replica, Node: node})
}

func (p *peers) node(replica uint64) (uint64, bool) {
	if replica == 0 {
		return 0, false
	}
	for _, list := range [][]command.Member{p.members, p.outgoing, p.strangers} {
		for _, m := range list {
			if m.Replica == replica {
				return m.Node, true
			}
		}
	}
	return 0, false
}
