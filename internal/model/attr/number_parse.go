package attr

// ParseNumber reads a number as a client writes it (grammar, range and precision: semantics.md §5). The second result is
// "" or DynamoDB's message.
func ParseNumber(text string) (Number, string) {
	n, f := appendNumber(nil, text)
	if f != noFault {
		return nil, f.text([]byte(text))
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

func (d *decimal) parseExponent(text string) bool {
	below := false
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		below = text[0] == '-'
		text = text[1:]
	}
	if len(text) == 0 {
		return false
	}
	e := 0
	for i := range len(text) {
		c := text[i]
		if c < '0' || c > '9' {
			return false
		}
		e = min(e*10+int(c-'0'), exponentFar)
	}
	if below {
		e = -e
	}
	d.exponent += e
	return true
}

// append appends d as a Number. Range is judged before precision, as DynamoDB does.
func (d *decimal) append(dst []byte) ([]byte, fault) {
	if d.count == 0 {
		return append(dst, numberZero), noFault
	}
	// Dividing by two upwards: an odd exponent leaves one digit in the first pair.
	exponent := (d.exponent + 1) >> 1
	switch {
	case exponent > exponentMax:
		return dst, faultOverflow
	case exponent < exponentMin:
		return dst, faultUnderflow
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
