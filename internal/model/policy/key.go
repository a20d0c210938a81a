package policy

import "strings"

// Key is a condition key that can be evaluated here.
type Key byte

// The condition keys.
const (
	LeadingKeys Key = iota
	Attributes
	Select
	ReturnValues
	ReturnConsumedCapacity
	EnclosingOperation
	FullTableScan
	SourceIP
	SecureTransport
	CurrentTime
	EpochTime
	PrincipalARN
	PrincipalAccount
	PrincipalType
	Username
	RequestedRegion
	ViaAWSService
	PrincipalIsAWSService
	keyCount
)

// kinds is what a key's values can be compared as, besides as texts.
type kinds byte

const (
	textual kinds = 0
	numeric kinds = 1 << iota
	temporal
	boolean
	address
	arn
)

// keys describes the condition keys. Many says that a request may have several values, which takes a set operator to compare.
var keys = [keyCount]struct {
	name string
	kinds
	many bool
}{
	LeadingKeys:            {"dynamodb:LeadingKeys", numeric, true},
	Attributes:             {"dynamodb:Attributes", textual, true},
	Select:                 {"dynamodb:Select", textual, false},
	ReturnValues:           {"dynamodb:ReturnValues", textual, false},
	ReturnConsumedCapacity: {"dynamodb:ReturnConsumedCapacity", textual, false},
	EnclosingOperation:     {"dynamodb:EnclosingOperation", textual, false},
	FullTableScan:          {"dynamodb:FullTableScan", boolean, false},
	SourceIP:               {"aws:SourceIp", address, false},
	SecureTransport:        {"aws:SecureTransport", boolean, false},
	CurrentTime:            {"aws:CurrentTime", temporal, false},
	EpochTime:              {"aws:EpochTime", numeric | temporal, false},
	PrincipalARN:           {"aws:PrincipalArn", arn, false},
	PrincipalAccount:       {"aws:PrincipalAccount", textual, false},
	PrincipalType:          {"aws:PrincipalType", textual, false},
	Username:               {"aws:username", textual, false},
	RequestedRegion:        {"aws:RequestedRegion", textual, false},
	ViaAWSService:          {"aws:ViaAWSService", boolean, false},
	PrincipalIsAWSService:  {"aws:PrincipalIsAWSService", boolean, false},
}

// String is the key's name.
func (k Key) String() string { return keys[k].name }

// keyNamed finds a key by its name, whose case does not matter.
func keyNamed(name string) (Key, bool) {
	for k := range keys {
		if strings.EqualFold(keys[k].name, name) {
			return Key(k), true
		}
	}
	return 0, false
}
