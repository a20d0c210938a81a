package command

// Order is a wish for a partition as a whole, of an operator or of whoever places partitions. One part of it is set.
type Order struct {
	// Membership changes who keeps copies.
	Membership *Membership `json:",omitempty"`
	// Transfer is the node that shall lead.
	Transfer uint64 `json:",omitempty"`
	// Split cuts the partition at the key suffix At, or in its middle if that is empty. The answer is the new one's id.
	Split bool   `json:",omitempty"`
	At    []byte `json:",omitempty"`
	// Recount sets the partition's statistics right.
	Recount bool `json:",omitempty"`
}
