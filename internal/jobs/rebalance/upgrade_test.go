package rebalance_test

import (
	"strings"
	"testing"

	"stator/internal/cluster/catalog"
	"stator/internal/jobs/rebalance"
)

// The format is raised to the newest that all nodes read which may come back, and only while all of them answer.
func TestUpgrade(t *testing.T) {
	w := newWorld(t, 4)
	w.check(w.UpdateCluster(t.Context(), func(c catalog.Cluster) (catalog.Cluster, error) {
		c.Format = 2
		return c, nil
	}))
	w.state(4, catalog.Gone)
	w.reads = map[uint64]int{1: 4, 2: 3, 3: 3, 4: 1}
	j := w.job()
	upgrade := func(text, refused string, format int) {
		t.Helper()
		a, err := j.Answer(t.Context(), rebalance.Question{Verb: rebalance.VerbUpgrade})
		known, _ := w.Cluster()
		if err != nil || !strings.Contains(a.Text, text) || !strings.Contains(a.Refused, refused) || known.Format != format {
			t.Errorf("%+v, %v, and the cluster writes format %d, want %q%q and %d", a, err, known.Format, text, refused, format)
		}
	}
	w.silent[2] = 1
	upgrade("", "node 2 does not answer", 2)
	delete(w.silent, 2)
	w.reads[3] = 2
	upgrade("", "the cluster writes format 2, and node 3 (test) reads no newer one", 2)
	w.reads[3] = 3
	upgrade("the cluster writes format 3 from now on", "", 3)
	upgrade("", "reads no newer one", 3)
}
