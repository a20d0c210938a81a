package iam

import (
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/table"
)

// need is one action on one resource that a request takes.
type need struct {
	action   string // with its service
	resource string // an ARN, or "*"
	// table is the table that the resource is or belongs to, nil if there is none; stream is the label if it is a stream.
	table  *table.Table
	stream string
	// key is the key that the action names items by: the table's, or the index's.
	key   table.Key
	items items
	// denied is where a denial is told when it stops only a part of the request, nil when it stops all of it.
	denied **api.Error
}

// anywhere is the resource of actions that are on none in particular.
const anywhere = "*"

// onTable needs an action on a table, which a request names by name or ARN, or with an index on that.
func (g *Guard) onTable(action, sent string, index *string) need {
	name, n := sent, need{action: action}
	if strings.HasPrefix(sent, "arn:") {
		var ours bool
		if name, ours = table.NameInARN(sent, g.Region, g.Account); !ours {
			n.resource = sent
			return n
		}
	}
	n.resource = table.ARN(g.Region, g.Account, name)
	t, known := g.Tables.Table(name)
	if known {
		n.table, n.key = t, t.Key
	}
	if index == nil {
		return n
	}
	n.resource += "/index/" + *index
	if !known {
		return n
	}
	if ix, ok := t.LocalIndex(*index); ok {
		n.key = ix.Key
	} else if ix, ok := t.GlobalIndex(*index); ok {
		n.key = ix.Key
	}
	return n
}

// onResource needs an action on what an ARN names: a table, what belongs to one, or anything else.
func (g *Guard) onResource(action, arn string) need {
	of, stream, isStream := strings.Cut(arn, "/stream/")
	of, index, isIndex := strings.Cut(of, "/index/")
	name, ours := table.NameInARN(of, g.Region, g.Account)
	if !ours {
		return need{action: action, resource: arn}
	}
	var n need
	if isIndex {
		n = g.onTable(action, name, &index)
	} else {
		n = g.onTable(action, name, nil)
	}
	if isStream {
		n.stream = stream
		n.resource += "/stream/" + stream
	}
	return n
}
