package stator_test

import (
	"strings"
	"testing"
	"testing/fstest"
)

// planted is a small tree with one violation, and the words by which its rule must report it. An empty want is a lawful tree.
type planted struct {
	name  string
	files map[string]string
	check func(tree) []string
	want  string
}

func TestRulesFailOnPlantedViolations(t *testing.T) {
	for _, p := range plants {
		t.Run(strings.ReplaceAll(p.name, " ", "-"), func(t *testing.T) {
			files := fstest.MapFS{}
			for name, text := range p.files {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			tree, err := parseTree(files)
			if err != nil {
				t.Fatal(err)
			}
			found := strings.Join(p.check(tree), "\n")
			if p.want == "" && found != "" {
				t.Errorf("a lawful tree is reported: %s", found)
			}
			if p.want != "" && !strings.Contains(found, p.want) {
				t.Errorf("reported %q, want %q", found, p.want)
			}
		})
	}
}

// TestEveryRuleIsPlanted keeps the list of plants complete: a rule that nothing was seen to break may be broken itself.
func TestEveryRuleIsPlanted(t *testing.T) {
	for _, r := range rules {
		failed := false
		for _, p := range plants {
			files := fstest.MapFS{}
			for name, text := range p.files {
				files[name] = &fstest.MapFile{Data: []byte(text)}
			}
			tree, err := parseTree(files)
			if err != nil {
				t.Fatal(err)
			}
			failed = failed || len(r.check(tree)) > 0
		}
		if !failed {
			t.Errorf("no planted violation breaks the rule %q", r.name)
		}
	}
}

func one(name, text string) map[string]string { return map[string]string{name: text} }

var longFunction = "package expr\nfunc f() {\n" + strings.Repeat("\tg()\n", functionLinesMax) + "}\n"

var plants = []planted{
	{"floors upwards", one("internal/model/expr/a.go", "package expr\nimport _ \"stator/internal/ops\"\n"), checkFloors, "imports upwards: ops"},
	{"floors to the right", one("internal/model/table/a.go", "package table\nimport _ \"stator/internal/model/expr\"\n"), checkFloors, "further right"},
	{"floors ops and jobs", one("internal/jobs/trim/a.go", "package trim\nimport _ \"stator/internal/ops\"\n"), checkWalls, "may import stator/internal/ops"},
	{"floors unknown room", one("internal/attic/a.go", "package attic\n"), checkFloors, "a room that no floor has"},
	{"floors outside", one("internal/ops/a.go", "package ops\nimport _ \"stator/sim\"\n"), checkFloors, "outside the floors"},
	{"floors module root", one("internal/ops/a.go", "package ops\nimport _ \"stator\"\n"), checkFloors, "outside the floors"},
	{"floors lawful", one("internal/ops/a.go", "package ops\nimport _ \"stator/internal/model/attr\"\n"), checkFloors, ""},
	{"floors tests are free", one("internal/model/expr/a_test.go", "package expr\nimport _ \"stator/internal/ops\"\n"), checkFloors, ""},
	{"floors nested module", map[string]string{
		"examples/embedded/go.mod": "module embedded\n", "examples/embedded/internal/attic/a.go": "package attic\n",
	}, checkFloors, ""},

	{"walls pebble", one("internal/partition/solo/a.go", "package solo\nimport _ \"github.com/cockroachdb/pebble/v2\"\n"), checkWalls, "may import github.com/cockroachdb/pebble/v2"},
	{"walls pebble in tests", one("internal/ops/a_test.go", "package ops\nimport _ \"github.com/cockroachdb/pebble/v2\"\n"), checkWalls, "may import"},
	{"walls vfs in a test", one("internal/ops/a_test.go", "package ops\nimport _ \"github.com/cockroachdb/pebble/v2/vfs\"\n"), checkWalls, ""},
	{"walls vfs", one("internal/ops/a.go", "package ops\nimport _ \"github.com/cockroachdb/pebble/v2/vfs\"\n"), checkWalls, "pebble/v2/vfs"},
	{"walls raft", one("internal/partition/replica/a.go", "package replica\nimport _ \"go.etcd.io/raft/v3\"\n"), checkWalls, "multiraft may import go.etcd.io/raft/v3"},
	{"walls grpc", one("internal/node/a.go", "package node\nimport _ \"google.golang.org/grpc/codes\"\n"), checkWalls, "rpc may import google.golang.org/grpc"},
	{"walls http", one("internal/ops/a.go", "package ops\nimport _ \"net/http\"\n"), checkWalls, "may import net/http"},
	{"walls http at the root only", one("attic/a.go", "package attic\nimport _ \"net/http\"\n"), checkWalls, "may import net/http"},
	{"walls http lawful", one("internal/edge/admin/a.go", "package admin\nimport _ \"net/http/pprof\"\n"), checkWalls, ""},
	{"walls http in package stator", one("stator.go", "package stator\nimport _ \"net/http\"\n"), checkWalls, ""},
	{"walls fasthttp", one("internal/node/a.go", "package node\nimport _ \"github.com/valyala/fasthttp\"\n"), checkWalls, "may import github.com/valyala/fasthttp"},

	{"inputs", one("internal/cluster/router/a.go", "package router\nvar in *api.PutItemInput\n"), checkInputs, "api.PutItemInput below ops"},
	{"inputs lawful", one("internal/ops/a.go", "package ops\nvar in *api.PutItemInput\n"), checkInputs, ""},

	{"purity clock", one("internal/model/expr/a.go", "package expr\nimport \"time\"\nvar now = time.Now()\n"), checkPurity, "time.Now"},
	{"purity goroutine", one("internal/partition/machine/a.go", "package machine\nfunc f() { go f() }\n"), checkPurity, "a goroutine"},
	{"purity randomness", one("internal/cluster/placement/a.go", "package placement\nimport _ \"math/rand/v2\"\n"), checkPurity, "does not import math/rand/v2"},
	{"purity files", one("internal/model/attr/a.go", "package attr\nimport _ \"os\"\n"), checkPurity, "does not import os"},
	{"purity base clock", one("internal/partition/machine/a.go", "package machine\nimport _ \"stator/internal/base/clock\"\n"), checkPurity, "base/clock"},
	{"purity durations are lawful", one("internal/model/expr/a.go", "package expr\nimport \"time\"\nvar second = time.Second\n"), checkPurity, ""},

	{"stepping goroutine", one("internal/partition/replica/a.go", "package replica\nfunc f() { go f() }\n"), checkStepping, "a goroutine"},
	{"stepping clock", one("internal/cluster/catalog/a.go", "package catalog\nimport \"time\"\nvar t = time.NewTimer(1)\n"), checkStepping, "time.NewTimer"},
	{"stepping not at the roof", one("internal/node/a.go", "package node\nfunc f() { go f() }\n"), checkStepping, ""},

	{"comments missing", one("internal/ops/a.go", "package ops\n"), checkPackageComments, "0 package comments"},
	{"comments twice", map[string]string{
		"internal/ops/a.go": "// Package ops is one.\npackage ops\n", "internal/ops/b.go": "// Package ops is two.\npackage ops\n",
	}, checkPackageComments, "2 package comments"},
	{"comments opening", one("internal/ops/a.go", "// This is ops.\npackage ops\n"), checkPackageComments, "does not begin with"},
	{"comments empty words", one("internal/ops/a.go", "// Package ops provides functionality.\npackage ops\n"), checkPackageComments, "functionality"},
	{"comments length", one("internal/ops/a.go", "// Package ops is "+strings.Repeat("very ", sentenceWordsMax)+"long.\npackage ops\n"), checkPackageComments, "words"},
	{"comments lawful", map[string]string{
		"cmd/stator/main.go": "// Command stator serves.\npackage main\n", "internal/ops/a.go": "// Package ops is the meaning.\npackage ops\n",
	}, checkPackageComments, ""},

	{"names file", one("internal/ops/types.go", "package ops\n"), checkNames, "a file is named for"},
	{"names package", one("internal/ops/a.go", "package util\n"), checkNames, "package util"},
	{"names package case", one("internal/ops/a.go", "package my_ops\n"), checkNames, "package my_ops"},
	{"names lawful", one("internal/ops/a_test.go", "package ops_test\n"), checkNames, ""},

	{"sizes file", one("internal/ops/a.go", "package ops\n"+strings.Repeat("\n", fileLinesMax)), checkSizes, "501 lines"},
	{"sizes test file", one("internal/ops/a_test.go", "package ops\n"+strings.Repeat("\n", fileLinesMax)), checkSizes, "501 lines"},
	{"sizes generated", one("internal/ops/a.go", "// Code generated by x. DO NOT EDIT.\npackage ops\n"+strings.Repeat("\n", fileLinesMax)), checkSizes, ""},
	{"sizes function", one("internal/model/expr/a.go", longFunction), checkSizes, "f has 72 lines"},
	{"sizes parameters", one("internal/ops/a.go", "package ops\nfunc f(a, b, c, d, e int) {}\n"), checkSizes, "5 parameters"},

	{"error texts contains", one("internal/ops/a.go", "package ops\nvar x = strings.Contains(err.Error(), \"full\")\n"), checkErrorTexts, "not by its text"},
	{"error texts equal", one("internal/ops/a.go", "package ops\nvar x = err.Error() == \"full\"\n"), checkErrorTexts, "not by its text"},
	{"error texts lawful", one("internal/ops/a.go", "package ops\nvar x = \"at: \" + err.Error()\n"), checkErrorTexts, ""},

	{"leftovers", one("internal/ops/a.go", "package ops\n\n// TO"+"DO: later\nvar x int\n"), checkLeftovers, "in a comment"},
}
