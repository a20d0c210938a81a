package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stator/internal/model/cost"
)

// metered answers as the admin door does.
func metered(t *testing.T, w cost.Workload) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/workload" || r.URL.Query().Get("table") != w.Table {
			http.Error(to, "which table?", http.StatusBadRequest)
			return
		}
		if err := json.NewEncoder(to).Encode(w); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func day(units float64) []float64 {
	minutes := make([]float64, 24*60)
	for i := range minutes {
		minutes[i] = units * 60
	}
	return minutes
}

func TestCost(t *testing.T) {
	address := metered(t, cost.Workload{
		Table: "music", From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		Resources: []cost.Resource{{Read: day(100), Write: day(20), Bytes: 1 << 30}, {Name: "by-year", Write: day(10)}},
	})
	code, out, complaint := command("cost", "music", "--admin", address)
	if code != 0 {
		t.Fatalf("%d: %s", code, complaint)
	}
	for _, want := range []string{"1440 minutes metered since 2026-11-01 00:00 UTC", "ON-DEMAND", "PROVISIONED, FIXED", "100 units", "index by-year", "Prices: https://aws.amazon.com"} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}

	list := file(t, "prices.json", `{"name": "mine", "currency": "EUR", "prices": {"GB-month": {"price": 2, "source": "s", "date": "d"}}}`)
	_, out, complaint = command("cost", "music", "--admin", address, "--prices", list, "--json")
	var answer costAnswer
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		t.Fatalf("%v in %s %s", err, out, complaint)
	}
	if len(answer.Bills) != 4 || answer.Bills[0].Total != 2 || len(answer.Bills[0].Missing) != 2 {
		t.Errorf("bills %+v", answer.Bills)
	}

	for _, args := range [][]string{{"cost", "none", "--admin", address}, {"cost", "music", "--admin", address, "--prices", "nothing.json"}} {
		if code, _, complaint := command(args...); code != exitFailure || complaint == "" {
			t.Errorf("%v: %d %s", args, code, complaint)
		}
	}
}
