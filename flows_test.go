package stator_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The walks of docs/flows name functions instead of lines, so that they outlive changes. A function that is renamed takes its
// name there along: here every name is looked for in the source.

// quoted is what a walk puts between backquotes, named those of it that are names, in Go or in the tree of files.
var (
	quoted = regexp.MustCompile("`[^`]+`")
	named  = regexp.MustCompile(`^[A-Za-z_]\w*([./][A-Za-z_]\w*)*$`)
)

func TestFlowsNameWhatIsThere(t *testing.T) {
	tree, err := parseTree(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	known := tree.names()
	walks, err := filepath.Glob("docs/flows/*.md")
	if err != nil || len(walks) == 0 {
		t.Fatalf("walks: %v, %v", walks, err)
	}
	for _, walk := range walks {
		text, err := os.ReadFile(walk)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range quoted.FindAllString(string(text), -1) {
			if name := strings.Trim(match, "`"); named.MatchString(name) && !known[name] {
				t.Errorf("%s: nothing is named %s", walk, match)
			}
		}
	}
}

// names are those of the product's folders and files, from any folder on and down to any, and those of its declarations: bare, behind their
// package or type, and behind both.
func (t tree) names() map[string]bool {
	known := map[string]bool{}
	for _, s := range t {
		if s.test {
			continue
		}
		for parts := strings.Split(s.path, "/"); len(parts) > 0; parts = parts[1:] {
			for end := range parts {
				known[strings.Join(parts[:end+1], "/")] = true
			}
		}
		add := func(owner string, ident *ast.Ident) {
			known[ident.Name] = true
			known[s.syntax.Name.Name+"."+ident.Name] = true
			if owner != "" {
				known[owner+"."+ident.Name] = true
				known[s.syntax.Name.Name+"."+owner+"."+ident.Name] = true
			}
		}
		for _, declaration := range s.syntax.Decls {
			declared(declaration, add)
		}
	}
	return known
}

// declared calls add with each name of a declaration, and the type whose method or field it is.
func declared(declaration ast.Decl, add func(owner string, ident *ast.Ident)) {
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		add(receiver(d), d.Name)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, ident := range spec.Names {
					add("", ident)
				}
			case *ast.TypeSpec:
				add("", spec.Name)
				members(spec, add)
			}
		}
	}
}

func members(spec *ast.TypeSpec, add func(owner string, ident *ast.Ident)) {
	var list *ast.FieldList
	switch of := spec.Type.(type) {
	case *ast.StructType:
		list = of.Fields
	case *ast.InterfaceType:
		list = of.Methods
	default:
		return
	}
	for _, field := range list.List {
		for _, ident := range field.Names {
			add(spec.Name.Name, ident)
		}
	}
}

// receiver is the type of a method, "" of a function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	of := d.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	ident, ok := of.(*ast.Ident)
	if !ok {
		return ""
	}
	return ident.Name
}
