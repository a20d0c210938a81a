// Package warm raises what on-demand tables serve at once, once their peaks are old enough. It does not know who counts what they consume.
package warm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stator/internal/cluster/budget"
	"stator/internal/cluster/catalog"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
)

// lookBackMax is how many minutes a job that begins looks back over: another may have been at work until it failed.
const lookBackMax = 60

// Job works where the catalog is led.
type Job struct {
	Catalog *catalog.Catalog
	// Consumed is what all payers consumed on all nodes in the minutes [from, to) since the epoch.
	Consumed  func(ctx context.Context, from, to int64) (map[int64]budget.Minute, error)
	NowMillis func() int64

	done int64 // the minutes before it have been looked at
}

// Step looks at the minutes that have come of age since the last step.
func (j *Job) Step(ctx context.Context) error {
	to := (j.NowMillis() - capacity.PeakAge.Milliseconds()) / time.Minute.Milliseconds()
	from := max(j.done, to-lookBackMax)
	if from >= to {
		return nil
	}
	minutes, err := j.Consumed(ctx, from, to)
	if err != nil {
		return fmt.Errorf("looking for new peaks: %w", err)
	}
	var failures []error
	for _, entry := range j.Catalog.Entries() {
		if grown(entry.Table, minutes) != nil {
			failures = append(failures, j.raise(ctx, entry.Table.Name, minutes))
		}
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	j.done = to
	return nil
}

func (j *Job) raise(ctx context.Context, name string, minutes map[int64]budget.Minute) error {
	_, err := j.Catalog.Update(ctx, name, func(t *table.Table) (*table.Table, error) {
		if now := grown(t, minutes); now != nil {
			return now, nil
		}
		return t, nil
	})
	if errors.Is(err, catalog.ErrMissing) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("raising the warm throughput of table %s: %w", name, err)
	}
	return nil
}

// grown is a table with the warm throughput that some minutes of its past make it, or nil if they change nothing.
func grown(t *table.Table, minutes map[int64]budget.Minute) *table.Table {
	if t.Billing != table.OnDemandBilling {
		return nil
	}
	next := t.Clone()
	changed := false
	for _, m := range minutes {
		raise := func(id uint64, warm *table.Warm) {
			if now := capacity.Grown(*warm, m[id].Consumed); now != *warm {
				*warm, changed = now, true
			}
		}
		raise(next.ID, &next.Warm)
		for i := range next.Global {
			raise(next.Global[i].ID, &next.Global[i].Warm)
		}
	}
	if !changed {
		return nil
	}
	return next
}
