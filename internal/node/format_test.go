package node_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stator/internal/cluster/rpc"
	"stator/internal/jobs/rebalance"
	"stator/internal/node"
	"stator/internal/storage/engine"
)

// The release that is, and one that stands for the next.
const (
	formatNow  = engine.FormatVersion
	formatNext = engine.FormatVersion + 1
)

// at is a membership at an address that a node had before.
func at(t *testing.T, address string, join ...string) *node.Membership {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return &node.Membership{Listener: l, Address: address, Join: join, Replicas: 3, Timeout: requestMax}
}

// reading is a node of a release that reads formats up to one.
func reading(t *testing.T, dir string, m *node.Membership, format int) (*node.Node, error) {
	t.Helper()
	n, err := node.OpenReading(t.Context(), node.Options{Data: dir, DiskReserve: -1, Membership: m, Creator: "stator"}, format)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { closed(t, n) })
	return n, nil
}

func mustRead(t *testing.T, dir string, m *node.Membership, format int) *node.Node {
	t.Helper()
	n, err := reading(t, dir, m, format)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// upgrade asks until all nodes are heard.
func upgrade(t *testing.T, n *node.Node) (answer rebalance.Answer) {
	t.Helper()
	await(t, func() string {
		var err error
		if answer, err = n.AskCluster(t.Context(), rebalance.Question{Verb: rebalance.VerbUpgrade}); err != nil {
			return err.Error()
		}
		if strings.Contains(answer.Refused, "does not answer") {
			return answer.Refused
		}
		return ""
	})
	return answer
}

func writes(t *testing.T, n *node.Node, want int) {
	t.Helper()
	await(t, func() string {
		if format, _ := n.Engine().Format(); format != want {
			return fmt.Sprintf("a node writes format %d, want %d", format, want)
		}
		return ""
	})
}

// A release that reads a newer format goes round a cluster. Its nodes write the old one, and can be put back to the release
// before, until an operator raises it; then they write the new one, and the release before neither starts nor joins.
func TestFormatGate(t *testing.T) {
	first, second := membership(t), membership(t)
	second.Init, second.Join = false, []string{first.Address}
	dirs := [2]string{t.TempDir(), t.TempDir()}
	a := mustRead(t, dirs[0], first, formatNow)
	b := mustRead(t, dirs[1], second, formatNext)
	stocked(t, b.Calls())
	if format, _ := b.Engine().Format(); format != formatNow {
		t.Errorf("a new node writes format %d among others that do not read it", format)
	}
	if answer := upgrade(t, b); !strings.Contains(answer.Refused, "node 1 (stator) reads no newer one") {
		t.Errorf("raised past what a node reads: %+v", answer)
	}
	for _, format := range []int{formatNow, formatNext} {
		closed(t, b)
		b = mustRead(t, dirs[1], at(t, second.Address, first.Address), format)
		holds(t, b.Calls())
	}
	closed(t, a)
	a = mustRead(t, dirs[0], at(t, first.Address), formatNext)
	if answer := upgrade(t, b); !strings.Contains(answer.Text, "the cluster writes format 3 from now on") {
		t.Errorf("not raised: %+v", answer)
	}
	writes(t, a, formatNext)
	writes(t, b, formatNext)
	holds(t, b.Calls())
	third := mustRead(t, t.TempDir(), membership(t, first.Address), formatNext)
	if format, _ := third.Engine().Format(); format != formatNext {
		t.Errorf("a new node writes format %d", format)
	}
	closed(t, b)
	refused := func(dir string, m *node.Membership, want string) (err error) {
		t.Helper()
		if _, err = reading(t, dir, m, formatNow); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the release before starts after the format was raised: %v", err)
		}
		m.Listener.Close()
		return err
	}
	refused(dirs[1], at(t, second.Address), "has format 3 (written by stator) and this release reads format 2")
	outside := func(err error) {
		t.Helper()
		if !errors.As(err, new(*rpc.Failed)) {
			t.Errorf("the cluster let it in, and then: %v", err)
		}
	}
	outside(refused(t.TempDir(), membership(t, first.Address), "reads formats up to 2 only: start the node with the release"))
	// As if it had gone down before it could take the format up.
	if err := os.WriteFile(filepath.Join(dirs[1], "FORMAT"), []byte("format: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	outside(refused(dirs[1], at(t, second.Address, first.Address), "reads formats up to 2 only"))
	if err := refused(dirs[1], at(t, second.Address), "reads formats up to 2 only"); !errors.As(err, new(*node.ErrOutdated)) {
		t.Errorf("%v", err)
	}
	holds(t, mustRead(t, dirs[1], at(t, second.Address), formatNext).Calls())
}
