package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"stator/internal/base/clock"
	"stator/internal/base/metric"
	"stator/internal/base/trace"
	"stator/internal/edge/admin"
	"stator/internal/edge/httpapi"
	"stator/internal/edge/iam"
	"stator/internal/edge/otlp"
	"stator/internal/edge/sigv4"
	"stator/internal/node"
	"stator/internal/storage/engine"
)

// shutdownMax is how long requests under way may take to finish once the process is told to stop.
const shutdownMax = 10 * time.Second

// overheadBytes is what the process needs besides its caches, memtables and requests.
const overheadBytes = 40 << 20

type serveCommand struct {
	Data        string   `default:"./stator-data" placeholder:"DIR" help:"The data directory, made if it is not there (${default})."`
	InMemory    bool     `help:"Keep everything in memory, and lose it at the end."`
	Listen      string   `default:"127.0.0.1:8000" placeholder:"ADDR" help:"Where clients are served (${default})."`
	Admin       string   `default:"127.0.0.1:8001" placeholder:"ADDR" help:"Where operators are: /healthz, /readyz, /metrics (${default})."`
	Region      string   `default:"us-east-1" help:"The region in ARNs and signatures (${default})."`
	Account     string   `default:"000000000000" help:"The account in ARNs (${default})."`
	Partitions  int      `placeholder:"N" help:"Partitions of a new table. Without it, as many as its billing mode asks for."`
	Auth        string   `enum:"off,sigv4" default:"off" help:"off: any well-formed credentials will do; sigv4: signatures are verified (${default})."`
	Credentials string   `placeholder:"FILE" help:"With --auth sigv4: the access keys, an AWS shared-credentials file. Reloaded on SIGHUP."`
	Policies    string   `enum:"profile,require" default:"profile" help:"profile: a policy binds the profiles in --credentials that name one; require: who has none may do nothing (${default})."`
	Insecure    bool     `help:"Serve beyond loopback without --auth sigv4, and other nodes without certificates."`
	TLSCert     string   `name:"tls-cert" placeholder:"FILE" help:"Serve over TLS with this certificate (PEM)."`
	TLSKey      string   `name:"tls-key" placeholder:"FILE" help:"Its key."`
	Capacity    string   `enum:"off,report,enforce," default:"" placeholder:"MODE" help:"off: serve what the machine can; enforce: throttle beyond the throughput of tables and partitions, as DynamoDB does; report: only count that. Without it, off with --auth off, else enforce."`
	Durability  string   `enum:"synced,relaxed" default:"synced" help:"synced: an answer means that the write is on disk; relaxed: a crash may lose the last tenth of a second (${default})."`
	Cache       byteSize `default:"64MiB" placeholder:"SIZE" help:"Memory for blocks read from disk (${default})."`
	Memory      byteSize `default:"256MiB" placeholder:"SIZE" help:"Memory for requests under way; beyond it they wait, then are throttled (${default})."`
	DiskReserve byteSize `placeholder:"SIZE" help:"Refuse writes when less than this is free on the disk. Without it, the smaller of 1 % and 256 MiB."`
	AdminToken  string   `placeholder:"FILE" help:"Ask operators for the token in FILE. Needed when --admin is beyond loopback."`
	CORS        string   `name:"cors" placeholder:"ORIGIN" help:"Let web pages of this origin (or *) call the API."`
	Traces      string   `placeholder:"URL" help:"Send OpenTelemetry traces of requests to this collector (OTLP over HTTP), such as http://127.0.0.1:4318."`
	Pprof       bool     `help:"Serve profiles at the admin address."`
	LogLevel    string   `enum:"debug,info,warn,error" default:"info" help:"debug, info, warn or error (${default})."`
	LogFormat   string   `enum:"text,json" default:"text" help:"text or json (${default})."`

	Cluster clusterFlags `embed:""`
}

// Help shows examples.
func (serveCommand) Help() string {
	return `Example:

    stator serve
    stator serve --data /var/lib/stator --listen 0.0.0.0:8000 --auth sigv4 --credentials /etc/stator/credentials
    STATOR_IN_MEMORY=true stator serve --listen 127.0.0.1:0

A cluster of nodes, here all on this machine:

    stator serve --data n1 --rpc 127.0.0.1:7001 --cluster-init
    stator serve --data n2 --rpc 127.0.0.1:7002 --join 127.0.0.1:7001 --listen 127.0.0.1:8010 --admin 127.0.0.1:8011
    stator serve --data n3 --rpc 127.0.0.1:7003 --join 127.0.0.1:7001 --listen 127.0.0.1:8020 --admin 127.0.0.1:8021`
}

// server is the process under way.
type server struct {
	command *serveCommand
	log     *slog.Logger
	doors   *doors
	node    *node.Node
	api     *httpapi.Server
	admin   *admin.Door
	ring    *sigv4.Ring // nil without --auth sigv4
	clock   clock.Clock
	traces  *otlp.Recorder          // nil without --traces
	verbs   map[string]http.Handler // the admin door's, of a build for tests
}

// Run serves until a signal ends it.
func (c *serveCommand) Run(s streams) error {
	if err := c.check(); err != nil {
		return err
	}
	server := &server{command: c, log: c.logger(s)}
	server.clock, server.verbs = timeOfDay()
	auth, err := server.authenticator()
	if err != nil {
		return err
	}
	stopping := catchSignals(server)
	ctx, cancel := untilClosed(stopping)
	defer cancel()
	if err := server.open(ctx, auth); err != nil {
		return errors.Join(err, server.close(context.Background()))
	}
	if err := server.banner(s.Out); err != nil {
		return errors.Join(err, server.close(context.Background()))
	}
	forgetProgram()
	failed := server.serve()
	select {
	case <-stopping:
		server.log.Info("stopping: requests under way may finish", "at_most", shutdownMax)
	case err = <-failed:
	}
	ctx, cancel = context.WithTimeout(context.Background(), shutdownMax)
	defer cancel()
	return errors.Join(err, server.close(ctx))
}

// untilClosed is a context that ends when the channel is closed: a node may wait for others before it is open.
func untilClosed(stopping <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// open takes what the process needs, in the order in which it is most likely to be missing: a taken port is found before
// the data is touched.
func (s *server) open(ctx context.Context, auth httpapi.Authenticator) (err error) {
	token := ""
	if s.command.AdminToken != "" {
		token, err = readToken(s.command.AdminToken)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: "+tokenHint, err, s.command.AdminToken)
		}
		if err != nil {
			return err
		}
	}
	if s.doors, err = openDoors(s.command); err != nil {
		return err
	}
	c := s.command
	if c.Traces != "" {
		s.traces, err = otlp.New(ctx, otlp.Options{URL: c.Traces, Release: release(), Node: s.doors.api.Addr().String(), Log: s.log})
		if err != nil {
			return fmt.Errorf("--traces: %w", err)
		}
	}
	addProcessors()
	membership, err := s.membership()
	if err != nil {
		return err
	}
	s.node, err = node.Open(ctx, node.Options{
		Data: c.Data, InMemory: c.InMemory, Partitions: c.Partitions, Durability: node.Durability(c.Durability),
		CacheBytes: int64(c.Cache), DiskReserve: int64(c.DiskReserve), Region: c.Region, Account: c.Account,
		Address: s.doors.api.Addr().String(), Creator: "stator " + release(), Log: s.log,
		Clock: s.clock, Membership: membership, Capacity: c.capacity(), Traces: s.recorder(),
	})
	if err != nil {
		return err
	}
	c.tuneMemory(s.node.Engine().UncollectedBytes)
	return s.assemble(auth, token)
}

// assemble joins the node with its doors.
func (s *server) assemble(auth httpapi.Authenticator, token string) error {
	ids, err := httpapi.NewRequestIDs(rand.Reader)
	if err != nil {
		return err
	}
	calls := s.node.Calls()
	requests := metric.NewRequests(slices.Values(append(slices.Collect(maps.Keys(calls)), httpapi.UnknownTarget)))
	budget := httpapi.NewBudget(int64(s.command.Memory))
	options := httpapi.Options{
		Calls: calls, Auth: auth, Budget: budget, IDs: ids, Clock: s.clock, Log: s.log,
		Region: s.command.Region, Requests: requests, Origin: s.command.CORS, Nodes: s.node.Living(),
		Cluster: s.node.ClusterID(), Traces: s.recorder(),
	}
	if s.ring != nil {
		options.Policies = iam.New(iam.Options{
			Tables: s.node, Region: s.command.Region, Account: s.command.Account, Clock: s.clock,
			Required: s.command.Policies == "require",
		})
	}
	if s.command.Auth == "off" {
		options.Hosts = httpapi.NewHosts(s.command.Listen)
	}
	s.api = httpapi.NewServer(httpapi.New(options), httpapi.DefaultLimits())
	var cluster admin.Cluster
	if s.doors.rpc != nil {
		cluster = s.node
	}
	s.admin = admin.New(admin.Options{
		Cluster: cluster, Ready: s.node.Ready,
		Operator: operator{s.node, calls}, Requests: requests, Log: s.log, Token: token, Pprof: s.command.Pprof,
		Hosts: httpapi.NewHosts(s.command.Admin), Samples: func() []admin.Sample { return samples(s.node, budget) }, IndexLag: s.indexLag,
		Verbs: s.verbs,
	})
	return nil
}

// recorder is nil, and not a recorder that is nil, without --traces.
func (s *server) recorder() trace.Recorder {
	if s.traces == nil {
		return nil
	}
	return s.traces
}

// capacity is what --capacity says, or what fits who is served: a developer's own machine serves what it can, one that knows its clients
// keeps them apart.
func (c *serveCommand) capacity() node.Capacity {
	switch {
	case c.Capacity != "":
		return node.Capacity(c.Capacity)
	case c.Auth == "off":
		return node.CapacityOff
	}
	return node.CapacityEnforce
}

// authenticator reads the credentials, if they are asked for.
func (s *server) authenticator() (httpapi.Authenticator, error) {
	if s.command.Auth == "off" {
		return sigv4.WellFormed{}, nil
	}
	credentials, err := sigv4.LoadCredentials(s.command.Credentials)
	if err != nil {
		return nil, err
	}
	s.ring = sigv4.NewRing(credentials)
	return sigv4.NewVerifier(s.command.Region, s.ring, s.clock), nil
}

// serve answers at both doors. What ends one of them ends the process.
func (s *server) serve() <-chan error {
	failed := make(chan error, 2)
	go func() { failed <- s.api.Serve(s.doors.api) }()
	go func() { failed <- s.admin.Serve(s.doors.admin) }()
	s.admin.SetReady(true)
	return failed
}

// close ends what open began, the doors before the data. It stops waiting for requests when ctx ends.
func (s *server) close(ctx context.Context) error {
	var failures []error
	if s.api != nil {
		s.admin.SetReady(false)
		if err := s.api.Shutdown(ctx); err != nil {
			s.log.Warn("some requests did not finish in time and are cut off")
		}
		failures = append(failures, s.admin.Shutdown(ctx))
	}
	if s.doors != nil {
		s.doors.close()
	}
	switch {
	case s.node != nil:
		failures = append(failures, s.node.Close())
	case s.doors != nil && s.doors.rpc != nil:
		s.doors.rpc.Close()
	}
	if s.traces != nil {
		failures = append(failures, s.traces.Close(ctx))
	}
	return errors.Join(failures...)
}

// reload takes up a changed credentials file. One that cannot be read changes nothing.
func (s *server) reload() {
	if s.ring == nil {
		return
	}
	credentials, err := sigv4.LoadCredentials(s.command.Credentials)
	if err != nil {
		s.log.Error("the credentials were not reloaded, the old ones stay", "error", err)
		return
	}
	s.ring.Replace(credentials)
	s.log.Info("the credentials were reloaded", "count", len(credentials))
}

func (c *serveCommand) logger(s streams) *slog.Logger {
	var level slog.Level
	if level.UnmarshalText([]byte(c.LogLevel)) != nil {
		level = slog.LevelInfo // cannot be: the parser has checked it
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(s.Err, options))
	}
	return slog.New(slog.NewTextHandler(s.Err, options))
}

// memtableBytes is what the store gathers writes in before they go to its tables.
const memtableBytes = engine.MemtablesMax * engine.MemtableBytesDefault

// Bounds of the block cache. Less is a unit that was forgotten; the index of one of 900 TiB would end the process without a word of why.
const (
	cacheBytesMin = 1 << 20
	cacheBytesMax = 1 << 40
)

// check refuses flags that do not go together.
func (c *serveCommand) check() error {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key go together: give both or neither")
	case c.Auth == "sigv4" && c.Credentials == "":
		return errors.New("--auth sigv4 needs --credentials FILE: make one with 'stator credentials new NAME --credentials FILE'")
	case c.Auth != "sigv4" && c.Policies == "require":
		return errors.New("--policies require needs --auth sigv4: without signatures nobody knows whose policy to ask")
	case c.Partitions < 0 || c.Partitions > partitionsMax:
		return fmt.Errorf("--partitions is a number from 1 to %d", partitionsMax)
	case c.Cache > cacheBytesMax:
		return fmt.Errorf("--cache %v is more than a machine has: give at most %v", c.Cache, byteSize(cacheBytesMax))
	case c.Cache > 0 && c.Cache < cacheBytesMin:
		return fmt.Errorf("--cache %v is too little: write it like 64MiB, and give at least %v", c.Cache, byteSize(cacheBytesMin))
	case c.Memory < httpapi.MemoryBytesMin:
		return fmt.Errorf("--memory %v is too little for the largest lawful request: give at least %v", c.Memory, byteSize(httpapi.MemoryBytesMin))
	case !accountExpression.MatchString(c.Account):
		return fmt.Errorf("--account %q is no account: it has 12 digits", c.Account)
	case !regionExpression.MatchString(c.Region):
		return fmt.Errorf("--region %q is no region: it looks like us-east-1", c.Region)
	case !originExpression.MatchString(c.CORS):
		return fmt.Errorf("--cors %q is no origin: write it like https://example.com, or * for all", c.CORS)
	}
	if err := c.checkCluster(); err != nil {
		return err
	}
	return c.checkExposure()
}

// indexLag is the node's, as the admin door shows it.
func (s *server) indexLag() []admin.IndexLag {
	var lags []admin.IndexLag
	for _, lag := range s.node.IndexLags() {
		lags = append(lags, admin.IndexLag(lag))
	}
	return lags
}
