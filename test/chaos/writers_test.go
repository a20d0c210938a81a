package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// scribes are writers of which each has keys of its own. A key whose last write nobody knows of is left alone from then on, so that it is
// known what every item must be, and what its changes were.
type scribes struct {
	*workload
	writers []*scribe
}

type scribe struct {
	writer
	// lost counts by key the writes that nobody knows of: it is part of the key's name.
	lost [keysEach]int
}

func newScribes(l *workload, c client, count int) *scribes {
	s := &scribes{workload: l}
	for number := range count {
		s.writers = append(s.writers, &scribe{writer: writer{client: c, ledger: newLedger(), name: fmt.Sprintf("w%02d", number)}})
	}
	return s
}

func (s *scribes) create(c client) { c.killTable() }

func (s *scribes) step(ctx context.Context, number int) error {
	w := s.writers[number%len(s.writers)]
	w.Client = s.any()
	slot := rand.IntN(keysEach)
	err := w.writer.step(ctx, fmt.Sprintf("%d-%d", slot, w.lost[slot]))
	if err != nil {
		w.lost[slot]++
	}
	return err
}

// check compares the table, its indexes and its stream with what the writers know.
func (s *scribes) check(c client, endpoint string) {
	c.t.Helper()
	var ledgers []*ledger
	for _, w := range s.writers {
		ledgers = append(ledgers, w.ledger)
	}
	histories := histories(c, endpoint, killTable)
	for _, l := range ledgers {
		for _, complaint := range l.compare(histories) {
			c.t.Error(complaint)
		}
	}
	for _, i := range c.all(killTable, "") {
		key := keyOf(i, "pk", "sk")
		if states := histories[key]; len(states) == 0 || states[len(states)-1] != textOf(i) {
			c.t.Errorf("%s is %s, and not as its last change left it", key, textOf(i))
		}
	}
	c.verify(ledgers)
	c.equalsFunction(killTable, "by-color", colored, "pk", "sk")
}

// compare holds the states that each item went through against what was acknowledged: all of it is there, in its order and once, and
// nothing else but a write whose answer never came.
func (l *ledger) compare(histories map[string][]string) (complaints []string) {
	for key, c := range l.cells {
		states := histories[key]
		at, last := 0, absent
		for _, text := range c.past {
			if text == last {
				continue // the deletion of nothing changes nothing
			}
			if last = text; at == len(states) || states[at] != text {
				complaints = append(complaints, fmt.Sprintf("%s: change %d is not the write of %q that was acknowledged, of %d changes", key, at, text, len(states)))
				break
			}
			at++
		}
		if at < len(states) && c.tried != nil && states[at] == *c.tried {
			at++
		}
		if at < len(states) {
			complaints = append(complaints, fmt.Sprintf("%s: change %d to %q was not asked for", key, at, states[at]))
		}
	}
	return complaints
}

// A change that is missing, twice, out of order or nobody's is found; a write whose answer never came may be among them or not.
func TestCompare(t *testing.T) {
	l := newLedger()
	for _, text := range []string{absent, "one", "two", absent, absent, "three"} {
		l.try("k", text)
		l.acknowledge("k")
	}
	l.try("k", "four")
	for _, test := range []struct {
		states []string
		wrong  bool
	}{
		{[]string{"one", "two", absent, "three"}, false}, {[]string{"one", "two", absent, "three", "four"}, false},
		{[]string{"one", absent, "three"}, true}, {[]string{"one", "two", "two", absent, "three"}, true},
		{[]string{"two", "one", absent, "three"}, true}, {[]string{"one", "two", absent, "three", "five"}, true}, {nil, true},
	} {
		if got := l.compare(map[string][]string{"k": test.states}); (len(got) > 0) != test.wrong {
			t.Errorf("%q: %q", test.states, got)
		}
	}
}
