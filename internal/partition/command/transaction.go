package command

import "stator/internal/model/attr"

// TransactionID names one attempt of a transaction for ever: a retry of the same request has another.
type TransactionID [16]byte

// Place is an item of any table, or where a transaction's record lies: a key suffix, and the table it is of.
type Place struct {
	Table  uint64
	Suffix []byte
}

// Transaction is one partition's part in a transaction. A partition that holds all of its items performs it whole
// (Transact). Otherwise the partition of the first item keeps its record: it begins there (Begin) while the others
// prepare, and commits or is cancelled there with that partition's own items before the others apply or release theirs.
type Transaction struct {
	ID TransactionID
	// Record is where the record lies: the first action's key, followed by the request token or the id as one more
	// component. Without Suffix no record is kept: Transact, when nobody will ask again.
	Record Place
	// Hash is of the request's parameters: a request with the same token and another hash is another request. A Settle with the hash is
	// that of the same request, come again.
	Hash [16]byte
	// Actions are this partition's wishes, each a Put, Update, Delete or Check: Transact, Begin, Prepare.
	Actions []*Command
	// Participants are the items of the whole transaction, kept in its record: Begin.
	Participants []Place
	// Keys are the key suffixes of this partition's items: Commit, Cancel, Apply, Release. One that is not locked by this
	// transaction is passed over, so that each may be sent twice.
	Keys [][]byte
	// Version is the commit version: Commit, Apply.
	Version uint64
	// SentMillis is when a Begin or Prepare was sent: one that is too old is refused.
	SentMillis int64
	// Forgotten are records that may go: Forget.
	Forgotten []Forgotten
}

// Forgotten is a finished transaction whose record may go, unless it is another one's by now.
type Forgotten struct {
	Suffix []byte
	ID     TransactionID
}

// Finishes tells whether the command ends what an accepted one began. It is never turned away for want of room: there are
// no more of these than were let in before.
func (c *Command) Finishes() bool {
	switch c.Action {
	case Commit, Cancel, Apply, Release:
		return true
	}
	return false
}

// IsStep tells whether an accepted command leads to others of its transaction, and its result is seen by the coordinator
// alone: what a client is told comes with a later one.
func (c *Command) IsStep() bool {
	switch c.Action {
	case Begin, Prepare, Commit:
		return true
	}
	return false
}

// Held is a lock that was met: who holds it, and since when.
type Held struct {
	ID          TransactionID
	Record      Place
	SinceMillis int64
}

// MultiGet is a wish to read some items of one partition as they were together at one moment. It is always strong.
type MultiGet struct {
	Table        uint64
	TableVersion uint64
	Keys         [][]byte
}

// Seen is what a MultiGet found under one key. What is known of an absent item is only the version of its partition's
// newest deletion.
type Seen struct {
	Item       attr.Map
	Size       int
	Version    uint64
	LastDelete uint64
	// Holder is the transaction under way that has locked the item, zero for none.
	Holder TransactionID
}
