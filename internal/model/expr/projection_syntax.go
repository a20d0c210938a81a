package expr

func parseProjection(text string) (*projectionTree, string) {
	p := newParser(text)
	for {
		if _, ok := p.path(nil); !ok {
			return nil, p.syntaxError()
		}
		if p.peek().kind == tokenEnd {
			break
		}
		if !p.is(',') {
			return nil, p.syntaxError()
		}
		p.at++
	}
	if fault := first(p.step, p.tooDeep()); fault != "" {
		return nil, fault
	}
	return &projectionTree{p.seal()}, ""
}
