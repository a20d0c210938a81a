package ops

import (
	"io"
	"log/slog"
	"strings"
	"time"

	"stator/internal/base/clock"
	"stator/internal/base/metric"
	"stator/internal/model/table"
)

// Account is the place that the operations act for, and what new tables in it take.
type Account struct {
	Region  string // e.g. us-east-1: it stands in every ARN
	Number  string // twelve digits
	Address string // host and port that DescribeEndpoints answers with
	// Addresses are those of all living nodes; nil: there is only this one.
	Addresses  func() []string
	Partitions int // of a new table or index; 0 = as its billing mode asks
	// Admission is nil where everything is let through.
	Admission Admission
	// Quotas holds what tables are provisioned with to the quotas that DescribeLimits tells.
	Quotas bool
	// Requests counts requests by table, the operations by their place in Counted; nil: nobody counts.
	Requests *metric.Tables
	Clock    clock.Clock
	Random   io.Reader // of table ids
	Log      *slog.Logger
}

// tableName is the name that a request's TableName means: it may be an ARN (semantics §20.12). An ARN of another region or account, or of
// anything but a table, comes back as it is, and no table has such a name.
func (o *Ops) tableName(sent string) string {
	if !strings.HasPrefix(sent, "arn:") {
		return sent
	}
	name, ok := table.NameInARN(sent, o.account.Region, o.account.Number)
	if !ok {
		return sent
	}
	return name
}

// tableARN names a table.
func (o *Ops) tableARN(t *table.Table) string {
	return table.ARN(o.account.Region, o.account.Number, t.Name)
}

// indexARN names an index.
func (o *Ops) indexARN(t *table.Table, ix *table.Index) string {
	return o.tableARN(t) + "/index/" + ix.Name
}

func (o *Ops) now() time.Time { return o.account.Clock.Now() }
