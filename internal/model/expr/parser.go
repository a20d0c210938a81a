package expr

import (
	"strconv"
	"strings"
)

// Limits of an expression (semantics §4).
const (
	textBytesMax        = 4096
	operatorsMax        = 300
	inOperandsMax       = 100
	legacyInOperandsMax = 27500 // of IN as a ComparisonOperator: so many DynamoDB was seen to take
	pathStepsMax        = 32
	pathIndexesMax      = 1 << 30 // larger indexes all lie past the end of any list
)

const textTooLong = "Expression size has exceeded the maximum allowed size;"

// parser holds what the parsers of conditions, updates and projections share: a place in the tokens and what was noted so far.
type parser struct {
	tables
	faults

	text   string
	tokens []token
	at     int
}

func newParser(text string) *parser { return &parser{text: text, tokens: lex(text)} }

// checkText refuses what is refused before a look at the grammar. "" means that the text may be parsed.
func checkText(text string) string {
	if strings.TrimLeft(text, " \t\r\n") == "" {
		return "The expression can not be empty;"
	}
	if len(text) > textBytesMax {
		return textTooLong
	}
	return ""
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) spelling(t token) string { return p.text[t.start:t.end] }

// is tells whether the next token is the given punctuation.
func (p *parser) is(punct byte) bool {
	t := p.peek()
	return t.kind == tokenPunct && p.text[t.start] == punct
}

// keyword tells whether the next token is the given upper-case keyword, in any case.
func (p *parser) keyword(word string) bool {
	t := p.peek()
	return t.kind == tokenWord && t.end-t.start == len(word) && strings.EqualFold(p.spelling(t), word)
}

// anyKeyword tells whether the next token is one of the words.
func (p *parser) anyKeyword(words []string) bool {
	for _, word := range words {
		if p.keyword(word) {
			return true
		}
	}
	return false
}

// syntaxError describes the next token as the one that does not fit. Near are the token before it, the token and the one after it, as the text has them.
func (p *parser) syntaxError() string {
	t := p.peek()
	from, to := t.start, t.end
	if p.at > 0 {
		from = p.tokens[p.at-1].start
	}
	spelled := "<EOF>"
	if t.kind == tokenEnd {
		if p.at > 0 {
			to = p.tokens[p.at-1].end
		}
	} else {
		spelled = p.spelling(t)
		if after := p.tokens[p.at+1]; after.kind != tokenEnd {
			to = after.end
		}
	}
	return `Syntax error; token: "` + spelled + `", near: "` + p.text[from:to] + `"`
}

// path parses name { "." name | "[" digits "]" } and enters it. keywords are the words of the grammar at hand, which cannot begin or continue a path.
func (p *parser) path(keywords []string) (int, bool) {
	path, ok := p.steps(nil, keywords)
	if !ok {
		return 0, false
	}
	return p.addPath(path), true
}

// steps continues a path, or begins one when it is empty.
func (p *parser) steps(path Path, keywords []string) (Path, bool) {
	if len(path) == 0 {
		name, ok := p.name(keywords)
		if !ok {
			return nil, false
		}
		path = Path{name}
	}
	for {
		switch {
		case p.is('.'):
			p.at++
			name, ok := p.name(keywords)
			if !ok {
				return nil, false
			}
			path = append(path, name)
		case p.is('['):
			p.at++
			index, ok := p.index()
			if !ok {
				return nil, false
			}
			path = append(path, index)
		default:
			return path, true
		}
	}
}

func (p *parser) name(keywords []string) (Element, bool) {
	t := p.peek()
	if t.kind != tokenName && t.kind != tokenWord || p.anyKeyword(keywords) {
		return Element{}, false
	}
	name := p.spelling(t)
	if t.kind == tokenWord && isReserved(name) {
		note(&p.step, "Attribute name is a reserved keyword; reserved keyword: "+name)
	}
	p.at++
	return Element{Name: name}, true
}

func (p *parser) index() (Element, bool) {
	t := p.peek()
	if t.kind != tokenDigits {
		return Element{}, false
	}
	digits := p.spelling(t)
	index, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		note(&p.step, "List index is not within the allowable range; index: ["+digits+"]")
	}
	p.at++
	if !p.is(']') {
		return Element{}, false
	}
	p.at++
	return Element{Index: min(int(index), pathIndexesMax), Indexed: true}, true
}

// tooDeep is the message for a path with too many steps, "" when there is none.
func (t *tables) tooDeep() string {
	for _, path := range t.paths {
		if len(path) > pathStepsMax {
			return "The document path has too many nesting levels; nesting levels: " + strconv.Itoa(len(path))
		}
	}
	return ""
}

// operator counts one operator. The count stops one past the limit, as DynamoDB's does.
func (p *parser) operator() {
	if p.operators <= operatorsMax {
		p.operators++
	}
}

// tooMany is the message for too many operators, "" when there are not.
func (f *faults) tooMany() string {
	if f.operators <= operatorsMax {
		return ""
	}
	return "The expression contains too many operators; operator count: " + strconv.Itoa(f.operators)
}

func (f *faults) redundant() string {
	if !f.parens {
		return ""
	}
	return "The expression has redundant parentheses;"
}

// first gives the first text that says something. Its arguments are all evaluated: a check that relies on another having passed does not belong here.
func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
