package stator_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"sort"
	"strings"
)

// The rules of architecture_test.go that look inside files: purity, comments, names and sizes.

// pure rooms hold the answers that every copy and every release must agree on.
var pure = []string{"internal/model", "internal/partition/command", "internal/partition/machine", "internal/cluster/placement"}

// impureImports bring in a clock, randomness or I/O. crypto/md5 and the like stay lawful, being functions of their input.
var impureImports = []string{
	"stator/internal/base/clock", "os", "io/fs", "net", "syscall", "log", "math/rand", "crypto/rand", "hash/maphash", "plugin", "runtime/debug",
}

// pureImports lie below impure ones and touch nothing: net/netip is arithmetic on addresses.
var pureImports = []string{"net/netip"}

func checkPurity(t tree) []string {
	return t.eachProduct(func(s source) []string {
		if !withinAny(s.dir, pure) {
			return nil
		}
		violations := clocksAndGoroutines(s)
		for name, at := range s.imports() {
			if withinAny(name, impureImports) && !withinAny(name, pureImports) {
				violations = append(violations, fmt.Sprintf("%s: %s is pure: it does not import %s", at, s.dir, name))
			}
		}
		return violations
	})
}

// stepping rooms step when told: node owns the goroutines, which is what lets a simulator replay them.
var stepping = []string{"internal/partition", "internal/cluster/catalog", "internal/cluster/placement"}

func checkStepping(t tree) []string {
	return t.eachProduct(func(s source) []string {
		if !withinAny(s.dir, stepping) || withinAny(s.dir, pure) {
			return nil
		}
		return clocksAndGoroutines(s)
	})
}

// clockCalls are the functions of package time that read a clock or wait for one.
var clockCalls = map[string]bool{
	"Now": true, "Since": true, "Until": true, "Sleep": true, "After": true, "AfterFunc": true, "Tick": true, "NewTimer": true, "NewTicker": true,
}

func clocksAndGoroutines(s source) []string {
	var violations []string
	ast.Inspect(s.syntax, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.GoStmt:
			violations = append(violations, fmt.Sprintf("%s: a goroutine in %s, which steps when told", s.at(node), s.dir))
		case *ast.SelectorExpr:
			if from, ok := node.X.(*ast.Ident); ok && from.Name == "time" && clockCalls[node.Sel.Name] {
				violations = append(violations, fmt.Sprintf("%s: time.%s in %s: moments are handed in", s.at(node), node.Sel.Name, s.dir))
			}
		}
		return true
	})
	return violations
}

// sentenceWordsMax bounds the first sentence of a package comment: what cannot be said in so many words is two packages.
const sentenceWordsMax = 45

// emptyWords describe any package, hence none.
var emptyWords = []string{"functionality", "utilities", "helpers", "various", "miscellaneous"}

func checkPackageComments(t tree) []string {
	type comment struct {
		text, at string
		count    int
	}
	comments := map[string]*comment{}
	names := map[string]string{}
	for _, s := range t {
		if s.test {
			continue
		}
		names[s.dir] = s.syntax.Name.Name
		if comments[s.dir] == nil {
			comments[s.dir] = &comment{}
		}
		if s.syntax.Doc != nil {
			c := comments[s.dir]
			c.text, c.at, c.count = s.syntax.Doc.Text(), s.path, c.count+1
		}
	}
	var violations []string
	for dir, c := range comments {
		if c.count != 1 {
			violations = append(violations, fmt.Sprintf("%s: %d package comments, not one", dir, c.count))
			continue
		}
		opening := "Package " + names[dir] + " "
		if names[dir] == "main" {
			opening = "Command " + path.Base(dir) + " "
		}
		if !strings.HasPrefix(c.text, opening) {
			violations = append(violations, fmt.Sprintf("%s: the package comment does not begin with %q", c.at, opening))
		}
		sentence, _, _ := strings.Cut(strings.ReplaceAll(c.text, "\n", " "), ". ")
		if words := len(strings.Fields(sentence)); words > sentenceWordsMax {
			violations = append(violations, fmt.Sprintf("%s: the package comment's first sentence has %d words, %d at most", c.at, words, sentenceWordsMax))
		}
		for _, word := range emptyWords {
			if strings.Contains(strings.ToLower(c.text), word) {
				violations = append(violations, fmt.Sprintf("%s: %q says nothing about a package", c.at, word))
			}
		}
	}
	sort.Strings(violations)
	return violations
}

// emptyNames are the names behind which anything fits.
var emptyNames = map[string]bool{
	"manager": true, "helper": true, "helpers": true, "util": true, "utils": true, "common": true, "impl": true, "data": true, "info": true,
	"process": true, "do": true, "types": true, "misc": true,
}

func checkNames(t tree) []string {
	var violations []string
	for _, s := range t {
		file := strings.TrimSuffix(strings.TrimSuffix(path.Base(s.path), ".go"), "_test")
		if emptyNames[file] {
			violations = append(violations, s.path+": a file is named for an operation or a noun")
		}
		if name := s.syntax.Name.Name; emptyNames[name] || strings.ContainsAny(strings.TrimSuffix(name, "_test"), "_ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			violations = append(violations, fmt.Sprintf("%s: package %s: a package is one lower-case noun or verb with a meaning", s.path, name))
		}
	}
	sort.Strings(violations)
	return violations
}

const (
	fileLinesMax     = 500
	functionLinesMax = 70
	parametersMax    = 4
)

// checkSizes bounds files, and the functions of the product: a test's table may be as long as its cases are many.
func checkSizes(t tree) []string {
	var violations []string
	for _, s := range t {
		if s.lines > fileLinesMax && !s.generated {
			violations = append(violations, fmt.Sprintf("%s: %d lines, %d at most", s.path, s.lines, fileLinesMax))
		}
	}
	return append(violations, t.eachProduct(func(s source) []string {
		var violations []string
		for _, declaration := range s.syntax.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := s.set.Position(function.End()).Line - s.set.Position(function.Pos()).Line + 1
			if lines > functionLinesMax {
				violations = append(violations, fmt.Sprintf("%s: %s has %d lines, %d at most", s.at(function), function.Name.Name, lines, functionLinesMax))
			}
			if n := function.Type.Params.NumFields(); n > parametersMax {
				violations = append(violations, fmt.Sprintf("%s: %s has %d parameters, %d at most: take a struct", s.at(function), function.Name.Name, n, parametersMax))
			}
		}
		return violations
	})...)
}

// checkErrorTexts finds strings.Contains(err.Error(), ...) and its kin, and comparisons of err.Error() with something.
func checkErrorTexts(t tree) []string {
	return t.eachProduct(func(s source) []string {
		var violations []string
		ast.Inspect(s.syntax, func(node ast.Node) bool {
			guilty := false
			switch node := node.(type) {
			case *ast.CallExpr:
				selector, ok := node.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if from, ok := selector.X.(*ast.Ident); ok && from.Name == "strings" && len(node.Args) > 0 {
					switch selector.Sel.Name {
					case "Contains", "HasPrefix", "HasSuffix", "EqualFold", "Index":
						guilty = isErrorText(node.Args[0])
					}
				}
			case *ast.BinaryExpr:
				guilty = (node.Op == token.EQL || node.Op == token.NEQ) && (isErrorText(node.X) || isErrorText(node.Y))
			}
			if guilty {
				violations = append(violations, s.at(node)+": an error is told by its type or value, not by its text")
			}
			return true
		})
		return violations
	})
}

// isErrorText recognizes a call of a method Error without arguments.
func isErrorText(expression ast.Expr) bool {
	call, ok := expression.(*ast.CallExpr)
	if !ok || len(call.Args) > 0 {
		return false
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	return ok && selector.Sel.Name == "Error"
}

// leftovers are the words under which unfinished work is parked; it belongs into an issue.
var leftovers = []string{"TO" + "DO", "FIX" + "ME", "X" + "XX"}

func checkLeftovers(t tree) []string {
	var violations []string
	for _, s := range t {
		for _, group := range s.syntax.Comments {
			for _, word := range leftovers {
				if strings.Contains(group.Text(), word) {
					violations = append(violations, fmt.Sprintf("%s: %s in a comment", s.at(group), word))
				}
			}
		}
	}
	sort.Strings(violations)
	return violations
}
