package ops

import (
	"context"

	"stator/internal/model/scaling"
	"stator/internal/model/table"
)

// Catalog is what the operations ask of the catalog: which tables there are. The descriptions it hands out are never changed. Its errors,
// ErrExists apart, are faults.
type Catalog interface {
	// Table finds a table in any state by its name.
	Table(name string) (*table.Table, bool)
	// TableByID finds a table in any state by its id.
	TableByID(id uint64) (*table.Table, bool)
	// Sync brings what the others tell up to everything that was changed before the call, whichever node changed it.
	Sync(ctx context.Context) error
	// Names lists the names of all tables in ascending byte order.
	Names() []string
	// CreateBeside stores t, gives it and its indexes their ids, and that many partitions, if allowed says so. When other tables were provisioned
	// with more meanwhile, allowed is asked again. A taken name is catalog.ErrExists, an error of allowed comes back unwrapped.
	CreateBeside(ctx context.Context, t *table.Table, partitions int, allowed func() error) (*table.Table, error)
	// Update replaces the named table by what change makes of it. When the table was changed meanwhile, or others were provisioned with more
	// while it was, change is called again with its newest description. The same description leaves everything as it is; an error of change comes back unwrapped; a table that is gone is
	// catalog.ErrMissing.
	Update(ctx context.Context, name string, change Change) (*table.Table, error)
	// Await waits a moment for t to be active or gone, which mostly takes no longer: a client that sees it on the way may look again only
	// after 20 s, as the waiters of AWS's SDKs do.
	Await(ctx context.Context, t *table.Table)
	// ScalingTarget finds what is scaled by its id, ScalingTargets lists it all.
	ScalingTarget(id scaling.ID) (*scaling.Target, bool)
	ScalingTargets() []*scaling.Target
	// UpdateScalingTarget replaces what is scaled, nil if it is not there, by what change makes of it, nil to have it scaled no more. Like
	// that of Update, change may be called again.
	UpdateScalingTarget(ctx context.Context, id scaling.ID, change func(*scaling.Target) (*scaling.Target, error)) error
	// Stats counts what t and its indexes hold now.
	Stats(ctx context.Context, t *table.Table) (table.Statistics, error)
}

// Change makes a new description out of a table's present one, which it must not alter.
type Change = func(t *table.Table) (*table.Table, error)
