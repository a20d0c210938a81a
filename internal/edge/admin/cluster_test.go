package admin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"stator/internal/edge/admin"
	"stator/internal/jobs/rebalance"
)

// fakeCluster repeats what it is asked; it refuses node 13, and knows no table "x".
type fakeCluster struct{}

func (fakeCluster) AskCluster(_ context.Context, q rebalance.Question) (rebalance.Answer, error) {
	switch {
	case q.Node == 13:
		return rebalance.Answer{Refused: "not that one"}, nil
	case q.Table == "x":
		return rebalance.Answer{}, errors.New("nobody leads the catalog")
	}
	return rebalance.Answer{Text: fmt.Sprintf("%+v", q)}, nil
}

func TestCluster(t *testing.T) {
	const contentType, json = "Content-Type", "application/json"
	d, _, log := newDoor(func(o *admin.Options) { o.Cluster = fakeCluster{} })
	for _, test := range []struct {
		method, target string
		code           int
		text           string
	}{
		{"GET", "/cluster/status", 200, `{"text":"{Verb:status`},
		{"GET", "/cluster/partitions?table=t", 200, `Table:t`},
		{"GET", "/cluster/partitions?table=x", 503, `nobody leads the catalog`},
		{"POST", "/cluster/move?partition=102&from=1&to=4", 200, `Partition:102 From:1 To:4`},
		{"POST", "/cluster/move?partition=102&from=1", 400, `which to? move takes numbers: [partition from to]`},
		{"POST", "/cluster/transfer?partition=102&to=4", 200, `Partition:102 From:0 To:4`},
		{"POST", "/cluster/transfer?partition=-1&to=4", 400, `which partition?`},
		{"POST", "/cluster/decommission?node=3", 200, `Verb:decommission`},
		{"POST", "/cluster/recommission?node=3", 200, `Verb:recommission`},
		{"POST", "/cluster/upgrade", 200, `Verb:upgrade`},
		{"POST", "/cluster/set?replicas=5", 200, `Replicas:5 ReplaceAfterSeconds:0`},
		{"POST", "/cluster/set?replace_after_seconds=x", 400, `which replace_after_seconds?`},
		{"POST", "/cluster/decommission?node=13", 409, `{"refused":"not that one"}`},
		{"GET", "/cluster/decommission?node=3", 405, ``},
		{"GET", "/cluster/dance", 404, ``},
	} {
		code, text := ask(d, test.method, test.target, contentType, json)
		if code != test.code || !strings.Contains(text, test.text) {
			t.Errorf("%s %s: %d %q, want %d %q", test.method, test.target, code, text, test.code, test.text)
		}
	}
	if code, _ := ask(d, "POST", "/cluster/decommission?node=3", contentType, "text/plain"); code != 415 {
		t.Errorf("without the content type: %d", code)
	}
	if !strings.Contains(log.String(), "verb=decommission") || !strings.Contains(log.String(), "nobody leads") {
		t.Errorf("the log says %s", log.String())
	}
	alone, _, _ := newDoor(nil)
	if code, text := ask(alone, "GET", "/cluster/status"); code != 200 || text != `{"alone":true}`+"\n" {
		t.Errorf("alone: %d %q", code, text)
	}
	guarded, _, _ := newDoor(func(o *admin.Options) { o.Cluster, o.Token = fakeCluster{}, "secret" })
	if code, _ := ask(guarded, "GET", "/cluster/status"); code != 401 {
		t.Errorf("without the token: %d", code)
	}
}
