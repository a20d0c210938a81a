package multiraft

import (
	"encoding/hex"
	"reflect"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"stator/internal/partition/command"
)

// The bytes are pinned: a store of today must be read by every later release, and two releases talk to each other.
func TestBytes(t *testing.T) {
	at := position{mark: mark{300, 6}, outgoing: []command.Member{{Replica: 1, Node: 2}, {Replica: 3, Node: 4}}}
	held := hard{replica: 3, term: 300, vote: 2, commit: 77}
	message := Message{Group: 300, FromNode: 1, ToNode: 2, From: 3, To: 4, Kept: 5, Wake: true, Body: []byte("body")}
	index, term, kind := uint64(12), uint64(300), raftpb.EntryConfChangeV2
	entry := &raftpb.Entry{Index: &index, Term: &term, Type: &kind, Data: []byte("data")}
	for _, c := range []struct {
		name, want string
		bytes      []byte
		parse      func([]byte) (any, error)
		value      any
	}{
		{"position", "01" + "ac02" + "06" + "02" + "0102" + "0304", at.append(nil), func(b []byte) (any, error) { return parsePosition(b) }, at},
		{"hard", "01" + "03" + "ac02" + "02" + "4d", held.append(nil), func(b []byte) (any, error) { return parseHard(b) }, held},
		{"mark", "01" + "ac02" + "06", at.mark.append(nil), func(b []byte) (any, error) { return parseMark(b) }, at.mark},
		{"message", "01" + "ac02" + "01" + "02" + "03" + "04" + "05" + "02" + "626f6479", AppendMessage(nil, &message),
			func(b []byte) (any, error) { return ParseMessage(b) }, message},
		{"entry", "02" + "ac02" + "64617461", appendEntry(nil, entry), func(b []byte) (any, error) { return parseEntry(12, b) }, entry},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := hex.EncodeToString(c.bytes); got != c.want {
				t.Errorf("bytes %s, want %s", got, c.want)
			}
			back, err := c.parse(c.bytes)
			if err != nil || !reflect.DeepEqual(back, c.value) {
				t.Errorf("read back %+v, %v", back, err)
			}
			if _, err := c.parse(nil); err == nil {
				t.Error("nothing is read as something")
			}
		})
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add([]byte{})
	f.Add(AppendMessage(nil, &Message{Group: 300, FromNode: 1, ToNode: 2, From: 3, To: 4, Kept: 5, Wake: true, Body: []byte("body")}))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMessage(data)
		if err != nil {
			return
		}
		again, err := ParseMessage(AppendMessage(nil, &m))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%+v is read back as %+v, %v", m, again, err)
		}
	})
}

func FuzzParseRecords(f *testing.F) {
	f.Add(position{mark: mark{300, 6}, outgoing: []command.Member{{Replica: 1, Node: 2}}}.append(nil))
	f.Add(hard{replica: 3, term: 300, vote: 2, commit: 77}.append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := parsePosition(data); err == nil {
			if again, err := parsePosition(p.append(nil)); err != nil || !reflect.DeepEqual(again, p) {
				t.Errorf("%+v is read back as %+v, %v", p, again, err)
			}
		}
		if h, err := parseHard(data); err == nil {
			if again, err := parseHard(h.append(nil)); err != nil || again != h {
				t.Errorf("%+v is read back as %+v, %v", h, again, err)
			}
		}
		_, _ = parseMark(data)
		_, _ = parseEntry(1, data)
	})
}
