// Package stator opens a database inside a Go program: the AWS SDK's own client talks to it without a socket.
package stator

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"

	"stator/internal/base/clock"
	"stator/internal/edge/httpapi"
	"stator/internal/edge/sigv4"
	"stator/internal/node"
)

// memoryBytes bounds the requests and pages that are under way in an embedded database.
const memoryBytes = 256 << 20

// Options say where an embedded database lies. The zero value keeps it in ./stator-data.
type Options struct {
	// Dir is the data directory, made when absent: the one that `stator serve --data` uses.
	Dir string
	// InMemory keeps everything in memory until Close, and ignores Dir.
	InMemory bool
	// Partitions of a new table; 0 is as its billing mode asks.
	Partitions int
	// Region and Account stand in ARNs: us-east-1 and 000000000000 by default.
	Region, Account string
	// Log gets faults and background work; nil discards them.
	Log *slog.Logger
}

// DB is an open database.
type DB struct {
	node      *node.Node
	transport httpapi.Transport
}

// Open opens the database, or makes it. Every credential and region is accepted, as by `stator serve --auth off`.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Dir == "" {
		o.Dir = "stator-data"
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	n, err := node.Open(ctx, node.Options{
		Data: o.Dir, InMemory: o.InMemory, Partitions: o.Partitions, Region: o.Region, Account: o.Account, Log: o.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	ids, err := httpapi.NewRequestIDs(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	protocol := httpapi.New(httpapi.Options{
		Calls: n.Calls(), Auth: sigv4.WellFormed{}, Budget: httpapi.NewBudget(memoryBytes), IDs: ids,
		Clock: clock.System{}, Log: o.Log, Region: o.Region,
	})
	return &DB{node: n, transport: httpapi.Transport{Protocol: protocol}}, nil
}

// RoundTrip implements http.RoundTripper: it answers the request in-process, whatever host its URL names.
func (db *DB) RoundTrip(r *http.Request) (*http.Response, error) { return db.transport.RoundTrip(r) }

// Client is an HTTP client whose every request db answers. Give it to the SDK with any endpoint, credentials and region.
func (db *DB) Client() *http.Client { return &http.Client{Transport: db} }

// Close finishes what is under way and closes the database. No request may be under way or come after it.
func (db *DB) Close() error { return db.node.Close() }

var _ http.RoundTripper = (*DB)(nil)
