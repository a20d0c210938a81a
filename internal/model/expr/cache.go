package expr

import (
	"strings"
	"sync"
)

// cacheEntriesMax bounds each of the three caches of syntax trees.
const cacheEntriesMax = 1024

// cache keeps syntax trees by their text. It holds two generations: when the young one is full it becomes the old one, and what the old one held is
// dropped unless it was asked for since. That is nearly a least-recently-used cache without a list to maintain on every hit.
type cache[T any] struct {
	mu         sync.Mutex
	young, old map[string]entry[T]
}

// entry holds its own key: a look-up's key may be a piece of a request's buffer and must not move into a map.
type entry[T any] struct {
	text string
	tree *T
}

func (c *cache[T]) get(text string) *T {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, found := c.young[text]; found {
		return e.tree
	}
	e, found := c.old[text]
	if found {
		c.enter(e)
	}
	return e.tree
}

func (c *cache[T]) put(text string, tree *T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enter(entry[T]{text, tree})
}

// enter is called with the mutex held.
func (c *cache[T]) enter(e entry[T]) {
	if c.young == nil || len(c.young) >= cacheEntriesMax/2 {
		c.young, c.old = make(map[string]entry[T]), c.young
	}
	c.young[e.text] = e
}

// parse gives the tree of a text, from the cache or by the parser, which gets a copy of the text to keep. Only trees without fault are kept.
func (c *cache[T]) parse(text string, parser func(text string) (*T, string)) (*T, string) {
	if tree := c.get(text); tree != nil {
		return tree, ""
	}
	if fault := checkText(text); fault != "" {
		return nil, fault
	}
	text = strings.Clone(text)
	tree, fault := parser(text)
	if fault == "" {
		c.put(text, tree)
	}
	return tree, fault
}

var (
	conditionCache  cache[conditionTree]
	projectionCache cache[projectionTree]
	updateCache     cache[updateTree]
)
