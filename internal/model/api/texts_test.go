package api

import (
	"fmt"
	"strings"
	"testing"
)

// Whatever was said before, everybody gets his own text, though many fall on one slot; who says what was just said costs
// no allocation, and outlives the request that said it.
func TestKnownTexts(t *testing.T) {
	var kept texts
	spoken := []string{"", "Music", strings.Repeat("x", textBytesMax), strings.Repeat("x", textBytesMax+1)}
	for i := range 2 * textSlots {
		spoken = append(spoken, fmt.Sprintf("table%04d", i))
	}
	buffer := make([]byte, 0, 2*textBytesMax)
	for _, text := range spoken {
		buffer = append(buffer[:0], text...)
		got := kept.of(buffer)
		clear(buffer)
		if *got != text {
			t.Errorf("of %q: %q", text, *got)
		}
	}
	buffer = append(buffer[:0], "Music"...)
	kept.of(buffer)
	if allocations := testing.AllocsPerRun(100, func() { kept.of(buffer) }); allocations > 0 {
		t.Errorf("a known text costs %v allocations", allocations)
	}
}
