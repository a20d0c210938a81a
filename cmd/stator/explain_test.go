package main

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"stator/internal/cluster/insight"
)

// The scripts in testdata/telling are commands about a table, with what the admin door answers and what is printed.
func TestTelling(t *testing.T) {
	datadriven.Walk(t, "testdata/telling", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			asked := ""
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.Method + " " + r.URL.String()
				_, _ = w.Write([]byte(d.Input))
			}))
			defer server.Close()
			args := []string{d.Cmd}
			for _, arg := range d.CmdArgs {
				args = append(args, arg.Key)
			}
			code, out, complaint := command(append(args, "--admin", strings.TrimPrefix(server.URL, "http://"))...)
			if code != 0 {
				t.Fatalf("%d: %s", code, complaint)
			}
			return asked + "\n\n" + out
		})
	})
}

// A drawing has a line a partition, a cell a minute in which anything was served, and is one that a browser reads.
func TestHeatDrawing(t *testing.T) {
	shares := make([]float64, insight.Minutes)
	shares[3], shares[59] = 0.5, 1.5
	answer, err := json.Marshal(insight.Ring{
		Table: "a<b", Capacity: "report", Until: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC),
		Spaces: []insight.Space{{Partitions: []insight.Warm{{Partition: 101, Reads: shares}, {Partition: 102}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "heat.svg")
	if code, _, complaint := command("heat", "a<b", "--svg", path, "--admin", strings.TrimPrefix(server.URL, "http://")); code != 0 {
		t.Fatal(complaint)
	}
	drawn, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var svg struct {
		Rects []struct {
			Title string `xml:"title"`
			Fill  string `xml:"fill,attr"`
		} `xml:"rect"`
		Texts []string `xml:"text"`
	}
	if err := xml.Unmarshal(drawn, &svg); err != nil {
		t.Fatal(err)
	}
	if len(svg.Rects) != 3 || svg.Rects[1].Title != "50 %" || svg.Rects[2].Title != "150 %" || svg.Rects[2].Fill != "#c81414" {
		t.Errorf("cells %+v", svg.Rects)
	}
	if !slices.Contains(svg.Texts, "101, from the beginning") || !slices.Contains(svg.Texts, "11:04") || !strings.Contains(svg.Texts[0], "a<b") {
		t.Errorf("texts %q", svg.Texts)
	}
	if code, _, complaint := command("heat", "a<b", "--svg", t.TempDir(), "--admin", strings.TrimPrefix(server.URL, "http://")); code != exitFailure {
		t.Errorf("into a folder: %d %s", code, complaint)
	}
}
