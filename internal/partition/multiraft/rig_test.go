package multiraft

import (
	"crypto/rand"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/partition/replica"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

type seeded struct{ source *mathrand.ChaCha8 }

func (s seeded) Read(b []byte) (int, error) { return io.ReadFull(s.source, b) }

// rig is a handful of nodes in one goroutine. Nothing moves but by its commands: each message lies in the network until
// the network is run.
type rig struct {
	t       *testing.T
	nodes   []*station
	clock   time.Duration
	network []Message
	// cut tells which nodes do not hear which; held are types of messages that stay in the network, kept those that do.
	cut  map[[2]uint64]bool
	held map[raftpb.MessageType]bool
	kept []Message
	// freights are the snapshots on their way.
	freights freights
	// copies doubles every message.
	copies bool
	out    strings.Builder
	// holdsRest keeps the last words of leaders that fall silent.
	holdsRest bool
	// watches has every message looked at: see watch.
	watches bool
	// sent counts the messages that nodes gave to the network.
	sent int
	// quiet leaves the events of copies out.
	quiet bool
}

// station is one node.
type station struct {
	rig    *rig
	id     uint64
	fs     *vfs.MemFS
	engine *engine.Engine
	host   *Host
	copies map[uint64]*copied
	born   []uint64
	woken  bool
	down   bool
}

// copied is one copy on a node, with its ear to what its log tells it.
type copied struct {
	*replica.Replica
	node  *station
	group *Group
	id    uint64
	woken bool
}

// The raft library draws its election timeouts from crypto/rand: a story must come out the same every time, whatever was
// told before it.
func newRig(t *testing.T) *rig {
	was := rand.Reader
	rand.Reader = seeded{mathrand.NewChaCha8([32]byte{1})}
	t.Cleanup(func() { rand.Reader = was })
	return &rig{t: t, cut: map[[2]uint64]bool{}, held: map[raftpb.MessageType]bool{}}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) tell(format string, args ...any) { fmt.Fprintf(&r.out, format+"\n", args...) }

// told is what was told since it was last asked.
func (r *rig) told() string {
	s := r.out.String()
	r.out.Reset()
	return s
}

func counters() *table.Table {
	return &table.Table{ID: 100, Name: "counters", Version: 1, State: table.Active,
		Key: table.Key{Hash: []table.KeyAttribute{{Name: "pk", Type: attr.S}}}}
}

// add makes a node with an empty store.
func (r *rig) add() *station {
	s := &station{rig: r, id: uint64(len(r.nodes)) + 1, fs: vfs.NewCrashableMem()}
	r.nodes = append(r.nodes, s)
	s.boot()
	r.t.Cleanup(s.close)
	return s
}

func (s *station) boot() {
	var err error
	s.engine, err = engine.Open(engine.Options{Dir: "store", FS: s.fs, ReserveBytes: -1, Fatal: func(err error) { s.rig.tell("%d: engine failed", s.id) }})
	s.rig.must(err)
	s.copies, s.born, s.down = map[uint64]*copied{}, nil, false
	s.host = New(Options{
		Engine: s.engine, Node: s.id, Now: func() time.Duration { return s.rig.clock },
		Wake:         func(int) { s.woken = true },
		Send:         func(_ uint64, m Message) bool { return s.rig.post(m) },
		SendSnapshot: s.ship,
		Removed: func(group, replica uint64) {
			s.rig.tell("%d: replica %d of %d is no member any more", s.id, replica, group)
		},
		Born: func(group uint64) { s.born = append(s.born, group) },
		Broken: func(group uint64, err error) {
			s.rig.tell("%d: copy of %d is broken: %v", s.id, group, err)
		},
	})
}

func (s *station) close() {
	if !s.down {
		s.down = true
		s.rig.lost(s)
		s.rig.must(s.engine.Close())
	}
}

// crash takes away everything that was not synced.
func (s *station) crash() {
	after := s.fs.CrashClone(vfs.CrashCloneCfg{})
	s.close()
	s.fs = after
}

// restart brings up a node with all it holds.
func (s *station) restart(groups ...uint64) {
	s.boot()
	for _, id := range groups {
		s.open(id)
	}
}

// birth makes a partition whose members are nodes, on those of them that are up, and opens it.
func (r *rig) birth(id uint64, nodes ...uint64) {
	part := machine.Born(id, 100, command.Bounds{})
	part.Table = counters()
	for i, node := range nodes {
		part.Descriptor.Members = append(part.Descriptor.Members, command.Member{Replica: uint64(i) + 1, Node: node})
	}
	part.Descriptor.NextReplica = uint64(len(nodes)) + 1
	for _, node := range nodes {
		s := r.node(node)
		r.must(s.host.Birth([]machine.Part{part}))
		s.open(id)
	}
}

func (r *rig) node(id uint64) *station { return r.nodes[id-1] }

func (s *station) open(id uint64) {
	group, err := s.host.Open(id)
	s.rig.must(err)
	state, found, err := machine.Load(s.engine, id)
	s.rig.must(err)
	if !found {
		s.rig.t.Fatalf("partition %d has no state on node %d", id, s.id)
	}
	c := &copied{node: s, group: group, id: id}
	c.Replica = replica.New(replica.Options{
		Partition: id, Engine: s.engine, Log: group, Wake: func() { c.woken = true },
		NowMillis: func() int64 { return int64(s.rig.clock / time.Millisecond) },
		Performed: func(machine.Batch, machine.Part) {},
		Broken:    func(err error) { s.rig.tell("%d: copy of %d quarantines itself: %v", s.id, id, err) },
	})
	s.copies[id] = c
	group.Keep(c, state)
}

// Lead, Follow and Replaced are heard, and passed on.
func (c *copied) Lead(epoch uint64, state machine.Part) {
	c.tell("leads %d in epoch %d", c.id, epoch)
	c.Replica.Lead(epoch, state)
}

func (c *copied) Follow(hint uint64) {
	if hint == 0 {
		c.tell("follows nobody in %d", c.id)
	} else {
		c.tell("follows node %d in %d", hint, c.id)
	}
	c.Replica.Follow(hint)
}

func (c *copied) tell(format string, args ...any) {
	if !c.node.rig.quiet {
		c.node.rig.tell("%d: "+format, append([]any{c.node.id}, args...)...)
	}
}

// post puts a message into the network.
func (r *rig) post(m Message) bool {
	// A network has the bytes, not the message.
	sent, err := ParseMessage(AppendMessage(nil, &m))
	r.must(err)
	r.sent++
	if r.watches {
		r.watch(sent)
	}
	switch {
	case r.freights.muted[[2]uint64{m.Group, m.ToNode}] || r.cut[[2]uint64{m.FromNode, m.ToNode}] || int(m.ToNode) > len(r.nodes) || r.node(m.ToNode).down:
		return true // nobody knows that it is lost
	case r.held[typeOf(sent)] || sent.Rest && r.holdsRest:
		r.kept = append(r.kept, sent)
		return true
	}
	r.network = append(r.network, sent)
	if r.copies {
		r.network = append(r.network, sent)
	}
	return true
}

func typeOf(m Message) raftpb.MessageType {
	var body raftpb.Message
	if err := proto.Unmarshal(m.Body, &body); err != nil {
		panic(err)
	}
	return body.GetType()
}

// roundsMax ends a rig that does not come to rest.
const roundsMax = 10_000

// settle lets everything happen that can happen without time passing.
func (r *rig) settle() {
	for range roundsMax {
		moved := false
		for _, s := range r.nodes {
			moved = s.work() || moved
		}
		moved = r.haul() || moved
		for len(r.network) > 0 {
			m := r.network[0]
			r.network = r.network[1:]
			if s := r.node(m.ToNode); !s.down {
				s.host.Receive(m)
			}
			moved = true
		}
		if !moved {
			return
		}
	}
	r.t.Fatal("the rig does not come to rest")
}

// work steps a node's host and copies.
func (s *station) work() (moved bool) {
	if s.down {
		return false
	}
	if s.woken {
		s.woken, moved = false, true
		for s.host.Step(0) {
			continue
		}
	}
	for len(s.born) > 0 {
		id := s.born[0]
		s.born = s.born[1:]
		s.open(id)
		moved = true
	}
	for id := range uint64(100) {
		if c := s.copies[id]; c != nil && c.woken {
			c.woken, moved = false, true
			for c.Step() {
				continue
			}
		}
	}
	return moved
}

// tick lets time pass on some nodes, all if none is named.
func (r *rig) tick(n int, nodes ...uint64) {
	for range n {
		r.clock += TickDefault
		for _, s := range r.nodes {
			if s.down || len(nodes) > 0 && !contains(nodes, s.id) {
				continue
			}
			s.host.Tick()
		}
		r.settle()
	}
}

func contains(list []uint64, id uint64) bool {
	for _, o := range list {
		if o == id {
			return true
		}
	}
	return false
}

func key(name string) []byte { return keys.Suffix([]attr.Value{attr.String(name)}, nil) }

// put writes an item, and tells when it is answered.
func (s *station) put(group uint64, name, value string) {
	item := attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String(name)}, {Name: "v", Value: attr.String(value)}})
	c := &command.Command{Action: command.Put, Table: 100, TableVersion: 1, Key: key(name), Item: item}
	s.copies[group].Write(c, func(_ command.Result, err error) {
		s.rig.tell("%d: put %s=%s: %s", s.id, name, value, outcome(err))
	})
}

func (s *station) get(group uint64, name string, strong bool) {
	g := &command.Get{Table: 100, TableVersion: 1, Key: key(name), Strong: strong}
	s.copies[group].Read(g, func(got command.GetResult, err error) {
		switch v, ok := got.Item.Get("v"); {
		case err != nil:
			s.rig.tell("%d: get %s: %s", s.id, name, outcome(err))
		case !ok:
			s.rig.tell("%d: get %s: none", s.id, name)
		default:
			s.rig.tell("%d: get %s: %s", s.id, name, v.Text())
		}
	})
}

func outcome(err error) string {
	switch err := err.(type) { //nolint:errorlint // exactly what the callback was given
	case nil:
		return "done"
	case *command.Rejected:
		return "rejected: " + outcome(err.Cause)
	case *command.Ambiguous:
		return "ambiguous"
	case *command.NotLeader:
		return fmt.Sprintf("not the leader, hint %d", err.Hint)
	default:
		return err.Error()
	}
}
