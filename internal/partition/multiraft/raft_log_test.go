package multiraft

import (
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/keys"
)

// A log that is opened knows about how large it is: exactly where it has few entries.
func TestSizeOfAnOpenedLog(t *testing.T) {
	for _, c := range []struct {
		what  string
		sizes func(i int) int
		n     int
		off   float64 // how far the size may be off
	}{
		{"none", nil, 0, 0},
		{"few of many sizes", func(i int) int { return i * i * 1000 }, weighedMax, 0},
		{"many of one size", func(int) int { return 300 }, 1001, 0},
		{"many that grow", func(i int) int { return i }, 1001, 0.1},
	} {
		r := newRig(t)
		s := r.add()
		r.birth(10, 1)
		l := s.copies[10].group.log
		var entries []*raftpb.Entry
		for i := range c.n {
			entries = append(entries, &raftpb.Entry{Index: new(l.last + uint64(i) + 1), Term: new(uint64(9)), Data: make([]byte, c.sizes(i))})
		}
		batch := s.engine.NewBatch()
		l.append(batch, entries)
		r.must(s.engine.Commit(batch, true))
		opened, _, err := loadRaftLog(s.engine, 10)
		r.must(err)
		// What is stored has two bytes before what an entry carries.
		if held := l.bytes + 2*int64(c.n); float64(opened.bytes) < float64(held)*(1-c.off) || float64(opened.bytes) > float64(held)*(1+c.off) {
			t.Errorf("%s: %d bytes, want %d", c.what, opened.bytes, held)
		}
		s.close()
	}
}

// Entries that take the place of others are not counted beside them.
func TestSizeOfALogThatIsOverwritten(t *testing.T) {
	r := newRig(t)
	s := r.add()
	r.birth(10, 1)
	l := s.copies[10].group.log
	before, first := l.bytes, l.last+1
	write := func(from uint64, n, size int) {
		var entries []*raftpb.Entry
		for i := range n {
			entries = append(entries, &raftpb.Entry{Index: new(from + uint64(i)), Term: new(uint64(9)), Data: make([]byte, size)})
		}
		batch := s.engine.NewBatch()
		l.append(batch, entries)
		r.must(s.engine.Commit(batch, true))
	}
	write(first, 10, 1000)
	write(first+4, 3, 100)
	if want := int64(4*(1000+entryOverheadBytes) + 3*(100+entryOverheadBytes)); l.bytes-before != want {
		t.Errorf("%d bytes, want %d", l.bytes-before, want)
	}
	s.close()
}

// A node that restarts often lets go of its logs all the same.
func TestRestartsLetGoOfTheLog(t *testing.T) {
	r := newRig(t)
	r.quiet = true
	s := r.add()
	r.birth(10, 1)
	r.settle()
	value := strings.Repeat("x", 100<<10)
	for start := range 4 {
		for i := range 6 {
			s.put(10, fmt.Sprint(start, i), value)
			r.settle()
		}
		s.crash()
		s.restart(10)
		r.tick(2 * statusTicks)
	}
	if l := s.copies[10].group.log; l.truncated.index == birthIndex || l.bytes >= retentionDefault.BytesMin {
		t.Errorf("the log begins behind entry %d and has %d bytes", l.truncated.index, l.bytes)
	}
}

// A raft log that cannot be read, here because of one entry that a follower needs, ends one copy: another one leads, and the node
// goes on.
func TestALogThatCannotBeReadEndsOneCopy(t *testing.T) {
	r := newRig(t)
	r.quiet = true
	for range 3 {
		r.add()
	}
	r.birth(10, 1, 2, 3)
	r.tick(1)
	led := r.node(1)
	if leads, _ := led.copies[10].Leads(); !leads {
		t.Fatal("the first replica does not lead")
	}
	first := led.copies[10].group.log.last + 1
	r.cut[[2]uint64{1, 3}] = true
	for i := range 6 {
		led.put(10, fmt.Sprint(i), strings.Repeat("x", 100<<10))
		r.settle()
	}
	r.write(led, keys.RaftEntry(10, first), []byte{1})
	r.cut = nil
	r.tick(10 * electionTicks)
	if told := r.told(); !strings.Contains(told, "1: copy of 10 is broken: broken invariant: the raft log of partition 10 cannot be read") {
		t.Errorf("it was told\n%s", told)
	}
	if leads, _ := r.node(2).copies[10].Leads(); !leads {
		t.Error("the copy that has everything does not lead")
	}
}

// A batch that no message could carry is refused, and the group goes on.
func TestABatchThatIsTooLargeIsRefused(t *testing.T) {
	r := newRig(t)
	s := r.add()
	r.birth(10, 1)
	r.settle()
	r.told()
	state := s.copies[10].State()
	state.Applied.Chain++
	term := s.copies[10].group.log.hard.term
	large := machine.Batch{
		Kind: machine.Writes, Epoch: term, Chain: 1, Generation: state.Descriptor.Generation, After: state,
		Writes: []machine.Write{{Key: keys.Data(100, key("a")), Value: make([]byte, entryBytesMax)}},
	}
	outcome := replica.Outcome(0)
	s.copies[10].group.Append(large, func(o replica.Outcome) { outcome = o })
	r.settle()
	if outcome != replica.Rejected {
		t.Errorf("the outcome is %d", outcome)
	}
	s.put(10, "b", "c")
	r.settle()
	if told := r.told(); !strings.Contains(told, "put b=c: done") {
		t.Errorf("it was told\n%s", told)
	}
}
