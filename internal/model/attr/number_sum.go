package attr

// Add gives n + m, exactly. The second result is "" or DynamoDB's message: a sum out of range, or one of more than 38
// significant digits, is refused as an overflow and never rounded (semantics.md §5.6).
func (n Number) Add(m Number) (Number, string) { return combine(n, m, m.negative()) }

// Sub gives n - m, exactly, or a message as Add does.
func (n Number) Sub(m Number) (Number, string) { return combine(n, m, !m.negative()) }

// A column is one power of a hundred; columns count downwards from the power a carry out of the largest number needs.
// The lowest is the last pair of the smallest number.
const (
	columnTop = exponentMax + 1
	columns   = columnTop - exponentMin + pairsMax
)

// ledger adds numbers column by column. It is wide enough for every number there is, so there is nothing to align and
// nothing to allocate; the columns in use lie in [from, to).
type ledger struct {
	columns  [columns]int16
	from, to int
}

// enter adds n's magnitude, or takes it away.
func (l *ledger) enter(n Number, negative bool) {
	if n.zero() {
		return
	}
	exponent, pairs := n.magnitude()
	first := columnTop - exponent
	if l.to == 0 {
		l.from, l.to = first, first+pairs
	}
	l.from, l.to = min(l.from, first), max(l.to, first+pairs)
	for i := range pairs {
		p := int16(n.pair(i))
		if negative {
			p = -p
		}
		l.columns[first+i] += p
	}
}

// trim leaves out columns of zero at both ends.
func (l *ledger) trim() {
	for l.from < l.to && l.columns[l.from] == 0 {
		l.from++
	}
	for l.from < l.to && l.columns[l.to-1] == 0 {
		l.to--
	}
}

// settle brings every column into 0…99 and tells whether the sum is negative. The sign is that of the highest column:
// all those below it together are less than one of its units, or have its sign.
func (l *ledger) settle() (negative bool) {
	l.trim()
	if l.from == l.to {
		return false
	}
	negative = l.columns[l.from] < 0
	carry := int16(0)
	l.from--
	for i := l.to - 1; i >= l.from; i-- {
		c := l.columns[i]
		if negative {
			c = -c
		}
		c += carry
		carry = 0
		switch {
		case c < 0:
			c, carry = c+100, -1
		case c > 99:
			c, carry = c-100, 1
		}
		l.columns[i] = c
	}
	l.trim()
	return negative
}

func combine(n, m Number, negative bool) (Number, string) {
	var l ledger
	l.enter(n, n.negative())
	l.enter(m, negative)
	below := l.settle()
	if l.from == l.to {
		return Number{numberZero}, ""
	}
	exponent := columnTop - l.from
	count := l.to - l.from
	switch {
	case exponent > exponentMax, count > pairsMax:
		return nil, faultOverflow.text(nil, currentWords)
	case exponent < exponentMin:
		return nil, faultUnderflow.text(nil, currentWords)
	}
	var pairs [pairsMax]byte
	for i := range count {
		pairs[i] = byte(l.columns[l.from+i])
	}
	sum := Number(appendPairs(make([]byte, 0, count+2), below, exponent, pairs[:count]))
	if sum.digits() > digitsMax {
		return nil, faultOverflow.text(nil, currentWords)
	}
	return sum, ""
}
