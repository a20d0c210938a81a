package attr

// fault is what is wrong with a value that was well-formed JSON. A faulty value stays in its place as data, because
// DynamoDB reports it only after the request's types and constraints, and never when a later duplicate member replaced
// it. It holds a code and not the message: a body of many tiny faults would else grow twentyfold.
type fault byte

const (
	noFault fault = iota
	faultEmpty
	faultMulti
	faultNullFalse
	faultStringSetEmpty
	faultNumberSetEmpty
	faultBinarySetEmpty
	faultStringSetTwins // the argument is the members as they came
	faultBinarySetTwins // the argument is the members as they came
	faultNumberSetTwins
	faultNotNumeric // the argument is the text
	faultDigits
	faultOverflow
	faultUnderflow
	faultOverflowFar  // the argument is the text
	faultUnderflowFar // the argument is the text
	faultOverflowWrapped
	faultNesting
	faultStringSetNull
)

// words are one of the service's two ways to speak of a faulty value: its operations do not all check values in the same layer.
type words byte

// The older layer reads numbers in arithmetic of 32 bits: what does not fit there is no number to it, or wraps around.
const (
	currentWords words = iota
	olderWords
)

const invalidParameters = "One or more parameter values were invalid: "

// faultTexts are DynamoDB's own texts, spelling and double spaces included (semantics.md §5, §6).
var faultTexts = [...]string{
	faultEmpty:          "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
	faultMulti:          "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
	faultNullFalse:      invalidParameters + "Null attribute value types must have the value of true",
	faultStringSetEmpty: invalidParameters + "An string set  may not be empty",
	faultNumberSetEmpty: invalidParameters + "An number set  may not be empty",
	faultBinarySetEmpty: invalidParameters + "Binary sets should not be empty",
	faultNumberSetTwins: "Input collection contains duplicates",
	faultDigits:         "Attempting to store more than 38 significant digits in a Number",
	faultOverflow:       "Number overflow. Attempting to store a number with magnitude larger than supported range",
	faultUnderflow:      "Number underflow. Attempting to store a number with magnitude smaller than supported range",
	faultStringSetNull:  invalidParameters + "An string set may not have a null string as a member",
	faultNesting:        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
}

// text gives the message of f about argument; "" for noFault.
func (f fault) text(argument []byte, in words) string {
	if in == olderWords {
		return f.olderText(argument)
	}
	switch f {
	case faultStringSetTwins:
		return invalidParameters + "Input collection [" + twins(argument, quotedString, ", ") + "] contains duplicates."
	case faultBinarySetTwins:
		return invalidParameters + "Input collection [" + twins(argument, quotedBinary, ",") + "]of type BS contains duplicates."
	case faultNumberSetTwins:
		return invalidParameters + faultTexts[f] + "."
	case faultNotNumeric:
		return notNumeric + ": " + string(argument)
	case faultOverflowFar, faultOverflowWrapped:
		return faultTexts[faultOverflow]
	case faultUnderflowFar:
		return faultTexts[faultUnderflow]
	}
	return f.plain()
}

// plain is a text without an argument.
func (f fault) plain() string {
	if int(f) < len(faultTexts) {
		return faultTexts[f]
	}
	return ""
}

const notNumeric = "The parameter cannot be converted to a numeric value"

func (f fault) olderText(argument []byte) string {
	switch f {
	case faultStringSetTwins:
		return invalidParameters + "Input collection [" + listed(argument, plainString, ", ") + "] contains duplicates."
	case faultBinarySetTwins:
		return invalidParameters + "Input collection [" + listed(argument, plainBinary, ", ") + "]of type BS contains duplicates."
	case faultNotNumeric, faultOverflowFar, faultUnderflowFar:
		if len(argument) == 0 {
			return notNumeric
		}
		return notNumeric + ": " + string(argument)
	case faultOverflowWrapped:
		return faultTexts[faultUnderflow]
	}
	return f.plain()
}

// appendFault appends a faulty value.
func appendFault(dst []byte, f fault, argument []byte) []byte {
	dst = append(dst, tagFault)
	dst = appendLength(dst, 1+len(argument))
	dst = append(dst, byte(f))
	return append(dst, argument...)
}

// Fault gives DynamoDB's message for a faulty value, without an envelope's prefix: its own, or that of the first faulty
// value inside it. It is "" for a lawful value.
func (v Value) Fault() string { return v.fault(currentWords) }

// OlderFault is Fault in the words of the older layer.
func (v Value) OlderFault() string { return v.fault(olderWords) }

func (v Value) fault(in words) string {
	for v.faulty() {
		from, to := payload(v, 0)
		switch v[0] {
		case tagFault:
			return fault(v[from]).text(v[from+1:to], in)
		case byte(M):
			_, v = Map(v[from:to]).blamed()
		default:
			_, position, _ := readHead(v[from:to])
			v, _ = v.Index(position)
		}
	}
	return ""
}

// faulty tells without a message whether v has a fault. A container knows from its head, so this does not descend.
func (v Value) faulty() bool {
	if len(v) == 0 {
		return false
	}
	switch v[0] {
	case tagFault:
		return true
	case byte(M), byte(L):
		from, _ := payload(v, 0)
		return v[from]&1 != 0
	default:
		return false
	}
}

// Fault gives the message of the map's faulty attribute that came first in the request, "" for a lawful map.
func (m Map) Fault() string {
	_, text := m.FaultAt()
	return text
}

// OlderFault is Fault in the words of the older layer.
func (m Map) OlderFault() string {
	_, text := m.OlderFaultAt()
	return text
}

// FaultAt is Fault together with the attribute's name, which some messages add ("… for key :v").
func (m Map) FaultAt() (name, text string) { return m.faultAt(currentWords) }

// OlderFaultAt is FaultAt in the words of the older layer.
func (m Map) OlderFaultAt() (name, text string) { return m.faultAt(olderWords) }

func (m Map) faultAt(in words) (name, text string) {
	if _, position, _ := readHead(m); position == lawful {
		return "", ""
	}
	name, v := m.blamed()
	return name, v.fault(in)
}

// blamed gives the attribute a faulty map's head points at.
func (m Map) blamed() (string, Value) {
	_, position, _ := readHead(m)
	for name, v := range m.All() {
		if position == 0 {
			return name, v
		}
		position--
	}
	return "", nil
}
