package expr

import "unicode/utf8"

// tokenKind tells tokens apart as far as the grammars need it.
type tokenKind byte

const (
	tokenEnd     tokenKind = iota
	tokenWord              // an identifier, a keyword or a function name
	tokenName              // #alias
	tokenValue             // :alias
	tokenDigits            // a list index
	tokenCompare           // = <> < <= > >=
	tokenPunct             // one of ( ) [ ] , . + -
	tokenStray             // a character no grammar knows
)

// token is a piece of an expression's text, by byte offsets.
type token struct {
	kind       tokenKind
	start, end int
}

// lex cuts the text into tokens, the last of which is tokenEnd. It cannot fail: a character that fits nowhere becomes a stray token, which the parser
// then names in its message. DynamoDB's words begin with a letter: an underscore in that place is a stray token of its own.
func lex(text string) []token {
	tokens := make([]token, 0, 8+len(text)/3)
	for at := 0; at < len(text); {
		c := text[at]
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			at++
			continue
		}
		kind, end := scan(text, at)
		tokens = append(tokens, token{kind, at, end})
		at = end
	}
	return append(tokens, token{tokenEnd, len(text), len(text)})
}

// scan finds the kind and the end of the token at an offset.
func scan(text string, at int) (tokenKind, int) {
	c := text[at]
	switch {
	case isLetter(c):
		return tokenWord, wordEnd(text, at)
	case c == '#' || c == ':':
		end := wordEnd(text, at+1)
		if end == at+1 {
			return tokenStray, end
		}
		if c == '#' {
			return tokenName, end
		}
		return tokenValue, end
	case isDigit(c):
		end := at + 1
		for end < len(text) && isDigit(text[end]) {
			end++
		}
		return tokenDigits, end
	case c == '=':
		return tokenCompare, at + 1
	case c == '<' || c == '>':
		if at+1 < len(text) && (text[at+1] == '=' || c == '<' && text[at+1] == '>') {
			return tokenCompare, at + 2
		}
		return tokenCompare, at + 1
	case c == '(' || c == ')' || c == '[' || c == ']' || c == ',' || c == '.' || c == '+' || c == '-':
		return tokenPunct, at + 1
	}
	_, size := utf8.DecodeRuneInString(text[at:])
	return tokenStray, at + size
}

func wordEnd(text string, at int) int {
	for at < len(text) && (isLetter(text[at]) || isDigit(text[at]) || text[at] == '_') {
		at++
	}
	return at
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
