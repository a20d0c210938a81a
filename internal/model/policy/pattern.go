package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// patternRunesMax bounds a pattern, and with it the work of a match: a partition key, the longest text that conditions
// compare, has 2,048 bytes.
const patternRunesMax = 2048

// pattern is a text in which wildcards and variables may stand.
type pattern struct {
	text string
	// runes is the text with anyRun, anyOne and variables in it; nil when the text means itself.
	runes     []rune
	variables bool
	fold      bool // the case of letters does not matter
}

// What stands in a pattern's runes for other than itself. A variable is firstVariable less its key.
const (
	anyRun rune = -1 - iota
	anyOne
	firstVariable
)

// syntax is what in a pattern is not meant literally.
type syntax struct {
	wildcards, variables, fold bool
}

// parse makes a pattern of text. The fault is a sentence, "" for none.
func (s syntax) parse(text string) (p pattern, fault string) {
	p = pattern{text: text, fold: s.fold}
	special := false
	for rest := text; rest != ""; {
		if s.variables && strings.HasPrefix(rest, "${") {
			name, after, closed := strings.Cut(rest[2:], "}")
			r, known := variableNamed(name)
			if !closed || !known {
				return p, "Unknown policy variable in " + text
			}
			p.runes, rest = append(p.runes, r), after
			special, p.variables = true, p.variables || r <= firstVariable
			continue
		}
		r, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
		switch {
		case s.wildcards && r == '*':
			r, special = anyRun, true
		case s.wildcards && r == '?':
			r, special = anyOne, true
		}
		p.runes = append(p.runes, r)
	}
	if len(p.runes) > patternRunesMax {
		return p, "A text is longer than 2048 characters"
	}
	if !special {
		p.runes = nil
	}
	return p, ""
}

// variableNamed is what stands for ${name}: a key of which a request has one value, or one of the signs that would else be
// special.
func variableNamed(name string) (rune, bool) {
	switch name {
	case "*", "?", "$":
		return rune(name[0]), true
	}
	k, _, known := keyNamed(name)
	return firstVariable - rune(k), known && !keys[k].many && !k.ofTag()
}

func (p *pattern) matches(text string, f Facts) bool {
	switch {
	case p.runes == nil && p.fold:
		return strings.EqualFold(p.text, text)
	case p.runes == nil:
		return p.text == text
	}
	runes := p.runes
	if p.variables {
		var known bool
		if runes, known = p.filled(f); !known {
			return false
		}
	}
	return glob(runes, []rune(text), p.fold)
}

// filled puts the request's values in the place of variables. Wildcards in a value are meant literally: a caller must not
// widen what it may do by its name. A variable without a value matches nothing.
func (p *pattern) filled(f Facts) ([]rune, bool) {
	filled := make([]rune, 0, len(p.runes))
	for _, r := range p.runes {
		if r > firstVariable {
			filled = append(filled, r)
			continue
		}
		values := f.Values(Key(firstVariable - r))
		if len(values) == 0 {
			return nil, false
		}
		filled = append(filled, []rune(values[0])...)
	}
	return filled, true
}

// glob goes back to the last anyRun only, which is enough: a run that an earlier one leaves over, the last can take.
func glob(pattern, text []rune, fold bool) bool {
	p, t, run, tried := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == anyRun:
			run, tried = p, t
			p++
		case p < len(pattern) && (pattern[p] == anyOne || same(pattern[p], text[t], fold)):
			p++
			t++
		case run >= 0:
			tried++
			p, t = run+1, tried
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == anyRun {
		p++
	}
	return p == len(pattern)
}

func same(a, b rune, fold bool) bool {
	return a == b || fold && unicode.ToLower(a) == unicode.ToLower(b)
}
