package insight

// Missing is a node of which an answer tells nothing, and why.
type Missing struct {
	Node  uint64 `json:"node"`
	Cause string `json:"cause"`
}
