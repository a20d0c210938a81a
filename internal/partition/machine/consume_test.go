package machine

import "testing"

// A day of changes of a partition that takes a thousand a second is counted, too.
func TestShareOfALongLog(t *testing.T) {
	const all, each = 86_400_000, 2_000
	for _, some := range []uint64{0, 1, all / 2, all - 1, all} {
		if got, want := share(all*each, some, all), int64(some*each); got != want {
			t.Errorf("%d of %d changes have %d bytes, want %d", some, all, got, want)
		}
	}
	if got := share(-5, 1, 2); got != 0 {
		t.Errorf("of fewer bytes than none there are %d", got)
	}
}
