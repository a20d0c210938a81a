package router_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"stator/internal/cluster/router"
	"stator/internal/cluster/rpc"
	"stator/internal/model/attr"
	"stator/internal/partition/command"
)

// door is a node's side of the streams between nodes.
type door struct{ router *router.Router }

var errNoDoor = errors.New("not asked for here")

func (d *door) Raft(uint64, []byte) {}

func (d *door) Call(ctx context.Context, _ uint64, method byte, body []byte) ([]byte, error) {
	return d.router.Serve(ctx, method, body)
}

func (d *door) Snapshot(context.Context, uint64, []byte, func() ([]byte, error)) error {
	return errNoDoor
}

func (d *door) Join(context.Context, []byte) ([]byte, error) { return nil, errNoDoor }

// requestMax is how long a request over real streams may take, which first have to be there.
const requestMax = time.Minute

// connect puts the streams of a real process between the nodes of a fleet.
func connect(t testing.TB, f *fleet) []*rpc.Server {
	t.Helper()
	var servers []*rpc.Server
	var addresses []string
	for i, n := range f.Nodes {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		d := &door{}
		server, err := rpc.Listen(rpc.Options{
			Cluster: 7, Node: n.ID, Incarnation: n.ID, Listener: l, Handler: d, AppendError: command.AppendError, ParseError: command.ParseError,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close(context.Background()) })
		o := n.Options(f)
		o.Cluster.Timeout = requestMax
		o.Cluster.Remote = func(node, partition uint64) router.Remote { return router.NewRemote(server.Peers(), node, partition) }
		f.routers[i] = router.New(o)
		d.router = f.routers[i]
		for j, other := range servers {
			other.Peers().SetAddress(n.ID, l.Addr().String())
			server.Peers().SetAddress(uint64(j+1), addresses[j])
		}
		addresses = append(addresses, l.Addr().String())
		servers = append(servers, server)
	}
	return servers
}

// Over real streams requests arrive, errors keep their meaning, and the death of a node is one.
func TestOverStreams(t *testing.T) {
	f := newFleet(t, 3)
	servers := connect(t, f)
	for i := range 30 {
		putAgain(t, f.routers[i%5], f.put(i))
	}
	for n := range f.routers {
		page, err := f.routers[n].Scan(t.Context(), command.Plan{Table: 100, TableVersion: 1, Strong: true})
		if err != nil || len(page.Items) != 30 {
			t.Errorf("a scan through node %d shows %d items, %v", n+1, len(page.Items), err)
		}
	}
	from := f.routers[apart(f.of(1))-1]
	old := f.put(1)
	old.TableVersion = 0
	_, err := from.Write(t.Context(), old)
	if stale, ok := errors.AsType[*command.StaleTable](err); !ok || stale.Have != 1 {
		t.Errorf("a write with an old plan: %v", err)
	}
	leader := f.of(1).Members[0].Node
	if err := servers[leader-1].Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Lead(f.of(1).ID, f.of(1).Members[1].Node)
	if result, err := from.Read(t.Context(), f.get(1, true)); err != nil || len(result.Item) == 0 {
		t.Errorf("after the leader's node is gone: %v, %v", result, err)
	}
}

// putAgain puts an item, again where nobody knows whether it was: nodes that share one starved machine find each other silent.
func putAgain(t *testing.T, r *router.Router, put *command.Command) {
	t.Helper()
	for began := time.Now(); ; {
		_, err := r.Write(t.Context(), put)
		if err == nil {
			return
		}
		if _, unknown := errors.AsType[*command.Ambiguous](err); !unknown || time.Since(began) > requestMax {
			t.Fatal(err)
		}
	}
}

// What a request costs that another node answers: both nodes' work, and the streams between them.
func BenchmarkOverStreams(b *testing.B) {
	f := newFleet(b, 1)
	connect(b, f)
	from := f.routers[apart(f.of(1))-1]
	put := f.put(1)
	put.Item = put.Item.With("padding", attr.String(strings.Repeat("x", 1000)))
	run := func(name string, ask func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if err := ask(); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
	run("put", func() error { _, err := from.Write(context.Background(), put); return err })
	run("get", func() error { _, err := from.Read(context.Background(), f.get(1, true)); return err })
	run("get here", func() error { _, err := f.routers[0].Read(context.Background(), f.get(1, true)); return err })
}
