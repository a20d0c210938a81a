package rpc

import (
	"bytes"
	"testing"
)

func TestEntriesComeBack(t *testing.T) {
	entries := []entry{
		{kind: kindMessage, body: []byte("raft")},
		{kind: kindPing, id: 1 << 60},
		{kind: kindPong, id: 3},
		{kind: kindCall, id: 4, method: 5, timeoutMicros: 6, body: []byte("call")},
		{kind: kindTraced, id: 4, method: 5, timeoutMicros: 6, position: []byte("here"), body: []byte("call")},
		{kind: kindAnswer, id: 7, ending: endingBusy},
		{kind: kindAnswer, id: 8, ending: endingFailed, body: bytes.Repeat([]byte("x"), 300)},
		{kind: kindPart, parcel: 9, offset: 1 << 20, size: 1 << 27, body: []byte("part")},
		{kind: kindTraced, parcel: 9, id: 4, method: 5, timeoutMicros: 6, position: []byte("here"), body: []byte("end")},
		{kind: kindVoid, parcel: 10},
	}
	var frame []byte
	for i := range entries {
		before := len(frame)
		frame = entries[i].append(frame)
		if len(frame)-before > entries[i].bytesMax() {
			t.Errorf("entry %d is larger than its bound", i)
		}
	}
	for i := range entries {
		var e entry
		var err error
		if e, frame, err = parseEntry(frame); err != nil {
			t.Fatal(err)
		}
		want := entries[i]
		if e.kind != want.kind || e.id != want.id || e.method != want.method || e.ending != want.ending ||
			e.timeoutMicros != want.timeoutMicros || e.parcel != want.parcel || e.offset != want.offset || e.size != want.size || !bytes.Equal(e.position, want.position) || !bytes.Equal(e.body, want.body) {
			t.Errorf("entry %d came back as %+v", i, e)
		}
	}
	if len(frame) != 0 {
		t.Errorf("%d bytes are left over", len(frame))
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte{1, 2, 'h', 'i'})
	f.Add([]byte{2, 9, 3, 9})
	f.Add([]byte{4, 1, 7, 0, 0})
	f.Add([]byte{5, 1, 2, 1, 'x'})
	f.Add([]byte{6, 1, 7, 0, 2, 'a', 't', 1, 'x'})
	f.Add([]byte{7, 1, 2, 9, 1, 'x'})
	f.Add([]byte{8, 1, 5, 1, 0, 1, 'x', 9, 1})
	f.Add([]byte{4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, data []byte) {
		for rest := data; len(rest) > 0; {
			e, after, err := parseEntry(rest)
			if err != nil {
				return
			}
			if len(after) >= len(rest) {
				t.Fatal("an entry took nothing")
			}
			again, left, err := parseEntry(e.append(nil))
			if err != nil || len(left) > 0 || again.kind != e.kind || again.id != e.id || again.parcel != e.parcel || again.offset != e.offset || again.size != e.size || !bytes.Equal(again.body, e.body) || !bytes.Equal(again.position, e.position) {
				t.Fatalf("%+v came back as %+v, %v", e, again, err)
			}
			rest = after
		}
	})
}
