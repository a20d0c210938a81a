package rebalance_test

import (
	"strings"
	"testing"

	"stator/internal/cluster/catalog"
	"stator/internal/jobs/rebalance"
)

// Each question gets its answer; what cannot be is refused in a sentence.
func TestAnswers(t *testing.T) {
	w := newWorld(t, 3)
	j := w.job()
	if _, err := j.Answer(t.Context(), rebalance.Question{Verb: rebalance.VerbStatus}); err == nil {
		t.Error("an answer before the first look")
	}
	w.walk(j)
	first := w.partitions()[0].ID
	for _, test := range []struct {
		name string
		rebalance.Question
		text, refused string
	}{
		{"no verb", rebalance.Question{Verb: "dance"}, "", "there is no verb"},
		{"no table", rebalance.Question{Verb: rebalance.VerbPartitions, Table: "nothing"}, "", "there is no table nothing"},
		{"moved to nowhere", rebalance.Question{Verb: rebalance.VerbMove, Partition: first, From: 1, To: 9}, "", "there is no node 9"},
		{"transferred to nowhere", rebalance.Question{Verb: rebalance.VerbTransfer, Partition: first, To: 9}, "", "no voting replica on node 9: it is on nodes"},
		{"no node", rebalance.Question{Verb: rebalance.VerbDecommission, Node: 9}, "", "there is no node 9"},
		{"not leaving", rebalance.Question{Verb: rebalance.VerbRecommission, Node: 3}, "", "node 3 is not leaving"},
		{"leaving", rebalance.Question{Verb: rebalance.VerbDecommission, Node: 3}, "node 3 is leaving: stop it once", ""},
		{"two stay", rebalance.Question{Verb: rebalance.VerbDecommission, Node: 3}, "3 replicas and 2 nodes stay", ""},
		{"nothing set", rebalance.Question{Verb: rebalance.VerbSet}, "", "what is to be set?"},
		{"an even number", rebalance.Question{Verb: rebalance.VerbSet, Replicas: 4}, "", "is 1, 3, 5 or 7"},
		{"too many", rebalance.Question{Verb: rebalance.VerbSet, Replicas: 9}, "", "is 1, 3, 5 or 7"},
		{"impatient", rebalance.Question{Verb: rebalance.VerbSet, ReplaceAfterSeconds: 5}, "", "30 seconds at least"},
		{"patient", rebalance.Question{Verb: rebalance.VerbSet, ReplaceAfterSeconds: 1200}, "3 replicas, and a node that is silent for 20m0s", ""},
		{"more", rebalance.Question{Verb: rebalance.VerbSet, Replicas: 5}, "5 replicas, and a node that is silent for 20m0s", ""},
		{"more than nodes", rebalance.Question{Verb: rebalance.VerbSet, Replicas: 5}, "There are 2 nodes: what has a replica on each", ""},
		{"staying", rebalance.Question{Verb: rebalance.VerbRecommission, Node: 3}, "node 3 stays", ""},
	} {
		a, err := j.Answer(t.Context(), test.Question)
		if err != nil || !strings.Contains(a.Text, test.text) || !strings.Contains(a.Refused, test.refused) || (a.Refused != "") != (test.refused != "") {
			t.Errorf("%s: %+v, %v", test.name, a, err)
		}
	}
	if n, _ := w.Node(3); n.State != catalog.Up {
		t.Errorf("node 3 is %s", n.State)
	}
	if a, err := j.Answer(t.Context(), rebalance.Question{Verb: rebalance.VerbStatus}); err != nil || len(a.Overview.Nodes) != 3 {
		t.Errorf("status: %+v, %v", a, err)
	}
	if a, err := j.Answer(t.Context(), rebalance.Question{Verb: rebalance.VerbPartitions}); err != nil || len(a.Partitions) != 3 {
		t.Errorf("partitions: %+v, %v", a, err)
	}
	w.state(1, catalog.Leaving)
	w.state(2, catalog.Leaving)
	if a, err := j.Answer(t.Context(), rebalance.Question{Verb: rebalance.VerbDecommission, Node: 3}); err != nil || !strings.Contains(a.Refused, "the only one") {
		t.Errorf("the last node: %+v, %v", a, err)
	}
}
