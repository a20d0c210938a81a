package table

// Count is how much a table or index holds.
type Count struct {
	Items int64
	Bytes int64 // in DynamoDB's accounting (semantics §2)
}

// Statistics is how much a table holds, and each of its indexes by name.
type Statistics struct {
	Count
	Indexes map[string]Count
}
