package rpc

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// recorded is a stream in memory: frames that were sent, until an inbox opens them.
type recorded struct{ frames [][]byte }

func (w *recorded) SendMsg(m any) error {
	w.frames = append(w.frames, bytes.Clone(*m.(*packet).pooled))
	return nil
}

// deliver opens all frames, and returns what was in them.
func (w *recorded) deliver(t *testing.T, in *inbox) (arrived []entry) {
	t.Helper()
	for _, frame := range w.frames {
		if err := in.open(frame, func(e *entry) error { arrived = append(arrived, *e); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	w.frames = nil
	return arrived
}

func newInbox() *inbox { return &inbox{parcels: map[uint64][]byte{}} }

// openOutbox makes parts of so many bytes.
func openOutbox(partBytes int) *outbox {
	box := newOutbox(defaultLimits)
	box.partBytes = partBytes
	box.admit()
	return box
}

// sendNext sends one frame.
func sendNext(t *testing.T, box *outbox, to sender, wholeBytes int) (more bool) {
	t.Helper()
	frame, more := box.next(nil, wholeBytes)
	if err := send(to, frame); err != nil {
		t.Fatal(err)
	}
	return more
}

func message(lane uint64, text string) entry {
	return entry{kind: kindMessage, lane: lane, body: []byte(text)}
}

// What is small goes in one frame, up to the bound of one; of what is larger each frame takes a part.
func TestFramesGather(t *testing.T) {
	box, w := openOutbox(partBytesMax), &recorded{}
	small := make([]byte, 1000)
	for range frameBytesMax/len(small) + 10 {
		if err := box.put(entry{kind: kindMessage, body: small}); err != nil {
			t.Fatal(err)
		}
	}
	if err := box.put(entry{kind: kindMessage, body: make([]byte, wholeBytesMax+1)}); err != nil {
		t.Fatal(err)
	}
	for sendNext(t, box, w, wholeBytesMax) {
	}
	// The large entry is met when the second frame is filled, which its first part ends.
	if want := 2 + wholeBytesMax/partBytesMax; len(w.frames) != want {
		t.Errorf("%d frames were sent, not %d", len(w.frames), want)
	}
	for i, frame := range w.frames {
		if len(frame) > frameBytesMax+partBytesMax+entryOverheadMax {
			t.Errorf("frame %d has %d bytes", i, len(frame))
		}
	}
	if box.small != 0 || box.large != 0 || box.entries != 0 {
		t.Errorf("an empty box holds %d and %d bytes of %d entries", box.small, box.large, box.entries)
	}
}

// Pings leave first, small entries and smaller parcels overtake larger ones, and what is of one lane keeps its order.
func TestWhatOvertakes(t *testing.T) {
	box, w := openOutbox(8), &recorded{}
	for _, e := range []entry{
		message(0, "a"), message(5, "b"), message(5, "lane 5, the largest of all"), message(5, "c"), message(6, "lane 6, large"),
		message(5, "lane 5 again, large"), message(7, "d"), message(5, "e"), message(6, "f"),
	} {
		if err := box.put(e); err != nil {
			t.Fatal(err)
		}
	}
	sendNext(t, box, w, 8)
	if err := box.put(message(0, "g")); err != nil {
		t.Fatal(err)
	}
	box.urge(entry{kind: kindPing, id: 1})
	for sendNext(t, box, w, 8) {
	}
	var got []string
	for _, e := range w.deliver(t, newInbox()) {
		got = append(got, string(e.body))
	}
	want := []string{"a", "b", "d", "", "g", "lane 6, large", "f", "lane 5, the largest of all", "c", "lane 5 again, large", "e"}
	if !slices.Equal(got, want) {
		t.Errorf("the order of arrival is %q, not %q", got, want)
	}
}

// What stood behind a parcel leaves before what came later, though a full frame kept that waiting.
func TestLaneBehindAFullFrame(t *testing.T) {
	const whole = frameBytesMax * 2 / 3
	box, w := openOutbox(frameBytesMax/2), &recorded{}
	put := func(lane, id uint64, size int) {
		if err := box.put(entry{kind: kindAnswer, id: id, lane: lane, body: make([]byte, size)}); err != nil {
			t.Fatal(err)
		}
	}
	put(1, 1, frameBytesMax)
	put(1, 2, 1)
	sendNext(t, box, w, whole)
	put(0, 3, whole)
	put(0, 4, whole)
	put(1, 5, 1)
	for sendNext(t, box, w, whole) {
	}
	var got []uint64
	for _, e := range w.deliver(t, newInbox()) {
		got = append(got, e.id)
	}
	if want := []uint64{3, 1, 2, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("the order of arrival is %v, not %v", got, want)
	}
}

// A node of the older form gets what is large as one entry, in a frame of its own.
func TestWholeForOlderNodes(t *testing.T) {
	box, w := openOutbox(partBytesMax), &recorded{}
	large := bytes.Repeat([]byte("x"), 2*wholeBytesMax)
	for _, e := range []entry{message(1, "before"), {kind: kindMessage, lane: 1, body: large}, message(1, "behind")} {
		if err := box.put(e); err != nil {
			t.Fatal(err)
		}
	}
	for sendNext(t, box, w, hello{frames: formWhole}.wholeBytes()) {
	}
	if len(w.frames) != 3 {
		t.Fatalf("%d frames were sent, not 3", len(w.frames))
	}
	if e, rest, err := parseEntry(w.frames[1]); err != nil || len(rest) > 0 || e.parcel != 0 || !bytes.Equal(e.body, large) {
		t.Errorf("the large entry came as a %d with %d bytes, %d behind it, %v", e.kind, len(e.body), len(rest), err)
	}
}

// A call that is given up while its parts are on their way is not sent to its end, and the other side keeps nothing of it.
func TestGivenUpHalfway(t *testing.T) {
	box, w, in := openOutbox(40), &recorded{}, newInbox()
	_, c, _ := newCalls(1).begin()
	if err := box.put(entry{kind: kindCall, id: 3, call: c, body: make([]byte, 200)}); err != nil {
		t.Fatal(err)
	}
	sendNext(t, box, w, 40)
	sendNext(t, box, w, 40)
	if arrived := w.deliver(t, in); len(arrived) > 0 || in.bytes != 200 {
		t.Fatalf("%d entries arrived of a part, which has room for %d bytes", len(arrived), in.bytes)
	}
	if !c.withdraw() {
		t.Fatal("a call of which the end is missing was made")
	}
	if sendNext(t, box, w, 40) {
		t.Error("there is more to send of a call that was given up")
	}
	if arrived := w.deliver(t, in); len(arrived) > 0 || in.bytes > 0 || len(in.parcels) > 0 {
		t.Errorf("a call that was given up left %d entries, %d bytes", len(arrived), in.bytes)
	}
}

// Parts that do not fit together end the stream.
func TestPartsThatAreNone(t *testing.T) {
	part := func(parcel, offset, size uint64, body string) entry {
		return entry{kind: kindPart, parcel: parcel, offset: offset, size: size, body: []byte(body)}
	}
	end := func(parcel uint64, body string) entry {
		return entry{kind: kindMessage, parcel: parcel, body: []byte(body)}
	}
	many := make([]entry, 0, parcelsMax+1)
	for i := range uint64(parcelsMax + 1) {
		many = append(many, part(i+1, 0, 2, "a"))
	}
	for _, test := range []struct {
		name    string
		entries []entry
		bad     bool
	}{
		{"as it should be", []entry{part(1, 0, 6, "ab"), part(2, 0, 3, "x"), part(1, 2, 6, "cd"), end(2, "yz"), end(1, "ef")}, false},
		{"given up", []entry{part(1, 0, 6, "ab"), {kind: kindVoid, parcel: 1}, part(1, 0, 3, "a"), end(1, "bc")}, false},
		{"the first is missing", []entry{part(1, 2, 6, "cd")}, true},
		{"one is missing", []entry{part(1, 0, 6, "ab"), part(1, 4, 6, "e")}, true},
		{"one comes twice", []entry{part(1, 0, 6, "ab"), part(1, 0, 6, "ab")}, true},
		{"another size", []entry{part(1, 0, 6, "ab"), part(1, 2, 7, "cd")}, true},
		{"more than was announced", []entry{part(1, 0, 6, "abcd"), part(1, 4, 6, "efg")}, true},
		{"no room for the end", []entry{part(1, 0, 6, "abcdef")}, true},
		{"an end too early", []entry{part(1, 0, 6, "ab"), end(1, "c")}, true},
		{"an end too long", []entry{part(1, 0, 6, "ab"), end(1, "cdefg")}, true},
		{"the end of an unknown one", []entry{end(1, "a")}, true},
		{"two ends", []entry{part(1, 0, 2, "a"), end(1, "b"), end(1, "b")}, true},
		{"an unknown one given up", []entry{{kind: kindVoid, parcel: 1}}, true},
		{"larger than a message", []entry{part(1, 0, messageBytesMax+1, "a")}, true},
		{"larger than a number", []entry{part(1, 0, 1<<63, "a")}, true},
		{"larger together", []entry{part(1, 0, messageBytesMax-1, "a"), part(2, 0, 2, "a")}, true},
		{"no number", []entry{part(0, 0, 2, "a")}, true},
		{"as many as may be", many[:parcelsMax], false},
		{"too many", many, true},
	} {
		var frame []byte
		for i := range test.entries {
			frame = test.entries[i].append(frame)
		}
		err := newInbox().open(frame, func(*entry) error { return nil })
		if test.bad != errors.Is(err, errFrame) || !test.bad && err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// Whatever comes, an inbox keeps to its bounds and knows what it holds.
func FuzzInbox(f *testing.F) {
	f.Add([]byte{7, 1, 0, 6, 2, 'a', 'b', 7, 1, 2, 6, 2, 'c', 'd', 8, 1, 1, 2, 'e', 'f'})
	f.Add([]byte{7, 1, 0, 3, 1, 'a', 8, 1, 5, 9, 0, 2, 'b', 'c', 9, 1})
	f.Add([]byte{7, 2, 0, 9, 1, 'a', 9, 2, 2, 1})
	f.Fuzz(func(t *testing.T, frame []byte) {
		for rest := frame; len(rest) > 0; {
			e, after, err := parseEntry(rest)
			if err != nil {
				break
			}
			if e.size > 1<<20 && e.size <= messageBytesMax {
				t.Skip("lawful, and slow")
			}
			rest = after
		}
		in := newInbox()
		err := in.open(frame, func(e *entry) error {
			if e.kind == kindPart || e.kind == kindVoid {
				t.Errorf("an entry of kind %d was handed out", e.kind)
			}
			return nil
		})
		held := 0
		for _, body := range in.parcels {
			held += cap(body)
		}
		if err == nil && held != in.bytes || held > messageBytesMax || len(in.parcels) > parcelsMax {
			t.Errorf("%d parcels of %d bytes are held, %d are counted", len(in.parcels), held, in.bytes)
		}
	})
}

// However large parts are and whatever overtakes, every entry comes back once, and those of one lane in their order.
func FuzzParts(f *testing.F) {
	f.Add(uint8(7), []byte{1, 30, 0, 5, 1, 2, 2, 90, 0, 200, 1, 1})
	f.Fuzz(func(t *testing.T, partBytes uint8, script []byte) {
		box, w, in := openOutbox(int(partBytes)+1), &recorded{}, newInbox()
		sent := map[uint64][][]byte{}
		for i := 0; i+1 < len(script) && i < 200; i += 2 {
			lane, size := uint64(script[i]%4), int(script[i+1])
			body := bytes.Repeat([]byte{byte(i)}, size)
			if err := box.put(entry{kind: kindAnswer, id: lane, lane: lane, body: body}); err != nil {
				t.Fatal(err)
			}
			sent[lane] = append(sent[lane], body)
			if script[i]&0x80 != 0 {
				sendNext(t, box, w, int(partBytes)+1)
			}
		}
		for sendNext(t, box, w, int(partBytes)+1) {
		}
		for _, e := range w.deliver(t, in) {
			at := 0
			if e.id == 0 {
				at = slices.IndexFunc(sent[0], func(body []byte) bool { return bytes.Equal(body, e.body) })
			}
			if at < 0 || len(sent[e.id]) == 0 || !bytes.Equal(sent[e.id][at], e.body) {
				t.Fatalf("lane %d: %v came, %v should come next", e.id, e.body, sent[e.id])
			}
			sent[e.id] = slices.Delete(sent[e.id], at, at+1)
		}
		for lane, left := range sent {
			if len(left) > 0 {
				t.Errorf("%d entries of lane %d did not come", len(left), lane)
			}
		}
		if box.entries != 0 || box.small != 0 || box.large != 0 || in.bytes != 0 || len(in.parcels) != 0 {
			t.Error("something is held still")
		}
	})
}
