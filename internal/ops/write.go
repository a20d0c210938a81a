package ops

import (
	"context"
	"slices"

	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

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
	paid    float64 // units that the table paid in advance
}

// written is what became of a write.
type written struct {
	command.Result
	table *table.Table
	name  string // as the request gave it
	// why is set where a Throttled write did not reach its partition.
	why *throttle
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
	return planFor(ctx, o, name, func(t *table.Table) (plannedWrite, error) {
		c, err := w.plan(t)
		return plannedWrite{planner: w, name: name, table: t, command: c}, err
	})
}

// send brings a write to its partition. It is planned again when the table's description had changed meanwhile.
func (o *Ops) send(ctx context.Context, p plannedWrite) (written, error) {
	for plans := 1; ; plans++ {
		if why := o.admitWrite(&p, 1); why != nil {
			return p.throttled(why), nil
		}
		result, err := o.router.Write(ctx, p.command)
		o.settleWrite(&p, &result, 1, err)
		if !o.replan(ctx, err, plans) {
			return written{Result: result, table: p.table, name: p.name}, err
		}
		if p, err = o.planWrite(ctx, p.name, p.planner); err != nil {
			return written{}, err
		}
	}
}

// throttled is a write that was not let through to its partition.
func (p *plannedWrite) throttled(why *throttle) written {
	return written{Result: command.Result{Refusal: command.Throttled}, table: p.table, name: p.name, why: why}
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
		if w.why == nil {
			w.why = throttledByPartition(w.table, &w.Result)
		}
		return o.throttled(w.why)
	case command.Locked:
		return api.NewTransactionConflictException(transactionOngoing)
	case command.CollectionTooLarge:
		return api.NewItemCollectionSizeLimitExceededException(collectionTooLarge)
	default:
		return api.NewValidationException(w.Text)
	}
}

const (
	transactionOngoing = "Transaction is ongoing for the item"
	collectionTooLarge = "Collection size exceeded."
	conditionFailed    = "The conditional request failed"
)

// checkReturnValues refuses the kinds of ReturnValues that only an update has.
func (v voice) checkReturnValues(kind *string) error {
	if k := value(kind); k != "" && k != api.ReturnValueNone && k != api.ReturnValueAllOld {
		return v.refuse("ReturnValues can only be ALL_OLD or NONE")
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
