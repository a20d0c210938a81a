package httpapi_test

import (
	"net"
	"slices"
	"testing"
	"time"

	"stator/internal/edge/httpapi"
)

// watched is a connection that says which deadlines it is given.
type watched struct {
	net.Conn
	reads, writes []time.Time
}

func (w *watched) Read([]byte) (int, error)    { return 0, nil }
func (w *watched) Write(b []byte) (int, error) { return len(b), nil }

func (w *watched) SetReadDeadline(t time.Time) error {
	w.reads = append(w.reads, t)
	return nil
}

func (w *watched) SetWriteDeadline(t time.Time) error {
	w.writes = append(w.writes, t)
	return nil
}

// A deadline is set when it comes to matter, never earlier than it was asked for, and later by no more than the slack.
func TestDeadlines(t *testing.T) {
	const slack = time.Second
	began := time.Now()
	at := began.Add
	for _, c := range []struct {
		name      string
		asked, of time.Time // the deadline wanted, and the one in force
		want      []time.Time
	}{
		{"the first", at(time.Minute), time.Time{}, []time.Time{at(time.Minute + slack)}},
		{"the same", at(time.Minute - slack), at(time.Minute), nil},
		{"within the slack", at(time.Minute), at(time.Minute), nil},
		{"later", at(time.Minute + 1), at(time.Minute), []time.Time{at(time.Minute + 1 + slack)}},
		{"earlier", at(time.Second), at(time.Minute), []time.Time{at(time.Second + slack)}},
		{"none any more", time.Time{}, at(time.Minute), []time.Time{{}}},
		{"none", time.Time{}, time.Time{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &watched{}
			conn := httpapi.Unhurry(w, slack)
			if !c.of.IsZero() {
				conn.SetDeadline(c.of.Add(-slack))
				conn.Read(nil)
				conn.Write(nil)
				w.reads, w.writes = nil, nil
			}
			conn.SetReadDeadline(at(time.Hour)) // of which nothing comes
			conn.SetReadDeadline(c.asked)
			conn.SetWriteDeadline(c.asked)
			if len(w.reads)+len(w.writes) > 0 {
				t.Error("a deadline was set that nothing is done under")
			}
			conn.Read(nil)
			if !slices.Equal(w.reads, c.want) || len(w.writes) > 0 {
				t.Errorf("for a read: %v and %v, want %v", w.reads, w.writes, c.want)
			}
			conn.Write(nil)
			if !slices.Equal(w.writes, c.want) {
				t.Errorf("for a write: %v, want %v", w.writes, c.want)
			}
		})
	}
}
