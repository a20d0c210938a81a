package attr

import "bytes"

// Number is a decimal number as bytes whose order is the order of numbers, so comparing, sorting and storing need no
// arithmetic. Equal numbers have equal bytes.
//
// A number is 0.P1P2…Pk × 100^e, where each P is a pair of decimal digits, P1 and Pk are not zero and e lies in -64…63:
// exactly the range 1E-130 … 9.99E+125 of DynamoDB, for its 256 powers of ten make 128 of a hundred. So sign and exponent
// share the first byte:
//
//	zero      0x80
//	positive  0x80+64+e, then P+1 for each pair
//	negative  0x7f-64-e, then 101-P for each pair, then 102
//
// The 102 puts -1 above -1.01, as a prefix it would sort below. A positive number needs no such end: its prefix is the
// smaller number. Pairs aligned on the decimal point are also what DynamoDB charges for, one byte each and one for the
// sign of a negative number, so the length of a Number is its size.
type Number []byte

const (
	numberZero     = 0x80
	exponentBias   = 64
	exponentMax    = 63 // of a hundred
	exponentMin    = -64
	pairsMax       = 20 // 38 digits that begin in the middle of a pair
	digitsMax      = 38
	negativeEnd    = 102
	negativeMirror = 101
)

// negative tells whether n is below zero.
func (n Number) negative() bool { return n[0] < numberZero }

// zero tells whether n is zero.
func (n Number) zero() bool { return len(n) == 1 }

// magnitude gives the exponent of a hundred and the count of pairs of n.
func (n Number) magnitude() (exponent, pairs int) {
	if n.negative() {
		return 0x7f - exponentBias - int(n[0]), len(n) - 2
	}
	return int(n[0]) - numberZero - exponentBias, len(n) - 1
}

// pair gives pair i of n, counted from 0.
func (n Number) pair(i int) byte {
	if n.negative() {
		return negativeMirror - n[1+i]
	}
	return n[1+i] - 1
}

// Size gives the number's bytes in DynamoDB's accounting (semantics.md §2.3): one, one for each pair of digits aligned on
// the decimal point, one more for a negative sign.
func (n Number) Size() int { return len(n) }

// AppendKey appends n in a form whose end can be seen without its length and whose order is the order of numbers.
func (n Number) AppendKey(dst []byte) []byte {
	dst = append(dst, n...)
	if n.negative() {
		return dst
	}
	return append(dst, 0)
}

// ReadKey reads a number that AppendKey wrote at the beginning of b and gives what follows it; false when there is none.
func ReadKey(b []byte) (n Number, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	end := byte(0)
	if b[0] < numberZero {
		end = negativeEnd
	}
	at := bytes.IndexByte(b[1:], end)
	if at < 0 {
		return nil, nil, false
	}
	n, rest = Number(b[:1+at]), b[2+at:]
	if end == negativeEnd {
		n = Number(b[:2+at])
	}
	return n, rest, n.wellFormed()
}

// wellFormed tells whether n is bytes that this package could have written.
func (n Number) wellFormed() bool {
	if len(n) == 0 {
		return false
	}
	if n.zero() {
		return n[0] == numberZero
	}
	_, pairs := n.magnitude()
	if pairs < 1 || pairs > pairsMax || (n.negative() && n[len(n)-1] != negativeEnd) {
		return false
	}
	for i := range pairs {
		if n.pair(i) > 99 {
			return false
		}
	}
	return n.pair(0) != 0 && n.pair(pairs-1) != 0 && n.digits() <= digitsMax
}

// digits gives the count of significant decimal digits of n.
func (n Number) digits() int {
	if n.zero() {
		return 0
	}
	_, pairs := n.magnitude()
	count := 2 * pairs
	if n.pair(0) < 10 {
		count--
	}
	if n.pair(pairs-1)%10 == 0 {
		count--
	}
	return count
}

// twoDigits holds "00" to "99".
const twoDigits = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

// Append appends n as DynamoDB writes it: plain decimal without an exponent, a plus, or zeros that say nothing
// (semantics.md §5.3).
func (n Number) Append(dst []byte) []byte {
	if n.zero() {
		return append(dst, '0')
	}
	if n.negative() {
		dst = append(dst, '-')
	}
	exponent, pairs := n.magnitude()
	at := 0
	if exponent <= 0 {
		dst = append(dst, '0', '.')
		for range -exponent {
			dst = append(dst, '0', '0')
		}
	} else {
		first := n.pair(0)
		if first >= 10 {
			dst = append(dst, '0'+first/10)
		}
		dst = append(dst, '0'+first%10)
		for at = 1; at < exponent; at++ {
			if at < pairs {
				dst = append(dst, twoDigits[2*int(n.pair(at))], twoDigits[2*int(n.pair(at))+1])
			} else {
				dst = append(dst, '0', '0')
			}
		}
		if at >= pairs {
			return dst
		}
		dst = append(dst, '.')
	}
	for ; at < pairs; at++ {
		p := 2 * int(n.pair(at))
		dst = append(dst, twoDigits[p], twoDigits[p+1])
	}
	if dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}
