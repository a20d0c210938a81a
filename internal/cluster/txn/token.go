package txn

import (
	"sync"

	"stator/internal/partition/machine"
)

// tokensMax bounds how many request tokens a coordinator remembers.
const tokensMax = 1 << 16

// tokens are the tokens of requests that were performed here lately, to find one that comes back with another first item,
// where its record does not lie. The records decide; this is a courtesy as far as memory goes.
type tokens struct {
	mu sync.Mutex
	// Two generations of at most half of tokensMax each: the older one is let go when the younger is full.
	young, old map[string]performed
}

type performed struct {
	hash     [16]byte
	atMillis int64
}

// contradict tells whether a request's token was another request's.
func (t *tokens) contradict(q Request, nowMillis int64) bool {
	if q.Token == "" {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p, ok := t.young[q.Token]
	if !ok {
		p, ok = t.old[q.Token]
	}
	return ok && p.hash != q.Hash && nowMillis-p.atMillis <= machine.TokenMillis
}

func (t *tokens) add(q Request, nowMillis int64) {
	if q.Token == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.young) >= tokensMax/2 {
		t.old, t.young = t.young, nil
	}
	if t.young == nil {
		t.young = map[string]performed{}
	}
	t.young[q.Token] = performed{hash: q.Hash, atMillis: nowMillis}
}
