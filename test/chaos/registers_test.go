package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"stator/sim/history"
)

const (
	registerTable = "registers"
	registersMax  = 6
	// registerDeedsMax is how many deeds there are of a register before another takes its place.
	registerDeedsMax = 400
)

// registers are items that hold a tag, which no two writes share. Reads, writes with and without a condition, and transactions go to any
// node, and every item must be linearizable.
type registers struct {
	*workload
	mu sync.Mutex // guards what follows
	// keys are the items in use; deeds are all there were, by key.
	keys  [registersMax]string
	deeds map[string][]*history.Deed
	// stale are the tags that eventually consistent reads saw.
	stale map[string][]int64
}

func newRegisters(l *workload) *registers {
	return &registers{workload: l, deeds: map[string][]*history.Deed{}, stale: map[string][]int64{}}
}

func (r *registers) create(c client) { c.plainTable(registerTable) }

// keep enters what was done to a register.
func (r *registers) keep(key string, d *history.Deed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deeds[key] = append(r.deeds[key], d)
}

// draw draws two different registers.
func (r *registers) draw() [2]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := rand.IntN(registersMax)
	b := (a + 1 + rand.IntN(registersMax-1)) % registersMax
	for _, i := range []int{a, b} {
		if r.keys[i] == "" || len(r.deeds[r.keys[i]]) >= registerDeedsMax {
			r.keys[i] = fmt.Sprintf("register-%d-%d", i, len(r.deeds))
			r.deeds[r.keys[i]] = nil
		}
	}
	return [2]string{r.keys[a], r.keys[b]}
}

// step makes one deed. Its error says that nobody knows what came of it.
func (r *registers) step(ctx context.Context, number int) error {
	c, keys := r.any(), r.draw()
	switch kind := rand.IntN(12); {
	case kind < 4:
		return r.read(ctx, c, number, keys[0])
	case kind < 5:
		return r.readStale(ctx, c, keys[0])
	case kind < 6:
		return r.readBoth(ctx, c, number, keys)
	case kind < 8:
		return r.put(ctx, c, number, keys[0])
	case kind < 9:
		return r.update(ctx, c, number, keys[0])
	case kind < 11:
		return r.replace(ctx, c, number, keys[0])
	}
	return r.writeBoth(ctx, c, number, keys)
}

func registerKey(key string) item { return item{"pk": str(key)} }

func registerItem(key string, tag int64) item {
	return item{"pk": str(key), "tag": num(strconv.FormatInt(tag, 10))}
}

// tagOf is an item's tag, 0 where there is none.
func tagOf(i item) int64 {
	tag, ok := i["tag"].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(tag.Value, 10, 64)
	if err != nil {
		return -1 // no write's
	}
	return n
}

// reading and writing are deeds that begin now.
func (r *registers) reading(number int) *history.Deed {
	return &history.Deed{Client: number, Begun: r.now(), Looked: []int{0}}
}

func (r *registers) writing(number int) *history.Deed {
	return &history.Deed{Client: number, Begun: r.now(), Tag: r.tag(), Wrote: []int{0}}
}

// saw ends a deed that was answered.
func (r *registers) saw(key string, d *history.Deed, tag int64) {
	d.End, d.Looked, d.Saw = r.now(), []int{0}, []int64{tag}
	r.keep(key, d)
}

// lost ends a write that nobody knows of.
func (r *registers) lost(key string, d *history.Deed) {
	d.Unknown, d.End = true, math.MaxInt64
	r.keep(key, d)
}

func (r *registers) read(ctx context.Context, c *dynamodb.Client, number int, key string) error {
	d := r.reading(number)
	out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(registerTable), Key: registerKey(key), ConsistentRead: aws.Bool(true)})
	if err == nil {
		r.saw(key, d, tagOf(out.Item))
	}
	return err
}

// readStale reads what may be old, and must not be invented.
func (r *registers) readStale(ctx context.Context, c *dynamodb.Client, key string) error {
	out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(registerTable), Key: registerKey(key)})
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.stale[key] = append(r.stale[key], tagOf(out.Item))
	}
	return err
}

func (r *registers) put(ctx context.Context, c *dynamodb.Client, number int, key string) error {
	d := r.writing(number)
	out, err := c.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(registerTable), Item: registerItem(key, d.Tag), ReturnValues: types.ReturnValueAllOld,
	})
	return r.wrote(key, d, err, func() int64 { return tagOf(out.Attributes) })
}

// wrote ends a write whose answer tells what it replaced.
func (r *registers) wrote(key string, d *history.Deed, err error, saw func() int64) error {
	switch {
	case err == nil:
		r.saw(key, d, saw())
		return nil
	case refused(err, "TransactionConflictException"):
		return nil
	}
	r.lost(key, d)
	return err
}

func (r *registers) update(ctx context.Context, c *dynamodb.Client, number int, key string) error {
	d := r.writing(number)
	out, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: aws.String(registerTable), Key: registerKey(key), UpdateExpression: aws.String("SET tag = :t"),
		ExpressionAttributeValues: item{":t": num(strconv.FormatInt(d.Tag, 10))}, ReturnValues: types.ReturnValueAllOld,
	})
	return r.wrote(key, d, err, func() int64 { return tagOf(out.Attributes) })
}

// replace reads a register and writes it if it is still what was read. If it is not, that is a read, too.
func (r *registers) replace(ctx context.Context, c *dynamodb.Client, number int, key string) error {
	got, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(registerTable), Key: registerKey(key)})
	if err != nil {
		return err
	}
	was, d := tagOf(got.Item), r.writing(number)
	in := &dynamodb.PutItemInput{
		TableName: aws.String(registerTable), Item: registerItem(key, d.Tag), ConditionExpression: aws.String("attribute_not_exists(tag)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if was != 0 {
		in.ConditionExpression, in.ExpressionAttributeValues = aws.String("tag = :was"), item{":was": num(strconv.FormatInt(was, 10))}
	}
	_, err = c.PutItem(ctx, in)
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		d.Tag, d.Wrote = 0, nil
		r.saw(key, d, tagOf(failed.Item))
		return nil
	}
	return r.wrote(key, d, err, func() int64 { return was })
}

func (r *registers) readBoth(ctx context.Context, c *dynamodb.Client, number int, keys [2]string) error {
	deeds := [2]*history.Deed{r.reading(number), r.reading(number)}
	var gets []types.TransactGetItem
	for _, key := range keys {
		gets = append(gets, types.TransactGetItem{Get: &types.Get{TableName: aws.String(registerTable), Key: registerKey(key)}})
	}
	out, err := c.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: gets})
	if refused(err, "TransactionCanceledException") {
		return nil
	}
	for i, key := range keys {
		if err == nil {
			r.saw(key, deeds[i], tagOf(out.Responses[i].Item))
		}
	}
	return err
}

// writeBoth writes two registers at once, whatever they are.
func (r *registers) writeBoth(ctx context.Context, c *dynamodb.Client, number int, keys [2]string) error {
	var deeds [2]*history.Deed
	var puts []types.TransactWriteItem
	for i, key := range keys {
		deeds[i] = r.writing(number)
		puts = append(puts, types.TransactWriteItem{Put: &types.Put{TableName: aws.String(registerTable), Item: registerItem(key, deeds[i].Tag)}})
	}
	_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: puts})
	if refused(err, "TransactionCanceledException") {
		return nil
	}
	for i, key := range keys {
		if err != nil {
			r.lost(key, deeds[i])
			continue
		}
		deeds[i].End = r.now()
		r.keep(key, deeds[i])
	}
	return err
}

// check looks for an order of what was done to each register, and for the writes of what was read.
func (r *registers) check() (complaints []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(r.deeds)) {
		deeds := history.Known(r.deeds[key])
		if err := history.CheckDeeds(deeds); err != nil {
			complaints = append(complaints, fmt.Sprintf("%s is not linearizable: %v", key, err)+story(deeds))
		}
		written := map[int64]bool{0: true}
		for _, d := range r.deeds[key] {
			written[d.Tag] = true
		}
		for _, tag := range r.stale[key] {
			if !written[tag] {
				complaints = append(complaints, fmt.Sprintf("%s was read as %d, which nobody wrote", key, tag))
			}
		}
	}
	return complaints
}

// story tells what was done to a register.
func story(deeds []*history.Deed) (text string) {
	deeds = slices.SortedFunc(slices.Values(deeds), func(a, b *history.Deed) int { return int(a.Begun - b.Begun) })
	for _, d := range deeds {
		text += fmt.Sprintf("\n  [%.3f, %.3f] client %d saw %v", float64(d.Begun)/1e9, float64(d.End)/1e9, d.Client, d.Saw)
		if d.Tag != 0 {
			text += fmt.Sprintf(" wrote %d", d.Tag)
		}
		if d.Unknown {
			text += ", and nobody told it"
		}
	}
	return text
}
