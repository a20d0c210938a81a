package command

// Report is what the leader of a partition says of it to those who do not keep a copy.
type Report struct {
	Partition, Generation uint64
	Bounds                Bounds
	// Members are the copies; none where there is only one and always will be.
	Members []Member `json:",omitempty"`
	// Version is that of the table's description the partition has adopted, 0 for none.
	Version   uint64
	Stats     Stats
	Backfills map[uint64]Backfill `json:",omitempty"`
	// Unfed counts the changes, of UnfedBytes, that the table's indexes have not seen; OldestUnfed is the version of the
	// first of them, 0 for none.
	Unfed       uint64 `json:",omitempty"`
	UnfedBytes  int64  `json:",omitempty"`
	OldestUnfed uint64 `json:",omitempty"`
	// Unsettled tells that a partition of a DELETING table still keeps records of transactions.
	Unsettled bool `json:",omitempty"`
}

// ChangesPlan is a wish to read a change log as it is: what follows the change After, and no further one after Bytes of
// them. Strong asks the leader.
type ChangesPlan struct {
	After  uint64
	Bytes  int
	Strong bool
}
