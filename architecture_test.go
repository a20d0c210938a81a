package stator_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// The rules of ARCHITECTURE.md, held against the source itself. The tree is parsed in this process: a test that shelled out to the go
// command would be answered from the test cache after a violation was added. Each rule is seen to fail in architecture_planted_test.go.

// rule names what a source tree must satisfy; violations are sentences that begin with the place.
type rule struct {
	name  string
	check func(tree) []string
}

var rules = []rule{
	{"floors", checkFloors},
	{"walls", checkWalls},
	{"inputs stop at ops", checkInputs},
	{"purity", checkPurity},
	{"no clock and no goroutine where work is stepped", checkStepping},
	{"package comments", checkPackageComments},
	{"names", checkNames},
	{"sizes", checkSizes},
	{"errors are not told apart by their text", checkErrorTexts},
	{"no work left as a comment", checkLeftovers},
}

func TestArchitecture(t *testing.T) {
	tree, err := parseTree(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		t.Run(strings.ReplaceAll(r.name, " ", "-"), func(t *testing.T) {
			for _, violation := range r.check(tree) {
				t.Error(violation)
			}
		})
	}
}

// modulePath is the module whose tree is judged; nested modules answer for themselves.
const modulePath = "stator"

// source is one parsed Go file.
type source struct {
	path      string // slash-separated, from the root
	dir       string // path without the file name; "." at the root
	test      bool
	generated bool
	lines     int
	syntax    *ast.File
	set       *token.FileSet
}

type tree []source

// parseTree reads every Go file of the module, passing over nested modules and what the go command passes over.
func parseTree(files fs.FS) (tree, error) {
	var found tree
	set := token.NewFileSet()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipDirectory(files, name)
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		found = append(found, source{
			path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(syntax),
			lines: strings.Count(string(text), "\n"), syntax: syntax, set: set,
		})
		return nil
	})
	return found, err
}

func skipDirectory(files fs.FS, name string) error {
	if name == "." {
		return nil
	}
	base := path.Base(name)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules" {
		return fs.SkipDir
	}
	if _, err := fs.Stat(files, path.Join(name, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

// imports yields the path and position of every import of s; paths inside the module are given from the root.
func (s source) imports() map[string]string {
	found := make(map[string]string, len(s.syntax.Imports))
	for _, spec := range s.syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has accepted the literal, so this does not happen
		}
		found[name] = s.at(spec)
	}
	return found
}

// at is the file and line of a node.
func (s source) at(node ast.Node) string {
	position := s.set.Position(node.Pos())
	return fmt.Sprintf("%s:%d", position.Filename, position.Line)
}

// within says whether dir is room or below it.
func within(dir, room string) bool {
	return dir == room || strings.HasPrefix(dir, room+"/")
}

func withinAny(dir string, rooms []string) bool {
	for _, room := range rooms {
		if within(dir, room) {
			return true
		}
	}
	return false
}

// eachProduct calls visit for every file that is neither a test nor generated.
func (t tree) eachProduct(visit func(source) []string) []string {
	var violations []string
	for _, s := range t {
		if !s.test && !s.generated {
			violations = append(violations, visit(s)...)
		}
	}
	sort.Strings(violations)
	return violations
}

// floors lists the rooms of internal/ from the ground up. A room imports lower floors, and on its own floor only rooms further left.
var floors = [][]string{
	{"base/must", "base/wire", "base/clock", "base/trace", "base/metric", "base/limiter"},
	{"model/attr", "model/token", "model/table", "model/expr", "model/partiql", "model/policy", "model/capacity", "model/heat", "model/scaling", "model/cost", "model/advice", "model/api"},
	{"storage/engine", "storage/keys", "storage/record", "storage/bucket"},
	{"partition/command", "partition/machine", "partition/replica", "partition/solo", "partition/multiraft"},
	{"cluster/rpc", "cluster/session", "cluster/catalog", "cluster/placement", "cluster/budget", "cluster/insight", "cluster/router", "cluster/txn"},
	{"ops", "jobs/adopt", "jobs/propagate", "jobs/expire", "jobs/backfill", "jobs/settle", "jobs/trim", "jobs/drop", "jobs/split", "jobs/warm",
		"jobs/rebalance", "jobs/scale", "jobs/archive", "jobs/mirror"},
	{"edge/sigv4", "edge/iam", "edge/httpapi", "edge/admin", "edge/otlp", "edge/console"},
	{"node"},
}

// place finds the floor of a directory inside internal/ and its room's place on it.
func place(dir string) (floor, position int, room string, ok bool) {
	for floor, rooms := range floors {
		for position, room := range rooms {
			if within(dir, "internal/"+room) {
				return floor, position, room, true
			}
		}
	}
	return 0, 0, "", false
}

// checkFloors judges what the product imports; tests may reach for whatever shows what they must show.
func checkFloors(t tree) []string {
	return t.eachProduct(func(s source) []string {
		if !within(s.dir, "internal") {
			return nil
		}
		floor, position, room, ok := place(s.dir)
		if !ok {
			return []string{s.path + ": a room that no floor has: give it its place in ARCHITECTURE.md and in floors"}
		}
		var violations []string
		for name, at := range s.imports() {
			if name != modulePath && !strings.HasPrefix(name, modulePath+"/") {
				continue
			}
			below, left, other, ok := place(strings.TrimPrefix(name, modulePath+"/"))
			switch {
			case !ok:
				violations = append(violations, fmt.Sprintf("%s: %s imports %s, which stands outside the floors", at, room, name))
			case other == room || below < floor:
			case below > floor:
				violations = append(violations, fmt.Sprintf("%s: %s imports upwards: %s", at, room, other))
			case left > position:
				violations = append(violations, fmt.Sprintf("%s: %s imports %s, which is further right on its floor", at, room, other))
			}
		}
		return violations
	})
}

// wall keeps what is imported by name prefix inside some directories.
type wall struct {
	imported string   // an import path; what lies below it counts too
	except   string   // a path below it that this wall leaves alone
	inside   []string // the directories that may
	tests    bool     // whether test files anywhere may
}

var walls = []wall{
	{imported: "go.etcd.io/raft", inside: []string{"internal/partition/multiraft"}},
	{imported: "google.golang.org/grpc", inside: []string{"internal/cluster/rpc"}},
	{imported: "github.com/cockroachdb/pebble", except: "github.com/cockroachdb/pebble/v2/vfs", inside: []string{"internal/storage/engine"}},
	{imported: "github.com/cockroachdb/pebble/v2/vfs", inside: []string{"internal/storage/engine", "sim"}, tests: true},
	{imported: "net/http", inside: []string{".", "cmd", "internal/edge", "internal/cluster/rpc", "internal/storage/bucket", "test", "examples"}, tests: true},
	{imported: "go.opentelemetry.io", inside: []string{"internal/edge/otlp"}, tests: true},
	{imported: "github.com/valyala/fasthttp", inside: []string{"internal/edge"}},
	// ops and jobs meet in the router.
	{imported: "stator/internal/ops", inside: []string{"internal/ops", "internal/edge", "internal/node", "cmd", "gen", "sim", "test"}},
	{imported: "stator/internal/jobs", inside: []string{"internal/jobs", "internal/edge", "internal/node", "cmd", "sim", "test"}},
}

func checkWalls(t tree) []string {
	var violations []string
	for _, s := range t {
		for name, at := range s.imports() {
			for _, w := range walls {
				if !within(name, w.imported) || w.except != "" && within(name, w.except) || w.tests && s.test || w.admits(s.dir) {
					continue
				}
				violations = append(violations, fmt.Sprintf("%s: only %s may import %s", at, strings.Join(w.inside, ", "), name))
			}
		}
	}
	sort.Strings(violations)
	return violations
}

// admits says whether dir is inside; the root admits itself alone, or everything would be below it.
func (w wall) admits(dir string) bool {
	for _, room := range w.inside {
		if dir == room || room != "." && within(dir, room) {
			return true
		}
	}
	return false
}

// belowOps are the rooms that know commands and plans, never the request they came from.
var belowOps = []string{"internal/jobs", "internal/cluster", "internal/partition", "internal/storage", "internal/base"}

func checkInputs(t tree) []string {
	return t.eachProduct(func(s source) []string {
		if !withinAny(s.dir, belowOps) {
			return nil
		}
		var violations []string
		ast.Inspect(s.syntax, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok || !strings.HasSuffix(selector.Sel.Name, "Input") {
				return true
			}
			if from, ok := selector.X.(*ast.Ident); ok && from.Name == "api" {
				violations = append(violations, fmt.Sprintf("%s: api.%s below ops: a request ends there", s.at(node), selector.Sel.Name))
			}
			return true
		})
		return violations
	})
}
