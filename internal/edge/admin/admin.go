// Package admin is the operator's door: health, metrics, profiles, verbs. It does not know the DynamoDB protocol.
package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"stator/internal/base/metric"
	"stator/internal/cluster/insight"
	"stator/internal/edge/httpapi"
	"stator/internal/jobs/rebalance"
	"stator/internal/model/advice"
	"stator/internal/model/cost"
)

const (
	headTimeout    = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	headerBytesMax = 16 << 10
	verbBytesMax   = 64 << 10
)

// Operator performs the verbs.
type Operator interface {
	// Split cuts the partition of a table that holds the key at (DynamoDB JSON; empty: the largest partition, at its
	// middle) and says in a sentence what came of it.
	Split(ctx context.Context, table string, at []byte) (string, error)
	// Workload is what was metered of a table.
	Workload(ctx context.Context, table string) (cost.Workload, error)
	// Use is how a table was used.
	Use(ctx context.Context, table string) (advice.Use, error)
	// Throttles explains why requests to a table were throttled lately.
	Throttles(ctx context.Context, table string) (insight.Explanation, error)
	// Heat tells how hot its partitions were, Contributors which of its keys are asked for and throttled most.
	Heat(ctx context.Context, table string) (insight.Ring, error)
	Contributors(ctx context.Context, table string) (insight.Report, error)
}

// Cluster answers what concerns more than one node.
type Cluster interface {
	AskCluster(ctx context.Context, q rebalance.Question) (rebalance.Answer, error)
}

// Options are what a Door is made of. All but Operator, Requests and Log may be left out.
type Options struct {
	Operator Operator
	Cluster  Cluster // nil: the node is alone
	// Ready tells why requests should be sent to another process although this one is up; nil: there is no other.
	Ready    func() error
	Requests *metric.Requests
	Log      *slog.Logger
	Samples  func() []Sample   // numbers of the storage and of whatever else
	IndexLag func() []IndexLag // how far global indexes are behind their tables
	Hosts    *httpapi.Hosts    // judges the Host header when there is no token; nil: any will do
	Token    string            // asked for as a bearer token; empty: none is
	Pprof    bool
	Verbs    map[string]http.Handler // further ones, by their patterns
}

// Door answers the operator over HTTP.
type Door struct {
	options Options
	token   [sha256.Size]byte
	ready   atomic.Bool
	server  *http.Server
}

// New returns a door that is not ready yet: /readyz is red until SetReady(true).
func New(o Options) *Door {
	d := &Door{options: o, token: sha256.Sum256([]byte(o.Token))}
	d.server = &http.Server{
		Handler:           d.routes(),
		ReadHeaderTimeout: headTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytesMax,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	return d
}

// SetReady says whether requests should be sent to this process.
func (d *Door) SetReady(ready bool) { d.ready.Store(ready) }

// Handler is the door as a handler.
func (d *Door) Handler() http.Handler { return d.server.Handler }

// Serve answers the connections of l until Shutdown.
func (d *Door) Serve(l net.Listener) error {
	if err := d.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown stops accepting and waits for requests under way until ctx ends.
func (d *Door) Shutdown(ctx context.Context) error {
	if err := d.server.Shutdown(ctx); err != nil {
		return errors.Join(err, d.server.Close())
	}
	return nil
}

func (d *Door) routes() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collector{d.options})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", d.readyz)
	mux.Handle("GET /metrics", d.guarded(promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})))
	mux.Handle("POST /split", d.guarded(http.HandlerFunc(d.split)))
	mux.Handle("GET /workload", telling(d, d.options.Operator.Workload))
	mux.Handle("GET /use", telling(d, d.options.Operator.Use))
	mux.Handle("GET /throttles", telling(d, d.options.Operator.Throttles))
	mux.Handle("GET /heat", telling(d, d.options.Operator.Heat))
	mux.Handle("GET /insights", telling(d, d.options.Operator.Contributors))
	d.clusterRoutes(mux)
	for pattern, verb := range d.options.Verbs {
		mux.Handle(pattern, d.guarded(verb))
	}
	if d.options.Pprof {
		mux.Handle("GET /debug/pprof/", d.guarded(http.HandlerFunc(pprof.Index)))
		mux.Handle("GET /debug/pprof/cmdline", d.guarded(http.HandlerFunc(pprof.Cmdline)))
		mux.Handle("GET /debug/pprof/profile", d.guarded(http.HandlerFunc(pprof.Profile)))
		mux.Handle("GET /debug/pprof/symbol", d.guarded(http.HandlerFunc(pprof.Symbol)))
		mux.Handle("GET /debug/pprof/trace", d.guarded(http.HandlerFunc(pprof.Trace)))
	}
	return mux
}

func (d *Door) readyz(w http.ResponseWriter, _ *http.Request) {
	if !d.ready.Load() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	if d.options.Ready != nil {
		if err := d.options.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ok")
}

// guarded lets in who has the token. Without a token, the door is on loopback, and what is left to fear is a web page in
// a browser on this machine: it cannot choose the Host header.
func (d *Door) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case d.options.Token != "":
			given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			// The hashes have one length, so that the comparison says nothing about the token's.
			hash := sha256.Sum256([]byte(given))
			if subtle.ConstantTimeCompare(hash[:], d.token[:]) != 1 {
				w.Header().Set("WWW-Authenticate", "Bearer")
				http.Error(w, "the admin token is missing or wrong: send 'Authorization: Bearer TOKEN'", http.StatusUnauthorized)
				return
			}
		case d.options.Hosts != nil && !d.options.Hosts.Allows([]byte(r.Host)):
			http.Error(w, "the Host header names neither this machine nor the address the door listens at", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
