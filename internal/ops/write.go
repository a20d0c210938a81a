package ops

import (
	"context"
	"slices"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// itemBytesMax is the largest item in DynamoDB's accounting, inclusive (semantics §2.1).
const itemBytesMax = 409_600

const itemTooLarge = "Item size has exceeded the maximum allowed size"

// planner is a write that passed every check that needs only the request. Its plan may be made more than once: the table can change
// before the write arrives.
type planner interface {
	plan(t *table.Table) (*command.Command, error)
}

// plannedWrite is a write with the command it became for the table as it was described then.
type plannedWrite struct {
	planner
	name    string // as the request gave it
	table   *table.Table
	command *command.Command
}

// written is what became of a write.
type written struct {
	command.Result
	table *table.Table
	name  string // as the request gave it
}

// write plans one write and sends it.
func (o *Ops) write(ctx context.Context, name string, w planner) (written, error) {
	p, err := o.planWrite(ctx, name, w)
	if err != nil {
		return written{}, err
	}
	return o.send(ctx, p)
}

func (o *Ops) planWrite(ctx context.Context, name string, w planner) (plannedWrite, error) {
	t, err := o.serving(ctx, name)
	if err != nil {
		return plannedWrite{}, err
	}
	c, err := w.plan(t)
	return plannedWrite{planner: w, name: name, table: t, command: c}, err
}

// send brings a write to its partition. It is planned again when the table's description had changed meanwhile.
func (o *Ops) send(ctx context.Context, p plannedWrite) (written, error) {
	for plans := 1; ; plans++ {
		result, err := o.router.Write(ctx, p.command)
		if !o.replan(ctx, err, plans) {
			return written{Result: result, table: p.table, name: p.name}, err
		}
		if p, err = o.planWrite(ctx, p.name, p.planner); err != nil {
			return written{}, err
		}
	}
}

// refused is the API's error for a write's refusal. onFailure is ReturnValuesOnConditionCheckFailure.
func (o *Ops) refused(w written, onFailure *string) error {
	switch w.Refusal {
	case command.ConditionFailed:
		failed := api.NewConditionalCheckFailedException(conditionFailed)
		if value(onFailure) == api.ReturnValuesOnConditionCheckFailureAllOld {
			failed.Item = w.Before
		}
		return failed
	case command.Throttled:
		return o.throttled(w.table)
	case command.Locked:
		return api.NewTransactionConflictException(transactionOngoing)
	case command.CollectionTooLarge:
		return api.NewItemCollectionSizeLimitExceededException(collectionTooLarge)
	default:
		return api.NewValidationException(w.Text)
	}
}

const (
	onDemandThrottled = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling " +
		"your table or index so please try again shortly. If exceptions persist, check if you have a hot key: " +
		"https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
	provisionedThrottled = "The level of configured provisioned throughput for the table was exceeded. " +
		"Consider increasing your provisioning level with the UpdateTable API."
	transactionOngoing = "Transaction is ongoing for the item"
	collectionTooLarge = "Collection size exceeded."
	conditionFailed    = "The conditional request failed"
)

// throttled is the answer to a write that its partition cannot take now. A provisioned table has an exception of its own (semantics §18.1).
func (o *Ops) throttled(t *table.Table) error {
	refusal := api.NewThrottlingException(onDemandThrottled)
	if t.Billing == table.Provisioned {
		refusal = api.NewProvisionedThroughputExceededException(provisionedThrottled)
	}
	reason, resource := "TableWriteKeyRangeThroughputExceeded", o.tableARN(t)
	refusal.ThrottlingReasons = []api.ThrottlingReason{{Reason: &reason, Resource: &resource}}
	return refusal
}

// checkReturnValues refuses the kinds of ReturnValues that only an update has.
func checkReturnValues(kind *string) error {
	if k := value(kind); k != "" && k != api.ReturnValueNone && k != api.ReturnValueAllOld {
		return api.NewValidationException("ReturnValues can only be ALL_OLD or NONE")
	}
	return nil
}

// blind tells whether the answer to a Put or Delete says nothing of the item that was there.
func blind(returnValues, returnConsumedCapacity *string) bool {
	return value(returnValues) != api.ReturnValueAllOld && !wantsCapacity(returnConsumedCapacity)
}

// oldAttributes is what a Put or Delete returns of the item it replaced.
func (w written) oldAttributes(kind *string) attr.Map {
	if value(kind) != api.ReturnValueAllOld {
		return nil
	}
	return w.Before
}

// checkKeyUntouched refuses an update that writes an attribute of the table's key.
func checkKeyUntouched(t *table.Table, written []string) error {
	for _, a := range t.Key.Attributes() {
		if slices.Contains(written, a.Name) {
			return api.NewValidationException("One or more parameter values were invalid: Cannot update attribute " + a.Name +
				". This attribute is part of the key")
		}
	}
	return nil
}
