package table

import "strings"

// arnPath stands between an ARN's account and a table's name.
const arnPath = ":table/"

// ARN is that of a table.
func ARN(region, account, name string) string {
	return "arn:aws:dynamodb:" + region + ":" + account + arnPath + name
}

// NameInARN is the table's name in an ARN of this region and account, in any partition of the cloud. An ARN of what belongs
// to a table, such as an index, is none.
func NameInARN(arn, region, account string) (name string, ok bool) {
	head, name, ok := strings.Cut(arn, arnPath)
	if !ok || strings.Contains(name, "/") {
		return "", false
	}
	parts := strings.Split(head, ":")
	if len(parts) != 5 || parts[0] != "arn" || parts[2] != "dynamodb" || parts[3] != region || parts[4] != account {
		return "", false
	}
	return name, true
}
