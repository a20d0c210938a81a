package attr

// containerBytes is what a list or map costs beyond its children, and each child costs one byte more (semantics.md §2.2).
const (
	containerBytes = 3
	childBytes     = 1
)

// Size gives the value's bytes in DynamoDB's accounting (semantics.md §2).
func (v Value) Size() int {
	if len(v) == 0 {
		return 0
	}
	size, _ := sizeAt(v, 0)
	return size
}

// Size gives the map's bytes in DynamoDB's accounting: names and values of its attributes. This is an item's size; a map
// inside an item costs more, see Value.Size.
func (m Map) Size() int {
	count, _, at := readHead(m)
	size, _ := sizeOfEntries(m, at, count)
	return size
}

func sizeOfEntries(b []byte, at, count int) (size, end int) {
	for range count {
		from, to := readName(b, at)
		n, next := sizeAt(b, to)
		size += to - from + n
		at = next
	}
	return size, at
}

// sizeAt sizes the value at b[at] and gives the place after it.
func sizeAt(b []byte, at int) (size, end int) {
	from, to := payload(b, at)
	switch b[at] {
	case byte(S), byte(B):
		return to - from, to
	case byte(N):
		return Number(b[from:to]).Size(), to
	case tagFalse, tagTrue, tagNull:
		return 1, to
	case byte(M):
		count, _, first := readHead(b[from:to])
		size, _ = sizeOfEntries(b[from:to], first, count)
		return size + containerBytes + childBytes*count, to
	case byte(SS), byte(NS), byte(BS), byte(L):
		count, _, first := readHead(b[from:to])
		children := b[from:to]
		for range count {
			n, next := sizeAt(children, first)
			size += n
			first = next
		}
		if b[at] == byte(L) {
			size += containerBytes + childBytes*count
		}
		return size, to
	default:
		return 0, to
	}
}

// Depth gives the levels of the deepest attribute: 1 for an item of scalars and sets, one more for each list or map
// around them. An update can build what no request could carry, so it compares its outcome with DepthMax.
func (m Map) Depth() int {
	deepest := 0
	for _, v := range m.All() {
		deepest = max(deepest, v.depth())
	}
	return deepest
}

func (v Value) depth() int {
	switch v.Type() {
	case M:
		return 1 + v.Map().Depth()
	case L:
		deepest := 0
		for element := range v.Elements() {
			deepest = max(deepest, element.depth())
		}
		return 1 + deepest
	default:
		return 1
	}
}
