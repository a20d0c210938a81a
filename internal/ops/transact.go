package ops

import (
	"context"
	"errors"
	"strings"

	"stator/internal/cluster/txn"
	"stator/internal/model/api"
	"stator/internal/model/attr"
	"stator/internal/model/capacity"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// transactBytesMax bounds what a transaction carries, and what one that reads answers (semantics §4).
const transactBytesMax = 4 << 20

const (
	transactPayload  = "Transaction payload size cannot exceed 4MB"
	transactTooLarge = "Collection size of items exceeded, which can also be caused by the aggregate size of the items in the transaction " +
		"exceeding the 4MB limit"
	transactDuplicate = "Transaction request cannot include multiple operations on one item"
)

// transactAction is one action of a transaction that writes, which passed every check that needs only the request.
type transactAction struct {
	planner
	name      string   // the table as the request gave it
	key       attr.Map // what holds the key
	onFailure *string  // ReturnValuesOnConditionCheckFailure
	inserts   bool     // its condition is that there is no item
}

// transaction is a request to write: a token makes it one that is performed once, as far as its hash is the same.
type transaction struct {
	actions []transactAction
	token   string
	hash    [16]byte
	// plan makes the commands of the actions; nil is planTransaction.
	plan func(actions []transactAction) ([]plannedWrite, error)
}

// transacted is what became of a transaction that was performed, action by action. Of a replayed one there are no results.
type transacted struct {
	planned  []plannedWrite
	results  []command.Result
	replayed bool
}

// transact performs a transaction: all of its actions or, with an error that says why, none.
func (o *Ops) transact(ctx context.Context, t transaction) (transacted, error) {
	plan := t.plan
	if plan == nil {
		plan = o.planTransaction
	}
	for plans := 1; ; plans++ {
		planned, err := confirmed(ctx, o, func() ([]plannedWrite, error) { return plan(t.actions) })
		if err != nil {
			return transacted{}, err
		}
		if err := o.admitTransaction(planned); err != nil {
			return transacted{}, err
		}
		commands := make([]*command.Command, len(planned))
		for i := range planned {
			commands[i] = planned[i].command
		}
		outcome, err := o.transactions.Write(ctx, txn.Request{Actions: commands, Token: t.token, Hash: t.hash})
		o.settleTransaction(planned, &outcome, err)
		if o.replan(ctx, err, plans) {
			continue
		}
		if err != nil {
			return transacted{}, err
		}
		done := transacted{planned: planned, results: outcome.Results, replayed: outcome.Replayed}
		return done, t.refused(done, outcome.Refusal)
	}
}

// planTransaction finds all tables, then plans every action.
func (o *Ops) planTransaction(actions []transactAction) ([]plannedWrite, error) {
	planned := make([]plannedWrite, len(actions))
	for i := range actions {
		t, err := o.serving(actions[i].name)
		if err != nil {
			return nil, err
		}
		planned[i] = plannedWrite{planner: actions[i].planner, name: actions[i].name, table: t}
	}
	return planned, planTogether(len(planned), func(i int) (*table.Table, attr.Map) {
		return planned[i].table, actions[i].key
	}, func(i int) (suffix []byte, err error) {
		p := &planned[i]
		if p.command, err = p.plan(p.table); err != nil {
			return nil, err
		}
		return p.command.Key, nil
	})
}

// planTogether plans the n actions of a transaction, whose tables are found: of tells an action's table and what holds its
// key, plan the suffix of the item. An action that does not fit its table cancels the transaction, the first one alone; an
// empty key or one item named twice is a fault of the request (semantics §12).
func planTogether(n int, of func(i int) (*table.Table, attr.Map), plan func(i int) (suffix []byte, err error)) error {
	var invalid error
	seen := make(seenKeys, n)
	for i := range n {
		t, key := of(i)
		if err := checkKeyNotEmpty(t, key); err != nil {
			return err
		}
		suffix, err := plan(i)
		switch {
		case err == nil && !seen.add(t, suffix):
			return bare.refuse(transactDuplicate)
		case err != nil && invalid == nil:
			invalid = invalidAction(n, i, err)
		}
	}
	return invalid
}

// seenKeys are the items that a transaction names.
type seenKeys map[itemPlace]struct{}

type itemPlace struct {
	table uint64
	key   string
}

// add tells whether the item was not among them.
func (s seenKeys) add(t *table.Table, key []byte) bool {
	before := len(s)
	s[itemPlace{t.ID, string(key)}] = struct{}{}
	return len(s) > before
}

// checkKeyNotEmpty refuses an empty value of a key attribute: in a transaction that is wrong of itself, before any action is
// looked at (semantics §12.4).
func checkKeyNotEmpty(t *table.Table, item attr.Map) error {
	for _, a := range t.Key.Attributes() {
		v, ok := item.Get(a.Name)
		if !ok || v.Type() != a.Type || a.Type == attr.N || len(v.Str()) > 0 {
			continue
		}
		return api.NewValidationException(checkKeyValue(a, v, table.HashBytesMax))
	}
	return nil
}

// refused is the API's error for a transaction that was not performed.
func (t *transaction) refused(done transacted, refusal command.Refusal) error {
	switch refusal {
	case command.Accepted:
		return nil
	case command.Mismatched:
		return api.NewIdempotentParameterMismatchException(
			"The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests")
	case command.Running:
		return api.NewTransactionInProgressException("Transaction from previous request is still in progress")
	}
	reasons := make([]api.CancellationReason, len(t.actions))
	for i := range reasons {
		if refusal == command.Aborted {
			reasons[i] = reason(reasonConflict, transactionOngoing)
			continue
		}
		reasons[i] = t.actions[i].reason(done.planned[i].table, &done.results[i])
	}
	return cancelled(reasons)
}

// The codes of cancellation reasons (semantics §12.3).
const (
	reasonNone        = "None"
	reasonCondition   = "ConditionalCheckFailed"
	reasonConflict    = "TransactionConflict"
	reasonCollection  = "ItemCollectionSizeLimitExceeded"
	reasonProvisioned = "ProvisionedThroughputExceeded"
	reasonThrottling  = "ThrottlingError"
	reasonValidation  = "ValidationError"
	reasonDuplicate   = "DuplicateItem"
	reasonNoTable     = "ResourceNotFound"
)

// reason is why an action stood in the way, or that it did not.
func (a *transactAction) reason(t *table.Table, r *command.Result) api.CancellationReason {
	switch r.Refusal {
	case command.Accepted:
		return reason(reasonNone, "")
	case command.ConditionFailed:
		if a.inserts {
			return reason(reasonDuplicate, duplicateItem)
		}
		why := reason(reasonCondition, conditionFailed)
		if value(a.onFailure) == api.ReturnValuesOnConditionCheckFailureAllOld {
			why.Item = r.Before
		}
		return why
	case command.Locked:
		return reason(reasonConflict, transactionOngoing)
	case command.CollectionTooLarge:
		return reason(reasonCollection, collectionTooLarge)
	case command.Throttled:
		return throttledReason(throttledByPartition(t, r))
	default:
		return reason(reasonValidation, r.Text)
	}
}

func reason(code, message string) api.CancellationReason {
	why := api.CancellationReason{Code: &code}
	if message != "" {
		why.Message = &message
	}
	return why
}

// invalidAction cancels a transaction for what is wrong with one of its n actions; an err that is none of the API's passes.
func invalidAction(n, at int, err error) error {
	invalid, ok := errors.AsType[*api.Error](err)
	if !ok {
		return err
	}
	reasons := make([]api.CancellationReason, n)
	for i := range reasons {
		reasons[i] = reason(reasonNone, "")
	}
	reasons[at] = reason(reasonValidation, invalid.Message)
	return cancelled(reasons)
}

// cancelled is the answer to a transaction that was not performed, with a reason for each action in order.
func cancelled(reasons []api.CancellationReason) error {
	codes := make([]string, len(reasons))
	for i := range reasons {
		codes[i] = *reasons[i].Code
	}
	refusal := api.NewTransactionCanceledException(
		"Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]")
	refusal.CancellationReasons = reasons
	return refusal
}

// usage is what one action cost: twice what the table's part of it costs alone (semantics §3.9).
func (d *transacted) usage(i int) capacity.Usage {
	p, r := &d.planned[i], &d.results[i]
	used := capacity.OfWrite(p.table, r.Before, r.After)
	used.Table *= capacity.TransactFactor
	return used
}
