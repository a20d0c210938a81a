package attr

// floorPairsMax is how many pairs of digits before the point Floor reads: 18 digits, which every int64 has room for.
const floorPairsMax = 9

// Floor gives the largest whole number that is not above n; false when it has more than 18 digits.
func (n Number) Floor() (int64, bool) {
	if n.zero() {
		return 0, true
	}
	exponent, pairs := n.magnitude()
	if exponent > floorPairsMax {
		return 0, false
	}
	whole := int64(0)
	for i := range exponent {
		whole *= 100
		if i < pairs {
			whole += int64(n.pair(i))
		}
	}
	if !n.negative() {
		return whole, true
	}
	if pairs > max(exponent, 0) {
		whole++
	}
	return -whole, true
}
