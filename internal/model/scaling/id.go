package scaling

import (
	"cmp"
	"strings"
)

// ID names what is scaled: the reads or the writes of a table, or of one of its global indexes.
type ID struct {
	Table string `json:"table"`
	Index string `json:"index,omitempty"` // "" = the table itself
	Write bool   `json:"write,omitempty"`
}

const (
	tablePath = "table/"
	indexPath = "/index/"
)

// ParseID reads a ResourceId and a ScalableDimension, and tells whether they name something of DynamoDB together.
func ParseID(resource, dimension string) (ID, bool) {
	name, ok := strings.CutPrefix(resource, tablePath)
	if !ok {
		return ID{}, false
	}
	id := ID{}
	id.Table, id.Index, _ = strings.Cut(name, indexPath)
	id.Write = strings.HasSuffix(dimension, ":WriteCapacityUnits")
	return id, id.Resource() == resource && id.Dimension() == dimension
}

// Resource is the API's ResourceId.
func (id ID) Resource() string {
	if id.Index == "" {
		return tablePath + id.Table
	}
	return tablePath + id.Table + indexPath + id.Index
}

// Dimension is the API's ScalableDimension.
func (id ID) Dimension() string {
	of, units := "table", "Read"
	if id.Index != "" {
		of = "index"
	}
	if id.Write {
		units = "Write"
	}
	return "dynamodb:" + of + ":" + units + "CapacityUnits"
}

// Metric is the only metric that a policy can track here: how much of the provisioned units is consumed.
func (id ID) Metric() string {
	if id.Write {
		return "DynamoDBWriteCapacityUtilization"
	}
	return "DynamoDBReadCapacityUtilization"
}

// Compare orders ids by table, then index, reads before writes.
func (id ID) Compare(other ID) int {
	order := cmp.Or(cmp.Compare(id.Table, other.Table), cmp.Compare(id.Index, other.Index))
	switch {
	case order != 0 || id.Write == other.Write:
		return order
	case id.Write:
		return 1
	}
	return -1
}

// words are what texts of activities call the units.
func (id ID) words() string {
	if id.Write {
		return "write capacity units"
	}
	return "read capacity units"
}
