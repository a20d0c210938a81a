package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stator/internal/model/advice"
	"stator/internal/model/cost"
	"stator/internal/model/table"
)

func TestAdvise(t *testing.T) {
	use := advice.Use{
		Workload: cost.Workload{
			Table: "music", From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
			Resources: []cost.Resource{{Read: day(1), Write: day(1)}},
		},
		Resources: []advice.Resource{{Provisioned: table.Throughput{Read: 500, Write: 500}}},
	}
	server := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/use" || r.URL.Query().Get("table") != "music" {
			http.Error(to, "which table?", http.StatusBadRequest)
			return
		}
		if err := json.NewEncoder(to).Encode(use); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	address := strings.TrimPrefix(server.URL, "http://")
	ask := func(args ...string) string {
		t.Helper()
		code, out, complaint := command(append([]string{"advise", "--admin", address}, args...)...)
		if code != 0 {
			t.Fatalf("%d: %s", code, complaint)
		}
		return out
	}
	out := ask("music")
	for _, want := range []string{"1440 minutes metered since 2026-11-01 00:00 UTC", "\nover-provisioning: ", " USD a month", "\n  change  "} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
	var answer adviceAnswer
	if err := json.Unmarshal([]byte(ask("music", "--json")), &answer); err != nil || len(answer.Findings) != 1 {
		t.Errorf("findings %+v, %v", answer.Findings, err)
	}
	use.Workload.Resources[0], use.Resources[0].Provisioned = cost.Resource{}, table.Throughput{}
	if out := ask("music"); !strings.Contains(out, "Nothing was metered") || !strings.Contains(out, "No hot partitions") {
		t.Errorf("of a table that was not used: %s", out)
	}
	if code, _, complaint := command("advise", "none", "--admin", address); code != exitFailure || !strings.Contains(complaint, "which table?") {
		t.Errorf("%d %s", code, complaint)
	}
}
