package policy

import (
	"slices"
	"strconv"
	"strings"
)

// service is the part of an action before the colon that this server answers to.
const service = "dynamodb"

// tableActions are the actions that a table's policy may speak of.
var tableActions = []string{
	"BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "CreateBackup", "DeleteItem", "DeleteResourcePolicy", "DeleteTable",
	"DescribeContinuousBackups", "DescribeContributorInsights", "DescribeKinesisStreamingDestination", "DescribeTable",
	"DescribeTableReplicaAutoScaling", "DescribeTimeToLive", "DisableKinesisStreamingDestination",
	"EnableKinesisStreamingDestination", "ExportTableToPointInTime", "GetItem", "GetResourcePolicy", "ListTagsOfResource",
	"PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate", "PutItem", "PutResourcePolicy", "Query",
	"RestoreTableToPointInTime", "Scan", "TagResource", "TransactGetItems", "TransactWriteItems", "UntagResource",
	"UpdateContinuousBackups", "UpdateContributorInsights", "UpdateItem", "UpdateKinesisStreamingDestination", "UpdateTable",
	"UpdateTableReplicaAutoScaling", "UpdateTimeToLive",
}

// streamActions are those that a stream's policy may speak of.
var streamActions = []string{
	"DeleteResourcePolicy", "DescribeStream", "GetRecords", "GetResourcePolicy", "GetShardIterator", "PutResourcePolicy",
}

// otherActions are on no table and no stream, or on one that no resource's policy may grant.
var otherActions = []string{
	"AssociateTableReplica", "BatchExecuteStatement", "CancelBulkOperation", "CreateGlobalTable", "CreateTable",
	"CreateTableReplica", "DeleteBackup", "DeleteTableReplica", "DescribeBackup", "DescribeBulkOperation", "DescribeEndpoints",
	"DescribeExport", "DescribeGlobalTable", "DescribeGlobalTableSettings", "DescribeImport", "DescribeLimits",
	"DescribeReservedCapacity", "DescribeReservedCapacityOfferings", "ExecuteStatement", "ExecuteTransaction", "GetAbacStatus",
	"ImportTable", "ListBackups", "ListBulkOperations", "ListContributorInsights", "ListExports", "ListGlobalTables",
	"ListImports", "ListStreams", "ListTables", "PurchaseReservedCapacityOfferings", "ReadDataForReplication",
	"ReplicateSettings", "RestoreTableFromAwsBackup", "RestoreTableFromBackup", "SearchVectors", "StartAwsBackupJob",
	"StartBulkPutItems", "UpdateAbacStatus", "UpdateGlobalTable", "UpdateGlobalTableSettings",
	"UpdateGlobalTableVersion", "WriteDataForReplication",
}

// actionsOf are the actions that documents of a kind may speak of.
func (k Kind) actions() []string {
	switch k {
	case OfTable:
		return tableActions
	case OfStream:
		return streamActions
	default:
		return slices.Concat(tableActions, streamActions, otherActions)
	}
}

// parseAction makes a pattern of an action. One that names nothing is not known: a denial with a slip of the pen in it would
// deny nothing, and nobody would notice.
func (k Kind) parseAction(text string) (p pattern, known bool, fault string) {
	p, fault = syntax{wildcards: true, fold: true}.parse(text)
	vendor, name, found := strings.Cut(text, ":")
	switch {
	case fault != "" || text == "*":
		return p, true, fault
	case !found:
		return p, true, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	case strings.Contains(name, ":"):
		return p, true, "Actions/Condition can contain only one colon."
	case !strings.EqualFold(vendor, service) && !strings.ContainsAny(vendor, "*?"):
		return p, k == Identity, "" // another service's
	}
	return p, slices.ContainsFunc(k.actions(), func(action string) bool { return p.matches(service+":"+action, nil) }), ""
}

// unknownActions is the fault of a document that speaks of actions there are not, or not for its kind.
func unknownActions(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name)
	}
	return "The following action names are invalid: " + strings.Join(quoted, ", ")
}
