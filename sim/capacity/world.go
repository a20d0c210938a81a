// Package capacity is one node that keeps a table to its throughput while it is asked for more and for less, through simulated minutes. It
// does not know what is right of what it tells: golden files do.
package capacity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/node"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
	"stator/sim/timeline"
)

const (
	// tableName is the one table's. It costs itemUnits to write any of its items.
	tableName = "things"
	items     = 200
	itemUnits = 100
	// memoryBytes is more than all items have.
	memoryBytes = 64 << 20
	// createTime is how long a table may take to be made.
	createTime = time.Minute
	// turnsMax ends a wait for what never comes.
	turnsMax = 100_000
	// What stands before an operation's name.
	dynamo  = "DynamoDB_20120810."
	scaling = "AnyScaleFrontendService."
)

// World is a node with one table, and the time in which both live.
type World struct {
	time  *timeline.Timeline
	files engine.FS
	node  *node.Steps
	calls map[string]api.Call
	items []item
}

// item is one of the table's: its place on the ring, and the request that writes it.
type item struct{ key, removal []byte }

// New makes a table of so many writes a second, 0 on demand, and of so many partitions, 0 as its billing mode asks, and fills it. Nothing of
// that counts: the node that does it has its capacity off, and another one goes on with its files.
func New(provisioned, partitions int) (*World, error) {
	w := &World{
		time: timeline.New(rand.New(rand.NewPCG(1, 0xcafe)), io.Discard), files: engine.Memory(),
	}
	for i := range items {
		pk := fmt.Sprintf("item %d", i)
		w.items = append(w.items, item{
			key:     keys.Suffix([]attr.Value{attr.String(pk)}, nil),
			removal: fmt.Appendf(nil, `{"TableName": "things", "Key": {"pk": {"S": %q}}, "ConditionExpression": "attribute_not_exists(pk)"}`, pk),
		})
	}
	err := w.start(node.CapacityOff, partitions)
	if err == nil {
		err = w.do(func() error { return w.fill(provisioned) })
	}
	if err == nil {
		err = w.stop()
	}
	if err == nil {
		err = w.start(node.CapacityEnforce, partitions)
	}
	return w, err
}

// fill makes the table and its items, and ends with a minute.
func (w *World) fill(provisioned int) error {
	paid := `"BillingMode": "PAY_PER_REQUEST"`
	if provisioned > 0 {
		paid = fmt.Sprintf(`"ProvisionedThroughput": {"ReadCapacityUnits": 10, "WriteCapacityUnits": %d}`, provisioned)
	}
	err := w.call(dynamo+"CreateTable", `{"TableName": "things", "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
		"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], `+paid+`}`)
	if err != nil {
		return err
	}
	for t, _ := w.table(); t.State != table.Active; t, _ = w.table() {
		if w.time.Sleep(time.Second); w.time.Now > createTime {
			return errors.New("the table does not come into being")
		}
	}
	value := `"` + strings.Repeat("x", itemUnits*1024-100) + `"`
	for i := range items {
		if err := w.call(dynamo+"PutItem", fmt.Sprintf(`{"TableName": "things", "Item": {"pk": {"S": "item %d"}, "v": {"S": %s}}}`, i, value)); err != nil {
			return err
		}
	}
	w.time.Sleep(time.Minute - w.time.Now%time.Minute)
	return nil
}

// start brings up a node on the files.
func (w *World) start(mode node.Capacity, partitions int) (err error) {
	w.node, err = node.Assemble(node.Options{
		Data: "store", FS: w.files, MemtableBytes: memoryBytes, CacheBytes: memoryBytes, DiskReserve: -1, Partitions: partitions,
		Capacity: mode, Clock: timeOfDay{w.time}, Steady: func() time.Duration { return w.time.Now },
		Random: timeline.NewBytes(1, uint64(w.time.Now)), Wait: w.wait, Fatal: w.time.Fail,
		Pause:  func(_ context.Context, d time.Duration) error { w.time.Sleep(d); return nil },
		Broken: func(partition uint64, err error) { w.time.Fail(fmt.Errorf("partition %d broke: %w", partition, err)) },
	})
	if err != nil {
		return err
	}
	if err := w.do(func() error { return w.node.Recover(context.Background()) }); err != nil {
		return err
	}
	w.calls = w.node.Calls()
	for _, d := range w.node.Duties() {
		w.time.Start(d.Name(), func() { w.attend(d) })
	}
	return nil
}

// stop ends the node.
func (w *World) stop() error {
	w.time.Unwind()
	return w.node.Abandon()
}

// Close ends the world.
func (w *World) Close() error { return w.stop() }

// timeOfDay is the node's clock.
type timeOfDay struct{ time *timeline.Timeline }

// Now implements clock.Clock.
func (t timeOfDay) Now() time.Time { return time.UnixMilli(timeline.StartMillis).Add(t.time.Now) }

// attend makes a duty every so often.
func (w *World) attend(d node.Duty) {
	for {
		w.time.Sleep(d.Every())
		if err := d.Step(context.Background()); err != nil {
			w.time.Fail(fmt.Errorf("%s: %w", d.Name(), err))
		}
	}
}

// wait is the node's replica.Wait: what a request waits for is done at once, and takes no time.
func (w *World) wait(_ context.Context, done <-chan struct{}) error {
	for range turnsMax {
		select {
		case <-done:
			return nil
		default:
		}
		w.node.Turn()
	}
	return errors.New("nothing ends the wait: the node is at rest")
}

// do does something in the world's time, while the node does what it does behind requests.
func (w *World) do(something func() error) (err error) {
	over := false
	w.time.Start("the script", func() {
		err = something()
		over = true
	})
	w.time.Run(func() bool { return over }, math.MaxInt64)
	return errors.Join(err, w.time.Failed())
}

// Scale has the table's writes scaled between two bounds, with a target of so many percent.
func (w *World) Scale(least, most, percent int) error {
	const writes = `"ServiceNamespace": "dynamodb", "ResourceId": "table/things", "ScalableDimension": "dynamodb:table:WriteCapacityUnits"`
	return w.do(func() error {
		err := w.call(scaling+"RegisterScalableTarget", fmt.Sprintf(`{%s, "MinCapacity": %d, "MaxCapacity": %d}`, writes, least, most))
		if err != nil {
			return err
		}
		return w.call(scaling+"PutScalingPolicy", fmt.Sprintf(`{%s, "PolicyName": "track", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration":
			{"TargetValue": %d, "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"}}}`, writes, percent))
	})
}

// Warm raises what the table serves at once.
func (w *World) Warm(units int) error {
	return w.do(func() error {
		return w.call(dynamo+"UpdateTable", fmt.Sprintf(`{"TableName": "things", "WarmThroughput": {"WriteUnitsPerSecond": %d}}`, units))
	})
}

// call asks for an operation.
func (w *World) call(operation, body string) error {
	if _, err := w.calls[operation](context.Background(), []byte(body), nil); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}
