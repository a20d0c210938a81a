package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"stator/internal/base/metric"
	"stator/internal/cluster/catalog"
	"stator/internal/edge/admin"
	"stator/internal/jobs/rebalance"
)

// actor is a cluster that says what it is told to, after it was asked so many times in vain.
type actor struct {
	answer rebalance.Answer
	asked  []rebalance.Question
	vain   int
}

func (a *actor) AskCluster(_ context.Context, q rebalance.Question) (rebalance.Answer, error) {
	a.asked = append(a.asked, q)
	if len(a.asked) <= a.vain {
		return rebalance.Answer{}, errors.New("nobody leads the catalog")
	}
	return a.answer, nil
}

// askActor runs a cluster command against an admin door with that cluster behind it.
func askActor(t *testing.T, a *actor, args ...string) (code int, out, complaint string) {
	t.Helper()
	door := admin.New(admin.Options{
		Operator: operator{}, Cluster: a, Requests: metric.NewRequests(slices.Values([]string{})), Log: slog.New(slog.DiscardHandler), Token: "secret",
	})
	server := httptest.NewServer(door.Handler())
	defer server.Close()
	return command(append([]string{"cluster", args[0], "--admin", strings.TrimPrefix(server.URL, "http://"), "--admin-token", file(t, "token", "secret\n")}, args[1:]...)...)
}

var shownOverview = rebalance.Overview{
	Cluster: "00000000000000ab", Leader: 1, Replicas: 3, Format: 1,
	Nodes: []rebalance.Node{
		{ID: 1, Zone: "a", State: "up", RPC: "10.0.0.1:7000", HTTP: "10.0.0.1:8000", Release: "1.2", Format: 3, Replicas: 3, Leads: 2, Bytes: 5 << 30, DiskBytes: 100 << 30, FreeBytes: 60 << 30},
		{ID: 2, Zone: "b", State: "up", SilentMillis: 250_000, Format: 2, Replicas: 3},
		{ID: 3, State: "gone", SilentMillis: 9_000_000, Format: 1},
	},
	Tally:   rebalance.Tally{Total: 3, Whole: 1, Lacking: 1, Stopped: 1},
	Moves:   []rebalance.Move{{Partition: 7, Node: 1}, {Partition: 8, Node: 2, Ready: true}},
	Wanted:  []catalog.Move{{Partition: 9, From: 1, To: 4}},
	Splits:  []rebalance.Split{{Partition: 5, ReadBytes: 4 << 30, Bytes: 11 << 30}},
	Damaged: []rebalance.DamagedReplica{{Partition: 6, Node: 1, ForMillis: 121_000}}, DamagedCount: 2, ReplaceAfterSeconds: 300,
	Blocked: []string{"partition 9: no node can take one more replica (more replicas are wanted)"}, BlockedCount: 3, MovesCount: 2,
	Recent: []rebalance.Recent{{AgoMillis: 61_000, Text: "partition 7: a replica is added on node 1: more replicas are wanted"}},
}

func TestClusterTables(t *testing.T) {
	partitions := []rebalance.Partition{
		{ID: 101, Table: "cities", Leader: 2, Items: 12, Bytes: 3 << 20, Replicas: []rebalance.Replica{{Node: 1, Current: true}, {Node: 2, Current: true}, {Node: 3}}},
		{ID: 105, Table: "cities", Index: 104, Replicas: []rebalance.Replica{{Node: 1}, {Node: 3, Learner: true}}},
	}
	for _, test := range []struct {
		args   []string
		answer rebalance.Answer
		want   string
	}{
		{[]string{"status"}, rebalance.Answer{Overview: &shownOverview}, `
cluster 00000000000000ab, 3 replicas of everything, as node 1 has it, which leads the catalog

nodes       3: 1 up, 1 silent, 1 gone
format      1; all nodes read 2: 'stator cluster upgrade' raises it
partitions  3: 1 whole, 1 lacking replicas, 1 without a leader
moving      partition 7 to node 1: catching up
            partition 8 to node 2: has caught up
            partition 9 from node 1 to node 4: has yet to begin
splitting   partition 5: 4 GiB of 11 GiB read in search of its middle
damaged     partition 6 on node 1: out of service for 2 min, made anew after 5 min
            and 1 more
blocked     partition 9: no node can take one more replica (more replicas are wanted)
            and 2 more
last steps  61 s ago: partition 7: a replica is added on node 1: more replicas are wanted
`},
		{[]string{"nodes"}, rebalance.Answer{Overview: &shownOverview}, `
NODE  STATE             ZONE  REPLICAS  LEADS  DATA   DISK FREE          RPC            CLIENTS        RELEASE
1     up                a     3         2      5 GiB  60 GiB of 100 GiB  10.0.0.1:7000  10.0.0.1:8000  1.2
2     up, silent 4 min  b     3         0      0 B    -                  -              -              -
3     gone              -     0         0      0 B    -                  -              -              -
`},
		{[]string{"partitions", "cities"}, rebalance.Answer{Partitions: partitions}, `
PARTITION  TABLE              NODES                      ITEMS  DATA
101        cities             1 2* 3?                    12     3 MiB
105        cities, index 104  1 3+ (no leader is known)  0      0 B
`},
	} {
		code, out, complaint := askActor(t, &actor{answer: test.answer}, test.args...)
		if got := "\n" + out; code != 0 || got != test.want {
			t.Errorf("%q: exit %d, %s\n%s\nwant\n%s", test.args, code, complaint, got, test.want)
		}
	}
}

// With --json the answer comes as it is, of which a program can be sure.
func TestClusterJSON(t *testing.T) {
	for _, args := range [][]string{{"status"}, {"nodes"}, {"partitions"}, {"move", "1", "--from", "1", "--to", "2"}} {
		code, out, complaint := askActor(t, &actor{answer: rebalance.Answer{Overview: &shownOverview}}, append(args, "--json")...)
		var answer rebalance.Answer
		if err := json.Unmarshal([]byte(out), &answer); err != nil || code != 0 || answer.Overview == nil || answer.Overview.Leader != 1 {
			t.Errorf("%q: exit %d, %s%s", args, code, out, complaint)
		}
	}
}

func TestClusterVerbs(t *testing.T) {
	for _, test := range []struct {
		args []string
		want rebalance.Question
	}{
		{[]string{"move", "102", "--from", "1", "--to", "4"}, rebalance.Question{Verb: rebalance.VerbMove, Partition: 102, From: 1, To: 4}},
		{[]string{"transfer", "102", "--to", "4"}, rebalance.Question{Verb: rebalance.VerbTransfer, Partition: 102, To: 4}},
		{[]string{"decommission", "3"}, rebalance.Question{Verb: rebalance.VerbDecommission, Node: 3}},
		{[]string{"decommission", "3", "--cancel"}, rebalance.Question{Verb: rebalance.VerbRecommission, Node: 3}},
		{[]string{"set", "--replicas", "5", "--replace-after", "10m"}, rebalance.Question{Verb: rebalance.VerbSet, Replicas: 5, ReplaceAfterSeconds: 600}},
		{[]string{"set", "--replace-after", "1ms"}, rebalance.Question{Verb: rebalance.VerbSet, ReplaceAfterSeconds: 1}},
		{[]string{"upgrade"}, rebalance.Question{Verb: rebalance.VerbUpgrade}},
		{[]string{"partitions"}, rebalance.Question{Verb: rebalance.VerbPartitions}},
		{[]string{"partitions", "cities"}, rebalance.Question{Verb: rebalance.VerbPartitions, Table: "cities"}},
	} {
		a := &actor{answer: rebalance.Answer{Text: "it is begun"}}
		code, out, complaint := askActor(t, a, test.args...)
		if code != 0 || len(a.asked) != 1 || a.asked[0] != test.want || test.want.Verb != rebalance.VerbPartitions && out != "it is begun\n" {
			t.Errorf("%q: exit %d, asked %+v, %s%s", test.args, code, a.asked, out, complaint)
		}
	}
	code, out, complaint := askActor(t, &actor{answer: rebalance.Answer{Refused: "there is no node 9"}}, "decommission", "9")
	if code != exitFailure || out != "" || complaint != "stator: there is no node 9\n" {
		t.Errorf("refused: exit %d, %q %q", code, out, complaint)
	}
}

// Who looks while nobody leads the catalog is patient; who wants something done is told.
func TestClusterWithoutALeader(t *testing.T) {
	a := &actor{answer: rebalance.Answer{Overview: &shownOverview}, vain: 2}
	if code, out, complaint := askActor(t, a, "nodes"); code != 0 || len(a.asked) != 3 || !strings.Contains(out, "10.0.0.1:7000") {
		t.Errorf("exit %d after %d questions, %s%s", code, len(a.asked), out, complaint)
	}
	a = &actor{vain: 1}
	if code, _, complaint := askActor(t, a, "decommission", "3"); code != exitFailure || complaint != "stator: the server cannot tell: nobody leads the catalog\n" {
		t.Errorf("exit %d, %q", code, complaint)
	}
}

// A node that is alone says so: that is an answer to who looks, and a refusal to who wants something done.
func TestClusterAlone(t *testing.T) {
	for _, args := range [][]string{{"status"}, {"nodes"}, {"partitions"}} {
		if code, out, complaint := askActor(t, &actor{answer: rebalance.Answer{Alone: true}}, args...); code != 0 || out != aloneText+"\n" {
			t.Errorf("%q: exit %d, %q %q", args, code, out, complaint)
		}
	}
	for _, args := range [][]string{{"move", "1", "--from", "1", "--to", "2"}, {"transfer", "1", "--to", "2"}, {"decommission", "1"}} {
		if code, out, complaint := askActor(t, &actor{answer: rebalance.Answer{Alone: true}}, args...); code != exitFailure || out != "" || complaint != "stator: "+aloneText+"\n" {
			t.Errorf("%q: exit %d, %q %q", args, code, out, complaint)
		}
	}
}

// What a new cluster was to begin with says nothing of what this one shall have.
func TestSetTakesNoVariables(t *testing.T) {
	t.Setenv("STATOR_REPLICAS", "1")
	t.Setenv("STATOR_CONFIG", file(t, "config", "replicas: 1\n"))
	a := &actor{}
	askActor(t, a, "set", "--replace-after", "10m")
	if len(a.asked) != 1 || a.asked[0].Replicas != 0 {
		t.Errorf("asked for %+v", a.asked)
	}
}

func TestClusterWithoutItsToken(t *testing.T) {
	code, _, complaint := askActor(t, &actor{}, "status", "--admin-token", file(t, "other", "other\n"))
	if code != exitFailure || !strings.Contains(complaint, "name the file with --admin-token FILE") {
		t.Errorf("exit %d, %q", code, complaint)
	}
}

func TestClusterMistakes(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"stauts"}, exitUsage, `did you mean "status"?`},
		{[]string{"move", "102", "--form", "1"}, exitUsage, `did you mean "--from"?`},
		{[]string{"move", "102"}, exitUsage, "missing flags: --from=NODE, --to=NODE"},
		{[]string{"move", "cities", "--from", "1", "--to", "2"}, exitUsage, "<partition>"},
		{[]string{"transfer", "--to", "1"}, exitUsage, `expected "<partition>"`},
		{[]string{"decommission"}, exitUsage, `expected "<node>"`},
		{[]string{}, exitUsage, "expected one of"},
		{[]string{"status", "--admin", "127.0.0.1:1"}, exitFailure, "nothing answers at 127.0.0.1:1"},
		{[]string{"status", "--admin", ":::"}, exitFailure, "is no address"},
		{[]string{"status", "--admin-token", "/nonexistent"}, exitFailure, "cannot read the admin token"},
	} {
		code, out, complaint := command(append([]string{"cluster"}, test.args...)...)
		if code != test.code || !strings.Contains(complaint, test.want) || out != "" {
			t.Errorf("%q: exit %d, %q, want %d and %q", test.args, code, complaint, test.code, test.want)
		}
	}
}

func TestAgo(t *testing.T) {
	for millis, want := range map[int64]string{900: "0 s", 61_000: "61 s", 130_000: "2 min", 8_000_000: "2 h", 1 << 28: "3 days", 1 << 53: "ever"} {
		if got := ago(millis); got != want {
			t.Errorf("%d ms is %q, want %q", millis, got, want)
		}
	}
}
