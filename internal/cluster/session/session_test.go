package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"stator/internal/cluster/session"
)

const cluster = 0xc1

func parsed(t *testing.T, header string) *session.Session {
	t.Helper()
	s, err := session.Parse([]byte(header), cluster)
	if err != nil || s == nil {
		t.Fatalf("%s: %v, %v", header, s, err)
	}
	return s
}

func header(s *session.Session) string { return string(s.AppendHeader(nil)) }

// A session goes from answer to request and gathers what it saw: the furthest of each partition.
func TestHeaderGoesRound(t *testing.T) {
	s := parsed(t, "new")
	if got := header(s); got != "new" {
		t.Errorf("a session that saw nothing is %s", got)
	}
	for _, saw := range []struct{ partition, index uint64 }{{300, 12}, {101, 1 << 40}, {300, 15}, {300, 14}, {102, 0}} {
		s.Saw(saw.partition, saw.index)
	}
	s.Knew(77)
	s.Knew(76)
	s = parsed(t, header(s))
	for partition, want := range map[uint64]uint64{300: 15, 101: 1 << 40, 102: 0, 299: 0} {
		if got := s.Index(partition); got != want {
			t.Errorf("partition %d was seen at %d, want %d", partition, got, want)
		}
	}
	if s.Known() != 77 || s.Strong() {
		t.Errorf("the catalog was known up to %d, strong %t", s.Known(), s.Strong())
	}
}

// A session that has seen as much as it can remember fits into its header, and one more partition makes it strong for good.
func TestSeesTooMuch(t *testing.T) {
	s := parsed(t, "new")
	const most = 32
	for i := range uint64(most) {
		s.Saw(1<<63+i<<50, 1<<63)
	}
	s.Knew(1 << 63)
	if full := parsed(t, header(s)); full.Strong() || full.Index(1<<63+31<<50) != 1<<63 {
		t.Errorf("of %d partitions: strong %t", most, full.Strong())
	}
	s.Saw(1, 1)
	if !s.Strong() || header(s) != "strong" {
		t.Errorf("of %d partitions: %s", most+1, header(s))
	}
	s = parsed(t, "strong")
	s.Saw(1, 1)
	if !s.Strong() || header(s) != "strong" {
		t.Errorf("a strong session became %s", header(s))
	}
}

// A client whose requests are under way side by side sends what all their answers had.
func TestAnswersAreMerged(t *testing.T) {
	a, b := parsed(t, "new"), parsed(t, "new")
	a.Saw(101, 5)
	a.Saw(102, 9)
	a.Knew(3)
	b.Saw(101, 6)
	b.Saw(103, 1)
	both := parsed(t, header(a)+", "+header(b)+",new")
	if both.Index(101) != 6 || both.Index(102) != 9 || both.Index(103) != 1 || both.Known() != 3 || both.Strong() {
		t.Errorf("they are %s", header(both))
	}
	if s := parsed(t, header(a)+",strong,"+header(b)); header(s) != "strong" {
		t.Errorf("with a strong one they are %s", header(s))
	}
	many := strings.Repeat("new,", 16)
	if s, err := session.Parse([]byte(many+"new"), cluster); !errors.Is(err, session.ErrMalformed) {
		t.Errorf("too many are %v, %v", s, err)
	}
}

// What no answer had is refused, most of all what is cut short: it would promise less than its client believes.
func TestRefusesHeaders(t *testing.T) {
	s := parsed(t, "new")
	s.Saw(101, 12)
	s.Saw(102, 13)
	good := header(s)
	for n := 1; n < len(good); n++ {
		if got, err := session.Parse([]byte(good[:n]), cluster); !errors.Is(err, session.ErrMalformed) {
			t.Errorf("cut to %s: %v, %v", good[:n], got, err)
		}
	}
	for _, bad := range []string{"New", "newer", " ", ",", good + ",", good + "A", good + "=", "." + good[1:], strings.Repeat("A", 1<<12)} {
		if got, err := session.Parse([]byte(bad), cluster); !errors.Is(err, session.ErrMalformed) {
			t.Errorf("%.80s: %v, %v", bad, got, err)
		}
	}
	if _, err := session.Parse([]byte(good), cluster+1); !errors.Is(err, session.ErrForeign) {
		t.Errorf("of another cluster: %v", err)
	}
	alone, err := session.Parse([]byte("new"), 0)
	if err != nil {
		t.Fatal(err)
	}
	alone.Saw(101, 12)
	if _, err := session.Parse(alone.AppendHeader(nil), 0); !errors.Is(err, session.ErrForeign) {
		t.Errorf("of a node that is alone and has copies: %v", err)
	}
	if none, err := session.Parse(nil, cluster); none != nil || err != nil {
		t.Errorf("no header: %v, %v", none, err)
	}
}

// Whoever asks for no session pays for none.
func TestNoSession(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if allocations := testing.AllocsPerRun(100, func() {
		if s, err := session.Parse(nil, cluster); s != nil || err != nil || session.Of(ctx) != nil {
			t.Error("there is a session")
		}
	}); allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
	if s := parsed(t, "new"); session.Of(session.With(ctx, s)) != s {
		t.Error("the session of a context is another")
	}
}

// FuzzParse holds that any header is read or refused, and that what was read is written as what reads alike.
func FuzzParse(f *testing.F) {
	s, err := session.Parse([]byte("new"), cluster)
	if err != nil {
		f.Fatal(err)
	}
	s.Knew(5)
	for i := range uint64(3) {
		s.Saw(100+i, 1<<(10*i))
		f.Add(s.AppendHeader(nil))
	}
	f.Add([]byte("new"))
	f.Add([]byte("strong"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := session.Parse(b, cluster)
		if err != nil || s == nil {
			return
		}
		again := header(s)
		if back := header(parsed(t, again)); back != again {
			t.Errorf("%q reads back as %s, then as %s", b, again, back)
		}
	})
}
