package chaos_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"stator/internal/jobs/rebalance"
	"stator/test/chaos/proxy"
	"stator/test/sdk"
)

// fleet is a cluster of processes that reach each other through a network that can be troubled.
type fleet struct {
	t       *testing.T
	network *proxy.Network
	// disk is a small file system for the directory of one node, "" where none can be mounted.
	disk string

	mu      sync.Mutex // guards what follows
	members []*member
	born    int
}

// member is one node. Its addresses stay when it is started again.
type member struct {
	*server
	name              string
	api, operator     string
	rpc               string // the door that others come by
	client            *dynamodb.Client
	onSmall, isPaused bool
}

// zones are those of a fleet, so that replicas have to be placed.
var zones = []string{"a", "b", "c"}

// newFleet starts a cluster of so many nodes. The last one's directory is on the small disk.
func newFleet(t *testing.T, nodes int) *fleet {
	t.Helper()
	f := &fleet{t: t, network: proxy.New()}
	if os.Geteuid() == 0 {
		f.disk = smallDisk(t, fleetDiskBytes)
	}
	t.Cleanup(f.network.Close)
	for i := range nodes {
		if _, err := f.add(f.disk != "" && i == nodes-1); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			for _, m := range f.all() {
				t.Logf("the last that %s said:\n%s", m.name, m.said())
			}
		}
	})
	return f
}

// add starts a node over an empty directory, which joins the others if there are any.
func (f *fleet) add(onSmall bool) (*member, error) {
	f.mu.Lock()
	f.born++
	number := f.born
	f.mu.Unlock()
	m := &member{name: fmt.Sprintf("n%d", number), api: freeAddress(f.t), operator: freeAddress(f.t), onSmall: onSmall}
	inner := freeAddress(f.t)
	var err error
	if m.rpc, err = f.network.Door(m.name, inner); err != nil {
		return nil, err
	}
	dir := f.t.TempDir()
	if onSmall {
		dir = filepath.Join(f.disk, m.name)
	}
	flags := []string{
		"--listen", m.api, "--admin", m.operator, "--rpc", m.rpc, "--rpc-listen", inner, "--zone", zones[number%len(zones)],
		"--partitions", fmt.Sprint(fleetPartitions), "--request-timeout", "3s",
	}
	if number == 1 {
		flags = append(flags, "--cluster-init")
	}
	for _, other := range f.all() {
		flags = append(flags, "--join", other.rpc)
	}
	m.server = &server{t: f.t, dir: dir, flags: flags, named: func(pid int) { f.network.Name(pid, m.name) }}
	m.client = sdk.New("http://" + m.api)
	f.t.Cleanup(m.kill)
	if err := m.start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w\n%s", m.name, err, m.said())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members = append(f.members, m)
	return m, nil
}

// all are the members there are.
func (f *fleet) all() []*member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.members)
}

// remove forgets a member that never comes back.
func (f *fleet) remove(m *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members = slices.DeleteFunc(f.members, func(other *member) bool { return other == m })
}

// any is the client of some member, be it up or not.
func (f *fleet) any() *dynamodb.Client {
	all := f.all()
	return all[rand.IntN(len(all))].client
}

const (
	fleetPartitions = 4
	// fleetDiskBytes is more than a run writes, so that the disk is full only when something else fills it.
	fleetDiskBytes = 512 << 20
	askMax         = 5 * time.Second
)

// ask sends a verb to the admin doors in turn, until one gives an answer that is no failure of the cluster.
func (f *fleet) ask(method, path string) (answer rebalance.Answer, err error) {
	err = errors.New("there is nobody to ask")
	client := http.Client{Timeout: askMax}
	for _, m := range f.all() {
		var r *http.Request
		if r, err = http.NewRequest(method, "http://"+m.operator+path, http.NoBody); err != nil {
			return answer, err
		}
		r.Header.Set("Content-Type", "application/json")
		var got *http.Response
		if got, err = client.Do(r); err != nil {
			continue
		}
		var body []byte
		body, err = io.ReadAll(got.Body)
		got.Body.Close()
		switch {
		case err != nil:
		case got.StatusCode == http.StatusOK, got.StatusCode == http.StatusConflict:
			if err = json.Unmarshal(body, &answer); err == nil && answer.Refused != "" {
				err = errors.New(answer.Refused)
			}
			return answer, err
		default:
			err = fmt.Errorf("%s %s at %s: %s: %s", method, path, m.name, got.Status, body)
		}
	}
	return answer, err
}

// overview is the cluster as it sees itself.
func (f *fleet) overview() (*rebalance.Overview, error) {
	answer, err := f.ask(http.MethodGet, "/cluster/status")
	if err == nil && answer.Overview == nil {
		err = errors.New("an answer without an overview")
	}
	return answer.Overview, err
}

// number is a member's in the cluster.
func (f *fleet) number(m *member) (uint64, error) {
	o, err := f.overview()
	if err != nil {
		return 0, err
	}
	for _, n := range o.Nodes {
		if n.RPC == m.rpc {
			return n.ID, nil
		}
	}
	return 0, fmt.Errorf("the cluster does not know %s", m.name)
}

// whole waits until every partition has all its replicas on nodes that live.
func (f *fleet) whole(within time.Duration) error {
	var last error
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		o, err := f.overview()
		if err != nil {
			last = err
			continue
		}
		if o.Tally.Total > 1 && o.Tally.Whole == o.Tally.Total && o.MovesCount == 0 {
			return nil
		}
		last = fmt.Errorf("of %d partitions %d are whole and %d have no leader, %d replicas are on their way", o.Tally.Total, o.Tally.Whole,
			o.Tally.Stopped, o.MovesCount)
	}
	return fmt.Errorf("the cluster is not whole after %v: %w\n%s", within, last, f.seen())
}

// seen is all that the cluster says of itself.
func (f *fleet) seen() string {
	var said strings.Builder
	for _, path := range []string{"/cluster/status", "/cluster/partitions"} {
		answer, err := f.ask(http.MethodGet, path)
		text, unfit := json.Marshal(answer)
		if err = errors.Join(err, unfit); err != nil {
			text = []byte(err.Error())
		}
		fmt.Fprintf(&said, "%s: %s\n", path, text)
	}
	return said.String()
}

const startTriesMax = 5

// revive starts a member that is gone, and lets one go on that is paused.
func (f *fleet) revive(m *member) error {
	if m.isPaused {
		m.isPaused = false
		return m.signal(syscall.SIGCONT)
	}
	if m.running() {
		return nil
	}
	var err error
	for range startTriesMax {
		if err = m.start(); err == nil {
			return nil
		}
		time.Sleep(time.Second)
	}
	return fmt.Errorf("starting %s again: %w\n%s", m.name, err, m.said())
}

func (m *member) signal(s syscall.Signal) error { return m.command.Process.Signal(s) }

// pause stops a member's process in its tracks.
func (m *member) pause() error {
	m.isPaused = true
	return m.signal(syscall.SIGSTOP)
}
