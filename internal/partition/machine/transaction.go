package machine

import (
	"fmt"
	"slices"

	"stator/internal/model/attr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

// Bounds in time of a transaction.
const (
	// PendingMillisMax is how long a transaction may be under way: then its coordinator counts as dead, and whoever asks
	// ends it. It is safe at any time, as an ended one is not committed any more; the bound leaves a coordinator that lives
	// two tries of as long as a request may take, to prepare and to commit.
	PendingMillisMax = 10_000
	// RetriedMillisMax is PendingMillisMax where the same request asks, come again by its token: who sends it has given up
	// on the transaction, so that it may well be ended. It is not ended at once, since one that is merely slow would
	// then be performed twice as often and never be answered; nearly all are over in that time, failovers apart.
	RetriedMillisMax = 1_000
	// PrepareAgeMillisMax is how long after it was sent a prepare may be performed: it must not lock items for a
	// transaction that was ended and forgotten.
	PrepareAgeMillisMax = 30_000
	// TokenMillis is how long a request token stands for its request after that was completed (semantics §12.6).
	TokenMillis = 600_000
)

// transaction decides a partition's part in a transaction.
func (d *decision) transaction(c *command.Command) (Answer, error) {
	t := c.Transaction
	if err := d.takesPart(c); err != nil {
		return Answer{Err: err}, nil
	}
	var result command.Result
	var err error
	switch c.Action {
	case command.Transact:
		result, err = d.transact(c)
	case command.Begin:
		result, err = d.begin(c)
	case command.Prepare:
		result, err = d.prepare(c)
	case command.Commit:
		result, err = d.commit(t)
	case command.Cancel:
		result, err = d.cancel(t)
	case command.Apply:
		_, err = d.apply(t)
	case command.Release:
		_, err = d.release(t)
	case command.Settle:
		result, err = d.settle(t)
	case command.Forget:
		err = d.forget(t)
	default:
		err = fmt.Errorf("action %d is no part of a transaction", c.Action)
	}
	return Answer{Result: result}, err
}

// takesPart refuses a part of a transaction that belongs to other partitions, or was planned with another table. What ends
// a transaction has no plan: it takes whatever table there is.
func (d *decision) takesPart(c *command.Command) error {
	if c.Table != d.part.Descriptor.Table {
		return StaleRoute(d.part.Descriptor)
	}
	t := c.Transaction
	for _, action := range t.Actions {
		if err := d.routed(action, action.Key); err != nil {
			return err
		}
	}
	switch c.Action {
	case command.Commit, command.Cancel, command.Settle:
		// The other keys may have moved on; the record says what becomes of them.
		if !d.part.Descriptor.Bounds.Holds(t.Record.Suffix) {
			return StaleRoute(d.part.Descriptor)
		}
	case command.Apply, command.Release:
		for _, suffix := range t.Keys {
			if !d.part.Descriptor.Bounds.Holds(suffix) {
				return StaleRoute(d.part.Descriptor)
			}
		}
	}
	return nil
}

// transact performs a transaction all of whose items are this partition's: its record and its writes are one batch.
func (d *decision) transact(c *command.Command) (command.Result, error) {
	t := c.Transaction
	earlier, met, err := d.earlier(t)
	if err != nil || met {
		return earlier, err
	}
	wishes, result, err := d.wishes(t)
	if err != nil || result.Refusal != command.Accepted {
		return result, err
	}
	result.Version = d.nextVersion()
	for i := range wishes {
		w := &wishes[i].wish
		if !w.changes() {
			continue
		}
		// An action before it may have changed the size of the collection.
		if err := d.measure(w); err != nil {
			return result, err
		}
		d.write(w, result.Version)
		result.Results[i] = w.result
	}
	if len(t.Record.Suffix) > 0 {
		d.keep(t, record.Transaction{ID: t.ID, State: record.Committed, Hash: t.Hash, Version: result.Version})
	}
	return result, nil
}

// begin creates the record of a transaction, pending, and locks this partition's own items.
func (d *decision) begin(c *command.Command) (command.Result, error) {
	t := c.Transaction
	earlier, met, err := d.earlier(t)
	if err != nil || met {
		return earlier, err
	}
	result, err := d.prepare(c)
	if err != nil || result.Refusal != command.Accepted {
		return result, err
	}
	pending := record.Transaction{ID: t.ID, State: record.Pending, Hash: t.Hash}
	for _, p := range t.Participants {
		pending.Participants = append(pending.Participants, record.Participant(p))
	}
	if kept, found, err := d.kept(t); err != nil {
		return result, err
	} else if found && kept.ID != t.ID {
		if err := d.bar(t, kept.ID); err != nil {
			return result, err
		}
	}
	d.keep(t, pending)
	return result, nil
}

// earlier tells what another request with the same token means for this one, if there was one.
func (d *decision) earlier(t *command.Transaction) (result command.Result, met bool, err error) {
	if len(t.Record.Suffix) == 0 {
		return result, false, nil
	}
	kept, found, err := d.kept(t)
	if err != nil || !found {
		return result, false, err
	}
	age := d.nowMillis - kept.Millis
	mine := kept.ID == t.ID
	switch {
	case mine && kept.State == record.Pending:
		return result, false, nil
	case mine && kept.State == record.Aborted:
		result.Refusal = command.Aborted
	case kept.State == record.Aborted:
		_, barred, err := d.kept(barOf(t, t.ID))
		if barred {
			result.Refusal = command.Aborted
		}
		return result, barred, err
	case kept.State == record.Committed && age > TokenMillis && len(kept.Participants) == 0:
		// One whose locks may still ask for it stays until settle has seen that there are none.
		return result, false, nil
	case kept.Hash != t.Hash:
		result.Refusal = command.Mismatched
	case kept.State == record.Committed:
		result = d.told(command.Completed, t, kept)
	default:
		result = d.told(command.Running, t, kept)
	}
	return result, true, nil
}

// told tells of an earlier transaction, which is committed or still under way.
func (d *decision) told(refusal command.Refusal, t *command.Transaction, kept record.Transaction) command.Result {
	result := command.Result{Refusal: refusal, Version: kept.Version, Held: &command.Held{
		ID: kept.ID, Record: command.Place{Table: d.part.Descriptor.Table, Suffix: t.Record.Suffix}, SinceMillis: kept.Millis,
	}}
	for _, p := range kept.Participants {
		result.Participants = append(result.Participants, command.Place(p))
	}
	return result
}

// commit makes a pending transaction committed, and applies it to this partition's own items.
func (d *decision) commit(t *command.Transaction) (command.Result, error) {
	kept, found, err := d.kept(t)
	if err != nil {
		return command.Result{}, err
	}
	if !found || kept.ID != t.ID || kept.State == record.Aborted {
		return command.Result{Refusal: command.Aborted}, nil
	}
	if kept.State == record.Pending {
		kept.State, kept.Version = record.Committed, t.Version
		d.keep(t, kept)
	}
	decided := *t
	decided.Version = kept.Version
	elsewhere, err := d.apply(&decided)
	return command.Result{Version: kept.Version, Elsewhere: elsewhere}, err
}

// cancel makes a pending transaction aborted, and releases this partition's own items. One that was never begun is
// aborted too, so that it cannot begin any more.
func (d *decision) cancel(t *command.Transaction) (command.Result, error) {
	verdict, err := d.end(t, func(record.Transaction) bool { return true })
	if err != nil || verdict.Refusal != command.Aborted {
		return verdict, err
	}
	verdict.Elsewhere, err = d.release(t)
	return verdict, err
}

// settle tells what became of a transaction. One that has been pending for too long, or was never begun, is aborted first.
func (d *decision) settle(t *command.Transaction) (command.Result, error) {
	return d.end(t, func(kept record.Transaction) bool {
		bound := int64(PendingMillisMax)
		if t.Hash != ([16]byte{}) && t.Hash == kept.Hash {
			bound = RetriedMillisMax
		}
		return overdue(d.nowMillis-kept.Millis, bound)
	})
}

// overdue tells whether a transaction has been pending for too long. A clock that was set back says nothing about the time
// that has passed, and locks must not stay until it has come round again.
func overdue(ageMillis, bound int64) bool { return ageMillis > bound || ageMillis < -bound }

// end aborts a transaction that is absent, or pending and of an age to end, and tells what it is then. Where the record is
// another attempt's, this one was aborted, or never began: it cannot any more.
func (d *decision) end(t *command.Transaction, ends func(kept record.Transaction) bool) (command.Result, error) {
	kept, found, err := d.kept(t)
	switch {
	case err != nil:
		return command.Result{}, err
	case !found, kept.ID == t.ID && kept.State == record.Pending && ends(kept):
		d.keep(t, record.Transaction{ID: t.ID, State: record.Aborted, Hash: kept.Hash})
	case kept.ID == t.ID && kept.State == record.Pending:
		return command.Result{Refusal: command.Running}, nil
	case kept.ID == t.ID && kept.State == record.Committed:
		return d.told(command.Completed, t, kept), nil
	case kept.ID != t.ID:
		err = d.bar(t, t.ID)
	}
	return command.Result{Refusal: command.Aborted}, err
}

// bar keeps that an attempt was aborted, beside the record that is another attempt's at the same request: whatever becomes of
// that, and how late ever the attempt's beginning comes, it does not begin any more. Its locks may be taken back then, and
// what it would commit would lack them.
func (d *decision) bar(t *command.Transaction, id command.TransactionID) error {
	beside := barOf(t, id)
	_, found, err := d.kept(beside)
	if err == nil && !found {
		d.keep(beside, record.Transaction{ID: id, State: record.Aborted})
	}
	return err
}

// barOf is where bar keeps it: under the record's key with the attempt's id as one more component.
func barOf(t *command.Transaction, id command.TransactionID) *command.Transaction {
	at := t.Record
	at.Suffix = keys.AppendComponent(slices.Clone(at.Suffix), attr.Binary(id[:]))
	return &command.Transaction{Record: at}
}

// forget removes records of transactions that ended long ago, and of which no lock speaks any more.
func (d *decision) forget(t *command.Transaction) error {
	for _, old := range t.Forgotten {
		if !d.part.Descriptor.Bounds.Holds(old.Suffix) {
			continue
		}
		one := &command.Transaction{Record: command.Place{Table: d.part.Descriptor.Table, Suffix: old.Suffix}}
		kept, found, err := d.kept(one)
		if err != nil {
			return err
		}
		// Nobody can come back to a table that goes.
		late := d.nowMillis-kept.Millis > TokenMillis || d.part.Table != nil && d.part.Table.State == table.Deleting
		if found && kept.ID == old.ID && kept.State != record.Pending && late {
			d.delete(keys.Transaction(d.part.Descriptor.Table, old.Suffix))
		}
	}
	return nil
}

// kept reads the record of a transaction.
func (d *decision) kept(t *command.Transaction) (record.Transaction, bool, error) {
	stored, found, err := d.Get(keys.Transaction(d.part.Descriptor.Table, t.Record.Suffix))
	if err != nil || !found {
		return record.Transaction{}, false, err
	}
	kept, err := record.ParseTransaction(stored)
	return kept, true, err
}

// keep writes the record of a transaction that comes into its state now.
func (d *decision) keep(t *command.Transaction, kept record.Transaction) {
	kept.Millis = d.nowMillis
	d.put(keys.Transaction(d.part.Descriptor.Table, t.Record.Suffix), kept.Append(nil))
}
