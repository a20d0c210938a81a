package catalog_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/model/scaling"
	"stator/internal/node/nodetest"
)

// What is scaled is in the catalog: it is changed over its last revision, outlives a crash, and goes when it is told to.
func TestScalingTargets(t *testing.T) {
	ctx, files := context.Background(), vfs.NewCrashableMem()
	n := nodetest.Open(t, files)
	read, write := scaling.ID{Table: "things"}, scaling.ID{Table: "things", Index: "color", Write: true}
	put := func(id scaling.ID, lower int64) {
		t.Helper()
		err := n.Catalog().UpdateScalingTarget(ctx, id, func(now *scaling.Target) (*scaling.Target, error) {
			next := &scaling.Target{ID: id, Key: "k"}
			if now != nil {
				next = now.Clone()
			}
			next.Min = lower
			next.PutAction(scaling.Action{Name: "a", Schedule: "rate(1 day)", Min: &lower})
			return next, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(write, 1)
	put(read, 2)
	put(write, 3)
	check := func() {
		t.Helper()
		all := n.Catalog().ScalingTargets()
		if len(all) != 2 || all[0].ID != read || all[1].ID != write || all[1].Min != 3 || *all[1].Actions[0].Min != 3 {
			t.Errorf("scaled are %+v", all)
		}
	}
	check()
	before, _ := n.Catalog().ScalingTarget(write)
	n = n.Crash(files.CrashClone(vfs.CrashCloneCfg{}))
	check()
	if after, _ := n.Catalog().ScalingTarget(write); !reflect.DeepEqual(before, after) {
		t.Errorf("%+v comes back as %+v", before, after)
	}

	refused := errors.New("refused")
	if err := n.Catalog().UpdateScalingTarget(ctx, read, func(*scaling.Target) (*scaling.Target, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Errorf("a refused change: %v", err)
	}
	check()
	forget := func(*scaling.Target) (*scaling.Target, error) { return nil, nil }
	for range 2 {
		if err := n.Catalog().UpdateScalingTarget(ctx, write, forget); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := n.Catalog().ScalingTarget(write); ok || len(n.Catalog().ScalingTargets()) != 1 {
		t.Errorf("scaled are still %+v", n.Catalog().ScalingTargets())
	}
}

// A change of what is scaled no more does not meet what was registered anew meanwhile.
func TestScalingTargetRegisteredAnew(t *testing.T) {
	ctx, id := context.Background(), scaling.ID{Table: "things"}
	n := nodetest.Open(t, nil)
	c, other := follow(t, n), follow(t, n)
	register := func(c *follower, key string) {
		t.Helper()
		err := c.UpdateScalingTarget(ctx, id, func(*scaling.Target) (*scaling.Target, error) { return &scaling.Target{ID: id, Key: key}, nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	register(c, "first")
	err := c.UpdateScalingTarget(ctx, id, func(now *scaling.Target) (*scaling.Target, error) {
		if now.Key == "second" {
			return now, nil
		}
		if err := other.UpdateScalingTarget(ctx, id, func(*scaling.Target) (*scaling.Target, error) { return nil, nil }); err != nil {
			t.Fatal(err)
		}
		register(other, "second")
		return nil, nil
	})
	if err != nil {
		t.Error(err)
	}
	if now, ok := c.ScalingTarget(id); !ok || now.Key != "second" {
		t.Errorf("scaled is %+v, want what was registered last", now)
	}
}
