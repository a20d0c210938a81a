// Package partiql is the part of the PartiQL language that DynamoDB speaks: statements are parsed and become the compiled conditions, updates and
// projections of package expr. It does not know tables: which attributes are keys it is told.
package partiql

import (
	"strings"
	"sync"
)

// Error is a refusal of a statement. Text is the message of DynamoDB's ValidationException.
type Error struct{ Text string }

// Error returns the message.
func (e *Error) Error() string { return e.Text }

// illFormed is the refusal of a text that has no parse. Some details are empty in DynamoDB too.
func illFormed(detail string) *Error {
	return &Error{"Statement wasn't well formed, can't be processed: " + detail}
}

// Parse gives the statement a text spells, from the cache or by the parser. Errors are *Error.
func Parse(text string) (*Statement, error) {
	if s := cache.get(text); s != nil {
		return s, nil
	}
	// The text may be a piece of a request's buffer; what is parsed refers to it.
	text = strings.Clone(text)
	s, err := parse(text)
	if err != nil {
		return nil, err
	}
	cache.put(text, s)
	return s, nil
}

// cacheEntriesMax bounds the cache of statements. A statement has at most 8,192 characters, so it holds some tens of megabytes at worst.
const cacheEntriesMax = 1024

// statements keeps parsed statements by their text, in two generations: when the young one is full it becomes the old one, and what the old one held is
// dropped unless it was asked for since.
type statements struct {
	mu         sync.Mutex
	young, old map[string]*Statement
}

var cache statements

func (c *statements) get(text string) *Statement {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.young[text]; s != nil {
		return s
	}
	s := c.old[text]
	if s != nil {
		c.enter(s.text, s)
	}
	return s
}

func (c *statements) put(text string, s *Statement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enter(text, s)
}

// enter is called with the mutex held.
func (c *statements) enter(text string, s *Statement) {
	if c.young == nil || len(c.young) >= cacheEntriesMax/2 {
		c.young, c.old = make(map[string]*Statement), c.young
	}
	c.young[text] = s
}
