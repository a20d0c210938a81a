package table

import "stator/internal/model/attr"

// Bounds of what counts as the time of an item's end, in seconds of the epoch (semantics §13.1). A zero is what programs write for "never",
// and is decades in the past; a value that is no date, such as milliseconds, has no end in sight.
const (
	expirySecondMin = 1
	expirySecondMax = 253_402_300_799 // the last of the year 9999
	// expiryAgeSecondsMax is how long after its end an item may still be deleted for it: five years.
	expiryAgeSecondsMax = 5 * 31_557_600
)

// Expiry is the second from which on an item of t is to be deleted, as its attribute TimeToLive has it: a number at the top level, of which
// a fraction does not count. ok is false for an item that stays.
func (t *Table) Expiry(item attr.Map) (second uint64, ok bool) {
	if t.TimeToLive == "" {
		return 0, false
	}
	v, has := item.Get(t.TimeToLive)
	if !has || v.Type() != attr.N {
		return 0, false
	}
	whole, ok := v.Number().Floor()
	if !ok || whole < expirySecondMin || whole > expirySecondMax {
		return 0, false
	}
	return uint64(whole), true
}

// Expired are the first and the last second whose items are to be deleted at a moment: what is older than five years is not.
func Expired(nowMillis int64) (first, last uint64) {
	now := max(0, nowMillis/1000)
	return uint64(max(expirySecondMin, now-expiryAgeSecondsMax)), uint64(now)
}
