// Package command is the vocabulary of one partition: what is asked of it, as data, with what it answers. It does not
// know how an answer is found.
package command

import (
	"stator/internal/model/attr"
	"stator/internal/model/expr"
	"stator/internal/model/table"
)

// Action names what a command wishes for.
type Action byte

// The actions of a command.
const (
	Put Action = iota + 1
	Update
	Delete
	Feed
	Consume
	Progress
	Sweep
	Correct
	Adopt
	Split
	// Expire deletes an item whose time to live has ended, if it still has, and takes its entry out of the index of expiry.
	Expire
	// Rebuild brings older items into the index of expiry.
	Rebuild
	// Check is an action of a transaction: its condition has to hold, and the item stays as it is.
	Check
	// The parts of a transaction, which Transaction tells apart.
	Transact
	Begin
	Prepare
	Commit
	Cancel
	Apply
	Release
	// Settle asks what became of a transaction, and ends one that nobody brings forward any more.
	Settle
	// Forget removes the records of transactions that ended long ago.
	Forget
)

// Command is one wish to read and write one partition. The fields an action does not name are ignored.
type Command struct {
	Action Action
	// Table is the id of the table, or of the hidden table of a global index, whose keys the partition holds.
	Table uint64
	// TableVersion is the version of the table's description the command was planned with.
	TableVersion uint64
	// Key is the key suffix of the item (keys.Suffix): Put, Update, Delete.
	Key []byte
	// Item is the finished item of a Put, or the key attributes from which an Update starts a missing item.
	Item      attr.Map
	Condition *expr.Condition
	Update    *expr.Update
	// Blind tells that nobody asks what a Put or Delete replaces: Before of the result may be missing.
	Blind bool

	// Entries are what a Feed brings to a global index.
	Entries []Entry
	// SentMillis is when a Feed was sent: one that is too old is refused and sent anew.
	SentMillis int64

	// Consumer and Sequence say how far a reader of the change log has come: Consume. Of a Feed, Consumer is the reader whose changes it
	// brings; one without brings what was there before the index.
	Consumer string
	Sequence uint64

	// Second is where the item lies in the index of expiry: Expire.
	Second uint64

	// Index and Backfill are the progress of a backfill: Progress. Entries name the items that a Rebuild brings, Backfill
	// is how far it is then.
	Index    uint64
	Backfill Backfill

	// Tombstones are index keys whose tombstones may go: Sweep.
	Tombstones []Entry

	// Correction is added to the statistics: Correct.
	Correction Stats

	// Description is the table's description to adopt: Adopt.
	Description *table.Table

	// At is the key suffix at which to split; Child the id of the right half; Generation the parent's as the split was
	// planned, which an Expire and a Rebuild name too: Split. An empty At asks for nothing but a new generation, which refuses a Split planned before it.
	At         []byte
	Child      uint64
	Generation uint64

	// Transaction is the part in a transaction: the actions from Transact on.
	Transaction *Transaction
}

// Who makes a change: the Kind of a record.Change.
const (
	// ByUser: a write of a client.
	ByUser byte = iota
	// ByExpiry: the end of an item's time to live.
	ByExpiry
)

// Entry is one entry of a global index as a feed brings it: absent Item means the entry is gone since Version.
type Entry struct {
	Key     []byte
	Version uint64
	Item    attr.Map
}

// Backfill is how far a partition's items have been brought into a new index: After is the last key suffix done. Since is
// the last change that the partition recorded before it adopted the index.
type Backfill struct {
	Since uint64 `json:",omitempty"`
	After []byte `json:",omitempty"`
	Items int64
	Done  bool
}

// Refusal is a lawful no. It is data, not an error.
type Refusal byte

// The refusals.
const (
	Accepted Refusal = iota
	// ConditionFailed: Before holds the item the condition did not hold for.
	ConditionFailed
	// Invalid: Text is DynamoDB's validation message, found only when the item was at hand.
	Invalid
	// Throttled: the partition cannot take more now.
	Throttled
	// CollectionTooLarge: the item collection of a table with local indexes would pass 10 GB.
	CollectionTooLarge
	// TooLate: a feed, or a transaction's prepare, that was sent too long ago.
	TooLate
	// NotDue: by the leader's clock the item has not expired.
	NotDue
	// Locked: a transaction under way has the item; Held says which.
	Locked
	// Cancelled: some of a transaction's actions were refused, as Results tell.
	Cancelled
	// Completed: a transaction with this token and these parameters was committed before, with Version.
	Completed
	// Mismatched: a transaction with this token has other parameters.
	Mismatched
	// Running: a transaction with this token is under way.
	Running
	// Aborted: the transaction was aborted, and stays so.
	Aborted
)

// Result is what became of a command.
type Result struct {
	Refusal Refusal
	// Text says more of an Invalid command; of a Throttled one it names the global index that cannot take more, "" is the partition itself.
	Text string
	// Before and After are the item around the write; nil is no item.
	Before, After attr.Map
	// BeforeBytes is the size of the item that was there, told where a Blind command leaves Before out.
	BeforeBytes int
	// CollectionBytes is the size of the item collection after the write; only with local indexes.
	CollectionBytes int64
	// Sequence is the last change of the partition's log after the command.
	Sequence uint64

	// Held is the lock that a Locked command met, or an earlier attempt at the request: Completed, Running.
	Held *Held
	// Results answer the actions of a Transact, Begin or Prepare one by one.
	Results []Result
	// Version is the version of what was written; of a prepare, the least version the partition would commit with.
	Version uint64
	// Participants are the items of such an attempt, some of which may still be locked by it.
	Participants []Place
	// Elsewhere tells that some of a Commit's keys are not this partition's any more.
	Elsewhere bool
}
