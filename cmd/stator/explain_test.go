package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
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
