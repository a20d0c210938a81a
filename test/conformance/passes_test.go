package conformance_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"stator"
	"stator/internal/base/clock"
	"stator/internal/edge/httpapi"
	"stator/internal/edge/sigv4"
	"stator/internal/model/api"
	"stator/internal/model/table"
	"stator/internal/node"
)

// serveEmbedded opens a database inside this program and forwards a socket to it.
func serveEmbedded() (stop func(), err error) {
	db, err := stator.Open(context.Background(), stator.Options{InMemory: true, Partitions: 1})
	if err != nil {
		return nil, err
	}
	server := httptest.NewServer(forward(db))
	endpoint = server.URL
	return func() {
		server.Close()
		report(db.Close())
	}, nil
}

// forward hands each request to the embedded database and its answer back, headers and all.
func forward(db http.RoundTripper) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response, err := db.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		for name, values := range response.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	})
}

const (
	memoryBytes = 256 << 20
	stopMax     = time.Minute
)

// database is what stands behind the doors of a pass.
type database interface {
	Calls() map[string]api.Call
	Table(name string) (*table.Table, bool)
	Close() error
}

// serveNode opens one node, with something that troubles it until the end.
func serveNode(partitions int, trouble func(context.Context, *node.Node)) (stop func(), err error) {
	n, err := node.Open(context.Background(), node.Options{InMemory: true, Partitions: partitions, Region: "us-east-1", Account: "000000000000", Broken: broken})
	if err != nil {
		return nil, err
	}
	closeBoth, err := serve(n)
	if err != nil || trouble == nil {
		return closeBoth, err
	}
	troubled, calm := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { trouble(troubled, n) })
	return func() {
		calm()
		running.Wait()
		closeBoth()
	}, nil
}

func broken(partition uint64, err error) {
	report(fmt.Errorf("partition %d is broken: %w", partition, err))
}

// serve has the pass's clients ask a database.
func serve(db database) (stop func(), err error) {
	url, closeBoth, err := listen(db)
	if err != nil {
		return nil, err
	}
	endpoint, behindDoors = url, db
	return func() {
		behindDoors = nil
		closeBoth()
	}, nil
}

// listen puts a database behind the server that `stator serve` has; stop closes both.
func listen(db database) (url string, stop func(), err error) {
	ids, err := httpapi.NewRequestIDs(rand.Reader)
	if err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := httpapi.NewServer(httpapi.New(httpapi.Options{
		Calls: db.Calls(), Auth: sigv4.WellFormed{}, Budget: httpapi.NewBudget(memoryBytes), IDs: ids,
		Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Region: "us-east-1",
	}), httpapi.DefaultLimits())
	var running sync.WaitGroup
	running.Go(func() { report(server.Serve(listener)) })
	return "http://" + listener.Addr().String(), func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopMax)
		defer cancel()
		report(server.Shutdown(ctx))
		running.Wait()
		report(db.Close())
	}, nil
}

const (
	splitEvery     = 2 * time.Millisecond
	splitsEachMax  = 12 // of one table
	splitTokenSize = 16
	// tablesSeen is after how many tables a pass without any split shows nothing.
	tablesSeen = 10
)

// splitAtRandom splits partitions of tables that clients are using, anywhere on the ring or in their middle.
func splitAtRandom(ctx context.Context, n *node.Node) {
	splits, each, seen := 0, map[string]int{}, map[string]bool{}
	for ctx.Err() == nil {
		for _, name := range tables(ctx, n) {
			seen[name] = true
			if each[name] == splitsEachMax {
				continue
			}
			var at [splitTokenSize]byte
			if _, err := rand.Read(at[:]); err != nil {
				report(err)
				return
			}
			where := at[:]
			if at[0]%4 == 0 {
				where = nil
			}
			// A table may have nothing to split, be changing or be gone: the cases go on as if nothing was, that is all.
			if _, err := n.Split(ctx, name, where); err == nil {
				splits++
				each[name]++
			}
		}
		time.Sleep(splitEvery)
	}
	fmt.Printf("%d splits of %d tables, of %d\n", splits, len(each), len(seen))
	if splits == 0 && len(seen) >= tablesSeen {
		report(errors.New("nothing was split: the pass shows nothing"))
	}
}

// tables lists the first tables there are.
func tables(ctx context.Context, n *node.Node) []string {
	var out struct{ TableNames []string }
	answer, err := n.Calls()["DynamoDB_20120810.ListTables"](ctx, []byte("{}"), nil)
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	report(err)
	return out.TableNames
}

// faults counts what went wrong outside of any test.
var faults atomic.Int64

func report(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		faults.Add(1)
		fmt.Fprintln(os.Stderr, "conformance:", err)
	}
}
