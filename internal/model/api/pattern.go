package api

import (
	"regexp"
	"sync"
)

// pattern is a constraint on a string's characters: the service's text of it, and the match.
type pattern struct {
	java  string
	match func(string) bool
}

func (p *pattern) text() string {
	return "Member must satisfy regular expression pattern: " + p.java
}

// matcher makes the match of a regular expression. It is compiled when it is first needed: most processes need none.
func matcher(expression string) func(string) bool {
	compiled := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
	return func(value string) bool { return compiled().MatchString(value) }
}

// isName matches [a-zA-Z0-9_.-]+ by hand, because every request has a table's name in it.
func isName(value string) bool {
	for i := range len(value) {
		c := value[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return value != ""
}
