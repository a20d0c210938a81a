package partiql

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// tokenKind tells tokens apart as far as the grammar needs it.
type tokenKind byte

const (
	tokenEnd       tokenKind = iota
	tokenName                // an identifier that is no keyword
	tokenQuoted              // "an identifier"
	tokenKeyword             // its text is in lower case
	tokenString              // 'a string'
	tokenNumber              // without a sign
	tokenParameter           // ?
	tokenPunct               // anything else, by its spelling
)

// token is a piece of a statement. text is what it means: quotes are gone and keywords are in lower case.
type token struct {
	kind       tokenKind
	text       string
	start, end int // byte offsets of the spelling
}

// is tells whether the token is the punctuation or the keyword.
func (t token) is(text string) bool {
	return (t.kind == tokenPunct || t.kind == tokenKeyword) && t.text == text
}

// lexer cuts a statement into tokens.
type lexer struct {
	text string
	at   int
}

// lex gives all tokens, the last of which is tokenEnd. A text with a fault in it is refused before its grammar is looked at.
func lex(text string) ([]token, *Error) {
	if !utf8.ValidString(text) {
		return nil, illFormed("")
	}
	l := lexer{text: text}
	tokens := make([]token, 0, 8+len(text)/4)
	for {
		if !l.skip() {
			return nil, illFormed("")
		}
		if l.at == len(text) {
			return append(tokens, token{tokenEnd, "", l.at, l.at}), nil
		}
		t, ok := l.next()
		if !ok {
			return nil, illFormed("")
		}
		tokens = append(tokens, t)
	}
}

// skip passes over white space and comments; false when a comment has no end.
func (l *lexer) skip() bool {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n\v\f", rest[0]) >= 0:
			l.at++
		case strings.HasPrefix(rest, "--"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.at += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return false
			}
			l.at += end + 4
		default:
			return true
		}
	}
	return true
}

// puncts are tried in this order: the longer ones first.
var puncts = []string{
	"<<", ">>", "<>", "<=", ">=", "!=", "||", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ".", ":", ";", "+", "-", "*", "/", "%",
}

func (l *lexer) next() (token, bool) {
	c := l.text[l.at]
	switch {
	case isNameStart(c):
		return l.word(), true
	case isDigit(c), c == '.' && l.at+1 < len(l.text) && isDigit(l.text[l.at+1]):
		return l.number()
	case c == '\'':
		return l.quoted(tokenString)
	case c == '"':
		return l.quoted(tokenQuoted)
	case c == '?':
		return l.take(tokenParameter, 1), true
	}
	for _, punct := range puncts {
		if strings.HasPrefix(l.text[l.at:], punct) {
			t := l.take(tokenPunct, len(punct))
			if punct == "!=" {
				t.text = "<>"
			}
			return t, true
		}
	}
	return token{}, false
}

// take makes the next bytes a token.
func (l *lexer) take(kind tokenKind, length int) token {
	t := token{kind, l.text[l.at : l.at+length], l.at, l.at + length}
	l.at = t.end
	return t
}

func (l *lexer) word() token {
	end := l.at
	for end < len(l.text) && (isNameStart(l.text[end]) || isDigit(l.text[end])) {
		end++
	}
	t := l.take(tokenName, end-l.at)
	if lower := strings.ToLower(t.text); keywords[lower] {
		t.kind, t.text = tokenKeyword, lower
	}
	return t
}

// quoted reads to the closing quote; a doubled quote stands for one.
func (l *lexer) quoted(kind tokenKind) (token, bool) {
	quote := l.text[l.at : l.at+1]
	for end := l.at + 1; ; {
		length := strings.Index(l.text[end:], quote)
		if length < 0 {
			return token{}, false
		}
		end += length + 1
		if strings.HasPrefix(l.text[end:], quote) {
			end++
			continue
		}
		t := l.take(kind, end-l.at)
		t.text = strings.ReplaceAll(t.text[1:len(t.text)-1], quote+quote, quote)
		return t, true
	}
}

// number reads digits with a point and an exponent. DynamoDB keeps exponent and scale in 32 bits, and cannot read what does not fit there.
func (l *lexer) number() (token, bool) {
	from := l.at
	whole := l.digits()
	fraction := 0
	if l.at < len(l.text) && l.text[l.at] == '.' {
		l.at++
		fraction = l.digits()
	}
	exponent := int64(0)
	if whole+fraction > 0 && l.at < len(l.text) && (l.text[l.at] == 'e' || l.text[l.at] == 'E') {
		l.at++
		at := l.at
		if l.at < len(l.text) && (l.text[l.at] == '+' || l.text[l.at] == '-') {
			l.at++
		}
		if l.digits() == 0 {
			return token{}, false
		}
		var err error
		if exponent, err = strconv.ParseInt(l.text[at:l.at], 10, 32); err != nil {
			return token{}, false
		}
	}
	if scale := int64(fraction) - exponent; scale > math.MaxInt32 || scale < math.MinInt32 {
		return token{}, false
	}
	return token{tokenNumber, l.text[from:l.at], from, l.at}, true
}

func (l *lexer) digits() int {
	from := l.at
	for l.at < len(l.text) && isDigit(l.text[l.at]) {
		l.at++
	}
	return l.at - from
}

func isNameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// position is where a token stands, as messages say it: line, column and length, in characters and from one.
func position(text string, t token) string {
	line := 1 + strings.Count(text[:t.start], "\n")
	column := 1 + utf8.RuneCountInString(text[strings.LastIndexByte(text[:t.start], '\n')+1:t.start])
	return " at " + strconv.Itoa(line) + ":" + strconv.Itoa(column) + ":" + strconv.Itoa(utf8.RuneCountInString(text[t.start:t.end]))
}
