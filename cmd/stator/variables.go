package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// variablePrefix and an underscore stand before the name of every variable.
const variablePrefix = "STATOR"

// serviceExpression is what Kubernetes puts into every container where a service's name begins with stator. Because of it a variable
// that nobody reads is worth a warning, where a flag that nobody knows is refused.
var serviceExpression = regexp.MustCompile(`^[A-Z0-9_]+_(SERVICE_HOST=|SERVICE_PORT[_=]|PORT=[a-z]+://|PORT_[0-9]+_)`)

// warnOfVariables names the variables that set no flag of any command, with those that may be meant.
func warnOfVariables(to io.Writer, program *kong.Node) {
	known := map[string]bool{}
	for _, flag := range flagsOf(program) {
		for _, name := range flag.Envs {
			known[name] = true
		}
	}
	for _, setting := range os.Environ() {
		name, _, _ := strings.Cut(setting, "=")
		if !strings.HasPrefix(name, variablePrefix+"_") || known[name] || serviceExpression.MatchString(setting) {
			continue
		}
		hint := "see 'stator --help'"
		if near := nearest(name, known); near != "" {
			hint = "did you mean " + near + "?"
		}
		fmt.Fprintf(to, "stator: the variable %s sets no flag and is ignored: %s\n", name, hint)
	}
}

// nearest is the name that differs least from one that is wrong: in what is neither their common beginning nor their common end.
// It is "" where that is more than a third of what stands behind the prefix.
func nearest(wrong string, known map[string]bool) (near string) {
	least := (len(wrong)-len(variablePrefix)-1)/3 + 1
	for name := range known {
		longer, shorter := max(len(wrong), len(name)), min(len(wrong), len(name))
		head := 0
		for head < shorter && wrong[head] == name[head] {
			head++
		}
		tail := 0
		for tail < shorter-head && wrong[len(wrong)-1-tail] == name[len(name)-1-tail] {
			tail++
		}
		differs := longer - head - tail
		if differs < least || differs == least && near != "" && name < near {
			near, least = name, differs
		}
	}
	return near
}
