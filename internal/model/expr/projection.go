package expr

import "stator/internal/model/attr"

// Projection is a parsed list of document paths bound to the names of a request. It is immutable.
type Projection struct {
	paths []Path
	root  branch
	top   []string // the names when all paths are top-level names, else nil
	flat  []Column // instead of root: what is chosen gets names of its own
}

// ParseProjection parses a ProjectionExpression. Errors are *Error.
func ParseProjection(text string, n *Names) (*Projection, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	tree, fault := projectionCache.parse(text, parseProjection)
	if fault != "" {
		return nil, ProjectionExpression.refuse(fault)
	}
	b := tree.bind(n)
	if !b.whole {
		for at := range tree.paths {
			if fault := tree.undefinedName(at, n); fault != "" {
				return nil, ProjectionExpression.refuse(fault)
			}
		}
	}
	p, fault := newProjection(b.paths)
	if fault != "" {
		return nil, ProjectionExpression.refuse(fault)
	}
	return p, nil
}

func newProjection(paths []Path) (*Projection, string) {
	root, fault := grow(paths)
	if fault != "" {
		return nil, fault
	}
	return projectionOf(paths, root), ""
}

func projectionOf(paths []Path, root branch) *Projection {
	p := &Projection{paths: paths, root: root}
	if len(paths) <= flatNamesMax && root.flat() {
		p.top = topNames(paths)
	}
	return p
}

// flatNamesMax is how many top-level names are worth comparing with each attribute of an item. Beyond it the sorted walk is faster.
const flatNamesMax = 16

// Apply returns the projected part of an item: attr.EmptyMap when nothing matches, nil for a missing item. A nil projection returns the item.
func (p *Projection) Apply(item attr.Map) attr.Map {
	switch {
	case p == nil || len(item) == 0:
		return item
	case p.top != nil:
		return item.Only(p.top...)
	case p.flat != nil:
		return chooseColumns(p.flat, item)
	}
	if chosen := p.root.choose(item); chosen != nil {
		return chosen
	}
	return attr.EmptyMap
}

// Attributes lists the top-level names the projection mentions, each once, in text order.
func (p *Projection) Attributes() []string {
	if p == nil {
		return nil
	}
	return topNames(p.paths)
}

// Paths lists the projected document paths in text order.
func (p *Projection) Paths() []Path {
	if p == nil {
		return nil
	}
	return p.paths
}
