package engine

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// identKey is the record "ident" of space node (keys.Node, which stands above this package; the golden test there holds the
// same bytes). The ident lies there and nowhere else: a copy in a file of its own could disagree with it.
const identKey = "nident"

// clusterRandomBytes make the 16 hexadecimal digits of a cluster id.
const clusterRandomBytes = 8

// Ident says whose data a store holds. It is written once, with the first open, before FORMAT is: a store that lost it
// could vote under a wrong name, so it is refused.
type Ident struct {
	// Cluster is 16 hexadecimal digits, drawn at the first open.
	Cluster string `json:"cluster"`
	// Node is this node's id in the cluster, from 1.
	Node uint64 `json:"node"`
	// Members are the node ids of partition 1's replicas as last known here: where a node that starts looks for the
	// catalog.
	Members []uint64 `json:"members"`
}

// expects reports whether what is set in want agrees with the ident.
func (i Ident) expects(want Ident) bool {
	return (want.Cluster == "" || want.Cluster == i.Cluster) && (want.Node == 0 || want.Node == i.Node)
}

// newIdent completes what the caller gave for a new store.
func newIdent(given Ident, random io.Reader) (Ident, error) {
	if given.Cluster == "" {
		var b [clusterRandomBytes]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return Ident{}, fmt.Errorf("drawing a cluster id: %w", err)
		}
		given.Cluster = hex.EncodeToString(b[:])
	}
	if given.Node == 0 {
		given.Node = 1
	}
	if len(given.Members) == 0 {
		given.Members = []uint64{given.Node}
	}
	return given, nil
}

// Ident is whose data the store holds.
func (e *Engine) Ident() Ident {
	e.identMu.Lock()
	defer e.identMu.Unlock()
	ident := e.ident
	ident.Members = slices.Clone(ident.Members)
	return ident
}

// SetMembers remembers partition 1's members, synced. It is called when the followed catalog shows a change of them.
func (e *Engine) SetMembers(members []uint64) error {
	ident := e.Ident()
	if slices.Equal(ident.Members, members) {
		return nil
	}
	ident.Members = slices.Clone(members)
	if err := e.writeIdent(ident); err != nil {
		return e.fail(err)
	}
	e.identMu.Lock()
	defer e.identMu.Unlock()
	e.ident = ident
	return nil
}

func readIdent(db *pebble.DB) (ident Ident, found bool, err error) {
	value, closer, err := db.Get([]byte(identKey))
	if errors.Is(err, pebble.ErrNotFound) {
		return Ident{}, false, nil
	}
	if err != nil {
		return Ident{}, false, fmt.Errorf("reading the store's ident: %w", err)
	}
	err = json.Unmarshal(value, &ident)
	if closeErr := closer.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return Ident{}, false, fmt.Errorf("reading the store's ident: %w", err)
	}
	return ident, true, nil
}

func (e *Engine) writeIdent(ident Ident) error {
	value, err := json.Marshal(ident)
	if err != nil {
		return fmt.Errorf("encoding the store's ident: %w", err)
	}
	b := e.db.NewBatch()
	if err := b.Set([]byte(identKey), value, nil); err != nil {
		return fmt.Errorf("writing the store's ident: %w", err)
	}
	if err := e.write(b); err != nil {
		return fmt.Errorf("writing the store's ident: %w", err)
	}
	return b.Close()
}

// write commits a batch of the store's own, synced. Not by Apply: that ends the process through Fatalf where an error will do.
func (e *Engine) write(b *pebble.Batch) error {
	if e.volatile {
		return e.db.Apply(b, pebble.NoSync)
	}
	if err := e.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return err
	}
	return b.SyncWait()
}
