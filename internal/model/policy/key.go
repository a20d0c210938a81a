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
	ResourceTag
	RequestTag
	TagKeys
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

// keys describes the condition keys. Many says that a request may have several values, which takes a set operator to compare. A key whose
// name ends with / goes on with that of a tag.
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
	ResourceTag:            {"aws:ResourceTag/", textual, false},
	RequestTag:             {"aws:RequestTag/", textual, false},
	TagKeys:                {"aws:TagKeys", textual, true},
}

// String is the key's name.
func (k Key) String() string { return keys[k].name }

// ofTag tells a key that needs the name of a tag to have a value.
func (k Key) ofTag() bool { return k == ResourceTag || k == RequestTag }

// keyNamed finds a key by its name, whose case does not matter, and the tag that the name goes on with.
func keyNamed(name string) (k Key, tag string, known bool) {
	if at := strings.IndexByte(name, '/') + 1; at > 0 {
		name, tag = name[:at], name[at:]
	}
	for i := range keys {
		if strings.EqualFold(keys[i].name, name) {
			return Key(i), tag, Key(i).ofTag() == (tag != "")
		}
	}
	return 0, "", false
}
