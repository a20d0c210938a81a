package node

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/catalog"
	"stator/internal/storage/engine"
)

// InspectOptions say which data directory to look into.
type InspectOptions struct {
	Dir string
	// Compact rewrites the store first; without it nothing on disk is changed.
	Compact bool
}

// damagesMax bounds the damages that a report lists; the rest are only counted.
const damagesMax = 100

// Report is what a data directory holds and what is wrong with it. All sizes are in bytes; those of items are in
// DynamoDB's accounting.
type Report struct {
	Dir     string
	Format  int
	Creator string
	Ident   engine.Ident

	// Files are the store's tables, DiskBytes all that the store takes on disk, LogBytes its write-ahead log.
	Files               int64
	DiskBytes, LogBytes int64

	// Tables are the catalog, then the global indexes, then the tables, each by name.
	Tables []*TableReport
	// Records counts the stored records that were read and are lawful.
	Records int64

	// Damages are what cannot be trusted, in the order found; DamagesMore counts those beyond damagesMax.
	Damages     []Damage
	DamagesMore int
	// Remarks are what is odd and yet harmless: what a crash in the middle of a job leaves until the next start.
	Remarks []string
}

// TableReport is one table, or the hidden table of a global index.
type TableReport struct {
	ID uint64
	// Name is "catalog", "index TABLE/INDEX" or "table TABLE".
	Name, State string
	Partitions  []PartitionReport
	Local       []LocalReport
	// DiskBytes estimates what the table takes on disk. What is not written out of the log yet does not count.
	DiskBytes int64
}

// PartitionReport is one partition, counted by reading it whole.
type PartitionReport struct {
	ID, Generation uint64
	Lower, Upper   []byte
	Items, Bytes   int64
	// Tombstones are deletions that an index remembers.
	Tombstones int64
	// Expiring are the items in the index of expiry: those whose time to live ends some day.
	Expiring int64
	// Changes and LogBytes are the length of the change log.
	Changes, LogBytes int64
	// Performed is how far the copy has performed its group's log, 0 on a node that is alone. Copies of a partition that have
	// performed as much have the same Checksum, over all that they keep of it.
	Performed, Checksum uint64
}

// LocalReport is what a local index of a table holds.
type LocalReport struct {
	Name         string
	Items, Bytes int64
}

// Damage is something that cannot be trusted. File is empty when every checksum is right and yet the record that they
// vouch for is not lawful.
type Damage struct{ File, What string }

// ErrCorruptStore is wrapped by the error of a report with damages.
var ErrCorruptStore = errors.New("the data directory is corrupt")

// Err is nil when nothing is damaged.
func (r *Report) Err() error {
	n := len(r.Damages) + r.DamagesMore
	switch n {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%w: %s", ErrCorruptStore, r.Damages[0])
	}
	return fmt.Errorf("%w in %d places, the first being %s", ErrCorruptStore, n, r.Damages[0])
}

// String names the file where one is known.
func (d Damage) String() string {
	if d.File == "" {
		return d.What
	}
	return d.File + ": " + d.What
}

// Inspect reads a whole data directory that no server has open, and verifies every checksum and every record. Damage is
// in the report, not in the error: that says why there is no report.
func Inspect(ctx context.Context, o InspectOptions) (*Report, error) {
	store, err := engine.Open(engine.Options{Dir: o.Dir, Existing: true, ReadOnly: !o.Compact, ReserveBytes: -1})
	if err != nil {
		return nil, err
	}
	i := inspection{ctx: ctx, store: store, snapshot: store.Snapshot(), report: &Report{Dir: o.Dir, Ident: store.Ident()}}
	err = i.run(o.Compact)
	if err := errors.Join(err, i.snapshot.Close(), store.Close()); err != nil {
		return nil, fmt.Errorf("inspecting %s: %w", o.Dir, err)
	}
	return i.report, nil
}

// inspection is a report under way.
type inspection struct {
	ctx      context.Context
	store    *engine.Engine
	snapshot *engine.Snapshot
	report   *Report

	// tables finds a table's report by the table's id; held are the partitions with a state, readable or not.
	tables map[uint64]*TableReport
	held   map[uint64]bool
	// shared tells that the store is of a node of a cluster: it keeps copies of some partitions, and others keep the rest.
	shared bool
	// entries are the catalog's, all of them unless catalogPartial.
	entries        []*catalog.Entry
	catalogPartial bool
}

func (i *inspection) run(compact bool) error {
	i.report.Format, i.report.Creator = i.store.Format()
	if compact {
		if err := i.compact(); err != nil {
			return err
		}
	}
	if err := i.verifyFiles(); err != nil {
		return err
	}
	metrics := i.store.Metrics()
	i.report.Files, i.report.DiskBytes, i.report.LogBytes = metrics.Tables, metrics.DiskBytes, metrics.LogBytes
	if err := i.partitions(); err != nil {
		return err
	}
	if err := i.checkCatalog(); err != nil {
		return err
	}
	i.measure()
	return nil
}

// compact lets the snapshot go meanwhile: it would keep what was overwritten.
func (i *inspection) compact() error {
	if err := i.snapshot.Close(); err != nil {
		return err
	}
	err := i.store.Compact(i.ctx)
	i.snapshot = i.store.Snapshot()
	return err
}

// verifyFiles compares the checksum of every block.
func (i *inspection) verifyFiles() error {
	err := i.store.VerifyChecksums(i.ctx)
	if i.ctx.Err() != nil {
		return i.ctx.Err()
	}
	for _, one := range apart(err) {
		i.found(one, "a block does not match its checksum")
	}
	return nil
}

// apart lists the errors that were joined.
func apart(err error) []error {
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &joined):
		return joined.Unwrap()
	}
	return []error{err}
}

// found enters a damage with the file that err names, if it names one.
func (i *inspection) found(err error, what string) {
	d := Damage{What: what + ": " + err.Error()}
	var corrupt *engine.ErrCorrupt
	if errors.As(err, &corrupt) {
		d = Damage{File: corrupt.File, What: what}
	}
	i.list(d)
}

// damaged enters a damage that no checksum speaks of.
func (i *inspection) damaged(format string, args ...any) {
	i.list(Damage{What: fmt.Sprintf(format, args...)})
}

func (i *inspection) list(d Damage) {
	if len(i.report.Damages) == damagesMax {
		i.report.DamagesMore++
		return
	}
	i.report.Damages = append(i.report.Damages, d)
}

func (i *inspection) remark(format string, args ...any) {
	i.report.Remarks = append(i.report.Remarks, fmt.Sprintf(format, args...))
}
