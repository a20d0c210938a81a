package attr

import (
	"math"
	"strconv"
)

// ParseNumber reads a number as a client writes it (grammar, range and precision: semantics.md §5). The second result is
// "" or DynamoDB's message.
func ParseNumber(text string) (Number, string) {
	n, f := appendNumber(nil, text)
	if f != noFault {
		return nil, f.text([]byte(text), currentWords)
	}
	return Number(n), ""
}

// appendNumber appends the Number that text spells; dst is unchanged when there is a fault.
func appendNumber(dst []byte, text string) ([]byte, fault) {
	var d decimal
	if !d.parse(text) {
		return dst, faultNotNumeric
	}
	return d.append(dst)
}

// decimal is a number while it is read: 0.d1d2… × 10^exponent, d1 and the last digit not zero; no digits is zero.
type decimal struct {
	negative bool
	crowded  bool // there were more significant digits than fit
	exponent int
	count    int
	digits   [digitsMax]byte
	// What the number is as it is written: its digits from the first that is not zero, those after the point, and its exponent.
	precision, scale, written int
}

// parse reads all of text, which may be as long as a request: it keeps no more than the digits that can matter.
func (d *decimal) parse(text string) bool {
	at := 0
	if at < len(text) && (text[at] == '+' || text[at] == '-') {
		d.negative = text[at] == '-'
		at++
	}
	at, ok := d.parseDigits(text, at)
	if !ok {
		return false
	}
	if at == len(text) {
		return true
	}
	if text[at] != 'e' && text[at] != 'E' {
		return false
	}
	return d.parseExponent(text[at+1:])
}

// parseDigits reads digits with at most one point among them and gives the place where they end.
func (d *decimal) parseDigits(text string, at int) (end int, ok bool) {
	zeros := 0 // since the last digit kept: they count only if another digit follows
	point := false
	for ; at < len(text); at++ {
		c := text[at]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		ok = true
		if point {
			d.scale++
		}
		if c != '0' || d.precision > 0 {
			d.precision++
		}
		switch {
		case c == '0' && d.count == 0:
			if point {
				d.exponent--
			}
			continue
		case c == '0':
			zeros++
		case d.count+zeros >= digitsMax:
			d.crowded = true
			zeros = 0
		default:
			d.count += zeros // the array is zero where nothing was kept
			d.digits[d.count] = c - '0'
			d.count++
			zeros = 0
		}
		if !point {
			d.exponent++
		}
	}
	return at, ok
}

// exponentFar is beyond what any number of digits in a request could bring back into range.
const exponentFar = 1 << 40

// parseExponent reads an exponent, which must fit into 64 bits.
func (d *decimal) parseExponent(text string) bool {
	e, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return false
	}
	d.written = int(max(min(e, exponentFar), -exponentFar))
	d.exponent += d.written
	return true
}

// append appends d as a Number. Range is judged before precision, as DynamoDB does.
func (d *decimal) append(dst []byte) ([]byte, fault) {
	leading := d.exponent
	if d.count == 0 {
		// Zero too has a place, that of its last digit.
		leading++
	}
	// Dividing by two upwards: an odd exponent leaves one digit in the first pair.
	exponent := (leading + 1) >> 1
	switch {
	case exponent > exponentMax:
		return dst, d.beyond(faultOverflow)
	case exponent < exponentMin:
		return dst, d.beyond(faultUnderflow)
	case d.count == 0:
		return append(dst, numberZero), noFault
	case d.crowded:
		return dst, faultDigits
	}
	var pairs [pairsMax]byte
	count, at := 0, 0
	if d.exponent&1 != 0 {
		pairs[0] = d.digits[0]
		count, at = 1, 1
	}
	for ; at < d.count; at += 2 {
		p := d.digits[at] * 10
		if at+1 < d.count {
			p += d.digits[at+1]
		}
		pairs[count] = p
		count++
	}
	return appendPairs(dst, d.negative, exponent, pairs[:count]), noFault
}

// beyond tells what the older layer, which knows 32 bits, makes of a number out of range.
func (d *decimal) beyond(f fault) fault {
	scale := d.scale - d.written
	switch {
	case d.written != int(int32(d.written)) || scale != int(int32(scale)):
		return f + faultOverflowFar - faultOverflow
	case max(d.precision, 1)-scale > math.MaxInt32:
		return faultOverflowWrapped
	}
	return f
}

// appendPairs appends the Number of the given sign, exponent of a hundred and pairs; the first and the last are not zero.
func appendPairs(dst []byte, negative bool, exponent int, pairs []byte) []byte {
	if !negative {
		dst = append(dst, byte(numberZero+exponentBias+exponent))
		for _, p := range pairs {
			dst = append(dst, p+1)
		}
		return dst
	}
	dst = append(dst, byte(0x7f-exponentBias-exponent))
	for _, p := range pairs {
		dst = append(dst, negativeMirror-p)
	}
	return append(dst, negativeEnd)
}
