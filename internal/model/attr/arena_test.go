package attr_test

import (
	"bytes"
	"strings"
	"testing"

	"stator/internal/model/attr"
)

func sized(bytes int, letter string) attr.Map {
	return attr.NewMap([]attr.Entry{{Name: "a", Value: attr.String(strings.Repeat(letter, bytes))}})
}

// What is cloned into an arena is a copy, whether it fits or not, and no clone takes another's place.
func TestArenaClones(t *testing.T) {
	for _, arena := range []*attr.Arena{nil, attr.NewArena()} {
		var want, got []attr.Map
		for i := range 100 {
			m := sized(i*10, string(rune('a'+i%26)))
			want = append(want, m.Clone())
			got = append(got, arena.Clone(m))
			clear(m)
		}
		for i := range got {
			_ = append(got[i], "beyond its end"...)
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("clone %d is %q, want %q", i, got[i], want[i])
			}
		}
		arena.Release()
	}
}

// An arena that was released is empty, and holds nothing that lay beside it.
func TestArenaIsEmptyAfterRelease(t *testing.T) {
	arena := attr.NewArena()
	list := append(arena.List(), arena.Clone(sized(40<<10, "large")), arena.Clone(sized(10, "small")))
	arena.Release()
	if list[0] != nil || list[1] != nil {
		t.Error("the list of a released arena still holds its maps")
	}
	if again := arena.Clone(sized(30<<10, "x")); cap(again) != len(again) || len(arena.List()) != 0 {
		t.Error("a released arena is not empty")
	}
}
