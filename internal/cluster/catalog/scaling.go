package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"stator/internal/model/attr"
	"stator/internal/model/scaling"
)

// scalingPrefix begins the keys of items that tell what is scaled, one each. They are none of their table's item: they are written by every
// activity, and they outlive the table as they do in DynamoDB.
const scalingPrefix = "scaling/"

// scaled is what the catalog says of something that is scaled. It is never changed.
type scaled struct {
	target   *scaling.Target
	revision int64
}

func scalingKey(id scaling.ID) string { return scalingPrefix + id.Resource() + " " + id.Dimension() }

// ScalingTarget finds what is scaled by its id.
func (c *Catalog) ScalingTarget(id scaling.ID) (*scaling.Target, bool) {
	s, ok := c.current.Load().scaled[scalingKey(id)]
	return s.target, ok
}

// ScalingTargets lists all that is scaled by ids.
func (c *Catalog) ScalingTargets() []*scaling.Target {
	known := c.current.Load().scaled
	targets := make([]*scaling.Target, 0, len(known))
	for _, s := range known {
		targets = append(targets, s.target)
	}
	slices.SortFunc(targets, func(a, b *scaling.Target) int { return a.ID.Compare(b.ID) })
	return targets
}

// UpdateScalingTarget changes something that is scaled: change gets it as it is, nil if it is not there, and returns it as it shall be (a
// changed Clone), or nil to have it scaled no more. It may be called again if another change came first. The same one, or nil for nil,
// leaves everything as it is.
func (c *Catalog) UpdateScalingTarget(ctx context.Context, id scaling.ID, change func(*scaling.Target) (*scaling.Target, error)) error {
	if err := c.Sync(ctx); err != nil {
		return err
	}
	for range updateTriesMax {
		known := c.current.Load()
		now := known.scaled[scalingKey(id)]
		next, err := change(now.target)
		if err != nil || next == now.target {
			return err
		}
		if next == nil {
			err = c.remove(ctx, scalingKey(id), now.revision)
		} else {
			// The log is ahead of all revisions that it has: what is registered anew has none of those from before.
			revision := max(now.revision, int64(known.sequence)) + 1
			err = c.putRevision(ctx, bodyItem(scalingKey(id), revision, next), now.revision)
		}
		if !errors.Is(err, errRaced) {
			return err
		}
		if err := c.Sync(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("changing the scaling of %s: %w", id.Resource(), errRaced)
}

// takeScaling brings an item that tells what is scaled into a map; it tells whether it is one.
func (s *state) takeScaling(item attr.Map) (bool, error) {
	pk, _ := item.Get(attributePK)
	key := string(pk.Str())
	if !strings.HasPrefix(key, scalingPrefix) {
		return false, nil
	}
	content, _ := item.Get(attributeBody)
	entry := scaled{target: &scaling.Target{}}
	err := json.Unmarshal(content.Str(), entry.target)
	if err == nil {
		entry.revision, err = number(item, attributeRevision)
	}
	if err != nil {
		return true, fmt.Errorf("reading the catalog's item %s: %w", key, err)
	}
	s.scaled[key] = entry
	return true, nil
}
