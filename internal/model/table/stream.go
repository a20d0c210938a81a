package table

import (
	"fmt"
	"time"
)

// View says what a stream shows of an item besides its key.
type View byte

// The views; zero is no view.
const (
	ViewKeys View = iota + 1
	ViewNew
	ViewOld
	ViewBoth
)

var viewNames = []string{"", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"}

// ViewOf is the view that the API's StreamViewType names.
func ViewOf(name string) (v View, err error) {
	err = byName(viewNames, []byte(name), (*byte)(&v))
	return v, err
}

// String is the API's StreamViewType.
func (v View) String() string { return nameOf(viewNames, byte(v)) }

// MarshalText writes the API's name.
func (v View) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (v *View) UnmarshalText(b []byte) error { return byName(viewNames, b, (*byte)(v)) }

// News tells whether the item after a change is shown, Olds whether the one before it is.
func (v View) News() bool { return v == ViewNew || v == ViewBoth }

// Olds is News for the item before a change.
func (v View) Olds() bool { return v == ViewOld || v == ViewBoth }

// StreamsMax bounds a table's streams, those that ended among them: each is kept for StreamRetention.
const StreamsMax = 50

// StreamRetention is how long a change can be read in a stream, and a stream after it has ended.
const StreamRetention = 24 * time.Hour

// Stream is what a table shows of its changes, from the moment it was asked for until it is ended.
type Stream struct {
	// CreatedMillis names the stream within its table: no two are made in the same millisecond.
	CreatedMillis int64 `json:"created"`
	View          View  `json:"view"`
	// EndedMillis is 0 while the stream goes on.
	EndedMillis int64 `json:"ended,omitempty"`
}

// labelLayout is how a label looks (semantics §14.2).
const labelLayout = "2006-01-02T15:04:05.000"

// Label is the last part of the stream's ARN.
func (s *Stream) Label() string { return time.UnixMilli(s.CreatedMillis).UTC().Format(labelLayout) }

// Stream finds the stream that goes on.
func (t *Table) Stream() (*Stream, bool) {
	if s, ok := t.LatestStream(); ok && s.EndedMillis == 0 {
		return s, true
	}
	return nil, false
}

// LatestStream finds the newest stream that can still be read.
func (t *Table) LatestStream() (*Stream, bool) {
	if len(t.Streams) == 0 {
		return nil, false
	}
	return &t.Streams[len(t.Streams)-1], true
}

// StreamByID finds a stream by its CreatedMillis.
func (t *Table) StreamByID(createdMillis int64) (*Stream, bool) {
	for i := range t.Streams {
		if t.Streams[i].CreatedMillis == createdMillis {
			return &t.Streams[i], true
		}
	}
	return nil, false
}

// StreamByLabel finds a stream by its label.
func (t *Table) StreamByLabel(label string) (*Stream, bool) {
	for i := range t.Streams {
		if t.Streams[i].Label() == label {
			return &t.Streams[i], true
		}
	}
	return nil, false
}

// BeginStream is t with a new stream, which follows on the one that has ended, if there was any.
func (t *Table) BeginStream(view View, nowMillis int64) (*Table, error) {
	if len(t.Streams) >= StreamsMax {
		return nil, fmt.Errorf("table %s has %d streams already", t.Name, len(t.Streams))
	}
	c := t.Clone()
	if last, ok := c.LatestStream(); ok {
		nowMillis = max(nowMillis, last.CreatedMillis+1)
	}
	c.Streams = append(c.Streams, Stream{CreatedMillis: nowMillis, View: view})
	return c, nil
}

// EndStream is t with its stream ended.
func (t *Table) EndStream(nowMillis int64) *Table {
	c := t.Clone()
	if s, ok := c.Stream(); ok {
		s.EndedMillis = max(nowMillis, s.CreatedMillis)
	}
	return c
}

// WithoutOldStreams is t without the streams that ended so long ago that nobody can read them; the same t if there are
// none.
func (t *Table) WithoutOldStreams(nowMillis int64) *Table {
	old := func(s Stream) bool {
		return s.EndedMillis != 0 && nowMillis-s.EndedMillis > StreamRetention.Milliseconds()
	}
	n := 0
	for n < len(t.Streams) && old(t.Streams[n]) {
		n++
	}
	if n == 0 {
		return t
	}
	c := t.Clone()
	c.Streams = c.Streams[n:]
	return c
}
