package machine

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

// travels sends a batch of the story as its bytes: a copy that reads it knows the same writes and the same state after it.
func (s *script) travels(b *Batch) {
	s.t.Helper()
	data := AppendBatch(nil, b)
	if len(data) > BatchBytes(b) {
		s.t.Errorf("%d bytes, more than the %d foreseen", len(data), BatchBytes(b))
	}
	read, err := ParseBatch(data)
	s.must(err)
	if again := AppendBatch(nil, &read); !bytes.Equal(again, data) {
		s.t.Errorf("what was read has other bytes:\n%x\n%x", again, data)
	}
	after, child, err := After(s.part, &read)
	s.must(err)
	s.sameState("the state after the batch", after, b.After)
	if (child == nil) != (b.Child == nil) {
		s.t.Errorf("read a child: %t, there is one: %t", child != nil, b.Child != nil)
	} else if child != nil {
		s.sameState("the child", *child, *b.Child)
	}
}

func (s *script) sameState(what string, got, want Part) {
	s.t.Helper()
	if g, w := stateText(got), stateText(want); g != w {
		s.t.Errorf("%s is read as\n%s\nand is\n%s", what, g, w)
	}
}

func stateText(p Part) string {
	var b strings.Builder
	for _, w := range p.Writes() {
		fmt.Fprintf(&b, "%q: %q\n", w.Key, w.Value)
	}
	return b.String()
}

// join gives a partition that was just born its group: members=(node, ...), replicas counted from 1.
func (s *script) join(d *datadriven.TestData) {
	var nodes []uint64
	if d.HasArg("nodes") {
		d.ScanArgs(s.t, "nodes", &nodes)
	}
	for i, node := range nodes {
		s.part.Descriptor.Members = append(s.part.Descriptor.Members, command.Member{Replica: uint64(i) + 1, Node: node})
		s.part.Descriptor.NextReplica = uint64(i) + 2
	}
}

func (s *script) membership(d *datadriven.TestData) command.Membership {
	m := command.Membership{Generation: s.part.Descriptor.Generation}
	for name, into := range map[string]*uint64{
		"learner": &m.AddLearner, "promote": &m.Promote, "remove": &m.Remove, "generation": &m.Generation,
	} {
		if d.HasArg(name) {
			d.ScanArgs(s.t, name, into)
		}
	}
	return m
}

func (s *script) showMembers(out *strings.Builder) {
	descriptor := s.part.Descriptor
	fmt.Fprintf(out, "generation %d, members", descriptor.Generation)
	for _, m := range descriptor.Members {
		fmt.Fprintf(out, " %d on %d", m.Replica, m.Node)
		if m.Learner {
			out.WriteString(" learns")
		}
	}
	fmt.Fprintf(out, ", next %d\n", descriptor.NextReplica)
}

// The bytes are pinned: a raft log of today must be read by every later release.
func TestBatchBytes(t *testing.T) {
	b := Batch{
		Kind: Splits, Epoch: 300, Chain: 2, Generation: 3, Due: 4, Changes: 5,
		Ranges: []Range{{Lower: []byte("a"), Upper: []byte("b")}, {Lower: []byte{}, Upper: []byte("z")}},
		Writes: []Write{{Key: []byte("k"), Value: []byte("vw")}, {Key: []byte("gone")}, {Key: []byte("empty"), Value: []byte{}}},
	}
	want := "0103" + "ac02" + "02" + "03" + "04" + "05" + "02" + "0161" + "0162" + "00" + "017a" +
		"03" + "016b" + "037677" + "04676f6e65" + "00" + "05656d707479" + "01"
	data := AppendBatch(nil, &b)
	if got := hex.EncodeToString(data); got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
	back, err := ParseBatch(data)
	if err != nil || !reflect.DeepEqual(back, b) {
		t.Errorf("read back %+v, %v", back, err)
	}
	for n := range data {
		if _, err := ParseBatch(data[:n]); err == nil {
			t.Errorf("the first %d bytes are a batch", n)
		}
	}
}

// A batch that is not a split has no business in another partition's state, and nobody writes records of no known name.
func TestAfterRefusesForeignRecords(t *testing.T) {
	state := Born(10, 100, command.Bounds{})
	for name, key := range map[string][]byte{"another partition's": keys.Part(11, nameApplied), "unknown": keys.Part(10, "nonsense")} {
		if _, _, err := After(state, &Batch{Kind: Writes, Writes: []Write{{Key: key, Value: state.Applied.append(nil)}}}); err == nil {
			t.Errorf("a record that is %s is read", name)
		}
	}
	two := Batch{Kind: Splits, Writes: []Write{{Key: keys.Part(11, nameApplied), Value: state.Applied.append(nil)}, {Key: keys.Part(12, nameApplied), Value: state.Applied.append(nil)}}}
	if _, _, err := After(state, &two); err == nil {
		t.Error("a split has two children")
	}
}

func FuzzParseBatch(f *testing.F) {
	f.Add([]byte{})
	f.Add(AppendBatch(nil, &Batch{Kind: Writes, Epoch: 6, Chain: 1, Generation: 1, Writes: Born(10, 100, command.Bounds{}).Writes()}))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBatch(data)
		if err != nil {
			return
		}
		again, err := ParseBatch(AppendBatch(nil, &b))
		if err != nil || !reflect.DeepEqual(again, b) {
			t.Errorf("%+v is read back as %+v, %v", b, again, err)
		}
		_, _, _ = After(Born(10, 100, command.Bounds{}), &b)
	})
}
