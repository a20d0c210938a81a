package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"stator/test/chaos/proxy"
)

// fault is one kind of what goes wrong. It returns what mends it, nil if it is over or passes by itself, and an error if it could not be
// done now.
type fault struct {
	name  string
	begin func(n *nemesis) (mend func() error, err error)
}

// nemesis troubles a fleet with faults of one family, one at a time, as its seed has it. Several of them work side by side.
type nemesis struct {
	*fleet
	family string
	faults []fault
	random *rand.Rand
	// every and lasts bound the pause between two faults, and the time until one is mended.
	every, lasts time.Duration
	note         func(format string, args ...any)

	mu   sync.Mutex // guards done
	done map[string]int
}

// run goes on until ctx ends, and leaves nothing unmended.
func (n *nemesis) run(ctx context.Context) {
	for n.wait(ctx, n.every) {
		f := n.faults[n.random.IntN(len(n.faults))]
		mend, err := f.begin(n)
		if err != nil {
			n.note("%s: not now: %v", f.name, err)
			continue
		}
		n.mu.Lock()
		n.done[f.name]++
		n.mu.Unlock()
		if mend == nil {
			continue
		}
		n.wait(ctx, n.lasts)
		if err := mend(); err != nil {
			n.t.Errorf("mending %s: %v", f.name, err)
		}
		n.note("%s is over", f.name)
	}
}

// wait lets up to most pass, and tells whether to go on.
func (n *nemesis) wait(ctx context.Context, most time.Duration) bool {
	select {
	case <-time.After(most/8 + time.Duration(n.random.Int64N(int64(most)))):
		return true
	case <-ctx.Done():
		return false
	}
}

// counts lists how often each fault was done.
func (n *nemesis) counts() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.done)
}

func (n *nemesis) anyMember() *member {
	all := n.all()
	return all[n.random.IntN(len(all))]
}

// processFaults happen to nodes.
var processFaults = []fault{
	{"kill", (*nemesis).killOne},
	{"kill the catalog's leader", (*nemesis).killLeader},
	{"kill all", (*nemesis).killAll},
	{"restart", (*nemesis).restartOne},
	{"stop in its tracks", (*nemesis).stopOne},
	{"full disk", (*nemesis).fill},
	{"kill in a move", (*nemesis).killInMove},
	{"wiped disk", (*nemesis).wipe},
}

func (n *nemesis) killOne() (func() error, error) { return n.killMember(n.anyMember()) }

func (n *nemesis) killMember(m *member) (func() error, error) {
	n.note("%s is killed", m.name)
	m.kill()
	return func() error { return n.revive(m) }, nil
}

func (n *nemesis) killLeader() (func() error, error) {
	o, err := n.overview()
	if err != nil {
		return nil, err
	}
	for _, node := range o.Nodes {
		for _, m := range n.all() {
			if node.ID == o.Leader && node.RPC == m.rpc {
				return n.killMember(m)
			}
		}
	}
	return nil, fmt.Errorf("the catalog's leader, node %d, is no member", o.Leader)
}

func (n *nemesis) killAll() (func() error, error) {
	n.note("all are killed")
	for _, m := range n.all() {
		m.kill()
	}
	return n.reviveAll, nil
}

// reviveAll starts all members that are gone, at once: one alone has nobody to ask.
func (n *nemesis) reviveAll() error {
	var starting sync.WaitGroup
	failures := make(chan error, len(n.all()))
	for _, m := range n.all() {
		starting.Go(func() { failures <- n.revive(m) })
	}
	starting.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

// restartOne is what an operator does.
func (n *nemesis) restartOne() (func() error, error) {
	m := n.anyMember()
	n.note("%s is restarted", m.name)
	if err := m.signal(syscall.SIGTERM); err != nil {
		return nil, err
	}
	select {
	case <-m.ended:
	case <-time.After(2 * stopMax):
		return nil, fmt.Errorf("%s is still there %v after SIGTERM", m.name, 2*stopMax)
	}
	return nil, n.revive(m)
}

func (n *nemesis) stopOne() (func() error, error) {
	m := n.anyMember()
	n.note("%s is stopped in its tracks", m.name)
	return func() error { return n.revive(m) }, m.pause()
}

// fill takes all that is left of the small disk. The node on it may end, and is started again once there is room.
func (n *nemesis) fill() (func() error, error) {
	if n.disk == "" {
		return nil, errors.New("no small disk can be mounted here")
	}
	n.note("the disk is full")
	if err := take(n.disk, -1); err != nil {
		return nil, err
	}
	return func() error {
		if err := os.Remove(filepath.Join(n.disk, fillerName)); err != nil {
			return err
		}
		return n.reviveAll()
	}, nil
}

// move has a replica of some partition made on a node that has none, and returns that node.
func (n *nemesis) move() (to *member, err error) {
	answer, err := n.ask(http.MethodGet, "/cluster/partitions")
	if err != nil || len(answer.Partitions) == 0 {
		return nil, fmt.Errorf("there are %d partitions: %w", len(answer.Partitions), err)
	}
	p := answer.Partitions[n.random.IntN(len(answer.Partitions))]
	has := map[uint64]bool{}
	for _, r := range p.Replicas {
		has[r.Node] = true
	}
	for _, m := range n.all() {
		number, err := n.number(m)
		if err != nil || has[number] {
			continue
		}
		from := p.Replicas[n.random.IntN(len(p.Replicas))].Node
		n.note("partition %d shall move from node %d to %s", p.ID, from, m.name)
		_, err = n.ask(http.MethodPost, fmt.Sprintf("/cluster/move?partition=%d&from=%d&to=%d", p.ID, from, number))
		return m, err
	}
	return nil, fmt.Errorf("partition %d is everywhere", p.ID)
}

// killInMove kills a node while a snapshot is on its way to it.
func (n *nemesis) killInMove() (func() error, error) {
	to, err := n.move()
	if err != nil {
		return nil, err
	}
	time.Sleep(time.Duration(n.random.Int64N(int64(time.Second))))
	return n.killMember(to)
}

const (
	wholeMax = 30 * time.Second
	goneMax  = 2 * time.Minute
)

// wipe takes a node's disk. Another node joins in its place, and the cluster is told that the old one is gone. All must have what it had
// before: who loses two disks at once loses data.
func (n *nemesis) wipe() (func() error, error) {
	if err := n.whole(wholeMax); err != nil {
		return nil, err
	}
	m := n.anyMember()
	number, err := n.number(m)
	if err != nil {
		return nil, err
	}
	n.note("%s, node %d, loses its disk", m.name, number)
	m.kill()
	n.remove(m)
	if err := os.RemoveAll(m.dir); err != nil {
		return nil, err
	}
	return func() error {
		fresh, err := n.add(m.onSmall)
		for tries := 1; err != nil && tries < startTriesMax; tries++ {
			n.note("nobody takes its place: %v", err)
			fresh, err = n.add(m.onSmall)
		}
		if err != nil {
			return err
		}
		n.note("%s takes its place", fresh.name)
		return n.decommission(number)
	}, nil
}

// decommission has the cluster do without a node.
func (n *nemesis) decommission(number uint64) error {
	var last error
	for end := time.Now().Add(goneMax); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		_, err := n.ask(http.MethodPost, fmt.Sprintf("/cluster/decommission?node=%d", number))
		if last = n.isGone(number); last == nil {
			n.note("node %d is gone", number)
			return nil
		}
		last = errors.Join(last, err)
	}
	return fmt.Errorf("node %d is not gone after %v: %w", number, goneMax, last)
}

func (f *fleet) isGone(number uint64) error {
	o, err := f.overview()
	if err != nil {
		return err
	}
	for _, node := range o.Nodes {
		if node.ID == number && node.State != "gone" {
			return fmt.Errorf("it is %s and has %d replicas", node.State, node.Replicas)
		}
	}
	return nil
}

// networkFaults happen to the ways between nodes.
var networkFaults = []fault{
	{"node cut off", func(n *nemesis) (func() error, error) { return n.trouble(cut, n.around(n.anyMember(), true, true)) }},
	{"node mute", func(n *nemesis) (func() error, error) { return n.trouble(cut, n.around(n.anyMember(), true, false)) }},
	{"node deaf", func(n *nemesis) (func() error, error) { return n.trouble(cut, n.around(n.anyMember(), false, true)) }},
	{"pair parted", func(n *nemesis) (func() error, error) { return n.trouble(cut, n.pair(true)) }},
	{"one way cut", func(n *nemesis) (func() error, error) { return n.trouble(cut, n.pair(false)) }},
	{"halves parted", func(n *nemesis) (func() error, error) { return n.trouble(cut, n.halves()) }},
	{"node slow", func(n *nemesis) (func() error, error) { return n.trouble(slow, n.around(n.anyMember(), true, true)) }},
	{"connections cut", (*nemesis).reset},
	{"move cut", (*nemesis).cutMove},
}

var (
	cut  = proxy.Trouble{Cut: true}
	slow = proxy.Trouble{Delay: 100 * time.Millisecond, BytesPerSecond: 256 << 10}
)

func (n *nemesis) trouble(t proxy.Trouble, ways []proxy.Way) (func() error, error) {
	n.note("trouble %+v from and to %v", t, ways)
	n.network.Set(t, ways...)
	return func() error { n.network.Set(proxy.Trouble{}, ways...); return nil }, nil
}

// around lists the ways out of a node, or to it.
func (n *nemesis) around(m *member, out, in bool) (ways []proxy.Way) {
	for _, other := range n.all() {
		if other != m && out {
			ways = append(ways, proxy.Way{From: m.name, To: other.name})
		}
		if other != m && in {
			ways = append(ways, proxy.Way{From: other.name, To: m.name})
		}
	}
	return ways
}

// pair is a way between two nodes, or both ways.
func (n *nemesis) pair(both bool) []proxy.Way {
	all := n.all()
	two := n.random.Perm(len(all))[:2]
	a, b := all[two[0]].name, all[two[1]].name
	if both {
		return []proxy.Way{{From: a, To: b}, {From: b, To: a}}
	}
	return []proxy.Way{{From: a, To: b}}
}

func (n *nemesis) halves() (ways []proxy.Way) {
	all := n.all()
	n.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, a := range all[:len(all)/2] {
		for _, b := range all[len(all)/2:] {
			ways = append(ways, proxy.Way{From: a.name, To: b.name}, proxy.Way{From: b.name, To: a.name})
		}
	}
	return ways
}

// reset ends the connections of some pairs, which are free to connect again.
func (n *nemesis) reset() (func() error, error) {
	m := n.anyMember()
	n.note("the connections of %s are cut", m.name)
	for _, other := range n.all() {
		n.network.Reset(m.name, other.name)
	}
	return nil, nil
}

// cutMove cuts the connections of a node while a snapshot is on its slow way to it.
func (n *nemesis) cutMove() (func() error, error) {
	to, err := n.move()
	if err != nil {
		return nil, err
	}
	mend, err := n.trouble(slow, n.around(to, false, true))
	time.Sleep(time.Duration(n.random.Int64N(int64(2 * time.Second))))
	n.note("the connections of %s are cut", to.name)
	for _, other := range n.all() {
		n.network.Reset(to.name, other.name)
	}
	return mend, err
}

// clockFaults happen to the time of day of a node.
var clockFaults = []fault{
	{"clock ahead", func(n *nemesis) (func() error, error) { return n.jump(clockJump) }},
	{"clock behind", func(n *nemesis) (func() error, error) { return n.jump(-clockJump) }},
}

const clockJump = 60 * time.Second

func (n *nemesis) jump(by time.Duration) (func() error, error) {
	m := n.anyMember()
	n.note("the clock of %s is off by %v", m.name, by)
	return func() error { _ = m.setClock(0); return nil }, m.setClock(by) // a node that is gone starts with the right time
}

func (m *member) setClock(by time.Duration) error {
	client := http.Client{Timeout: askMax}
	r, err := client.Post("http://"+m.operator+"/clock?by="+url.QueryEscape(by.String()), "application/json", http.NoBody)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("setting the clock of %s: %s", m.name, r.Status)
	}
	return nil
}

// layoutFaults are what operators and the cluster itself do all the time.
var layoutFaults = []fault{
	{"split", (*nemesis).split},
	{"move", func(n *nemesis) (func() error, error) { _, err := n.move(); return nil, err }},
	{"transfer", (*nemesis).transfer},
}

const splitsMax = 12

func (n *nemesis) split() (func() error, error) {
	table := []string{killTable, registerTable, bankTable}[n.random.IntN(3)]
	if n.counts()["split"] >= splitsMax {
		return nil, fmt.Errorf("there were %d splits", splitsMax)
	}
	n.note("table %s shall be split", table)
	client := http.Client{Timeout: askMax}
	r, err := client.Post("http://"+n.anyMember().operator+"/split?table="+table, "application/json", http.NoBody)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(r.Body) // or as much of it as came
		return nil, fmt.Errorf("splitting %s: %s: %s", table, r.Status, why)
	}
	return nil, nil
}

func (n *nemesis) transfer() (func() error, error) {
	answer, err := n.ask(http.MethodGet, "/cluster/partitions")
	if err != nil || len(answer.Partitions) == 0 {
		return nil, fmt.Errorf("there are %d partitions: %w", len(answer.Partitions), err)
	}
	p := answer.Partitions[n.random.IntN(len(answer.Partitions))]
	to := p.Replicas[n.random.IntN(len(p.Replicas))].Node
	_, err = n.ask(http.MethodPost, fmt.Sprintf("/cluster/transfer?partition=%d&to=%d", p.ID, to))
	return nil, err
}

// heal ends all trouble but that of processes.
func (f *fleet) heal() {
	names := map[string]bool{}
	for _, m := range f.all() {
		names[m.name] = true
		_ = m.setClock(0)
	}
	for _, a := range slices.Sorted(maps.Keys(names)) {
		for b := range names {
			f.network.Set(proxy.Trouble{}, proxy.Way{From: a, To: b})
		}
	}
}
