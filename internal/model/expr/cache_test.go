package expr

import (
	"strconv"
	"sync"
	"testing"
)

// However many texts come by, the cache stays within its bound and gives everyone the tree of his text.
func TestCacheIsBounded(t *testing.T) {
	var c cache[string]
	parse := func(text string) (*string, string) { return &text, "" }
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 3 * cacheEntriesMax {
				text := "a = b" + strconv.Itoa(i*(worker+1))
				if tree, fault := c.parse(text, parse); fault != "" || *tree != text {
					t.Errorf("%q gave %q, %q", text, *tree, fault)
				}
			}
		})
	}
	group.Wait()
	if entries := len(c.young) + len(c.old); entries > cacheEntriesMax || entries < cacheEntriesMax/2 {
		t.Errorf("%d entries", entries)
	}
}

// What is asked for again and again survives what is asked for once.
func TestCacheKeepsWhatIsUsed(t *testing.T) {
	var c cache[string]
	parsed := 0
	parse := func(text string) (*string, string) {
		parsed++
		return &text, ""
	}
	for i := range 4 * cacheEntriesMax {
		c.parse("hot", parse)
		c.parse("cold"+strconv.Itoa(i), parse)
	}
	if want := 4*cacheEntriesMax + 1; parsed != want {
		t.Errorf("parsed %d times, want %d", parsed, want)
	}
}

// Texts with a fault are parsed anew each time: they must not push out those that work.
func TestCacheKeepsNoFaults(t *testing.T) {
	var c cache[string]
	if _, fault := c.parse("x", func(string) (*string, string) { return nil, "no" }); fault != "no" || len(c.young) != 0 {
		t.Errorf("fault %q, %d entries", fault, len(c.young))
	}
}

func TestReservedWords(t *testing.T) {
	if len(reserved) != 573 {
		t.Errorf("%d words", len(reserved))
	}
	for word, want := range map[string]bool{"Name": true, "STATUS": true, "zone": true, "named": false, "": false, "pk": false} {
		if isReserved(word) != want {
			t.Errorf("isReserved(%q) is not %v", word, want)
		}
	}
	for word := range reserved {
		if len(word) > reservedBytesMax {
			t.Errorf("%s is longer than any reserved word may be", word)
		}
	}
}
