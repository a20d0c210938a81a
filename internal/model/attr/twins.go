package attr

import (
	"encoding/base64"
	"slices"
	"strings"
)

// A set that names a member twice is told with its members, which the two layers write in different ways.

func plainString(member []byte) string  { return string(member) }
func quotedString(member []byte) string { return `"` + string(member) + `"` }
func plainBinary(member []byte) string  { return base64.StdEncoding.EncodeToString(member) }
func quotedBinary(member []byte) string { return `"` + plainBinary(member) + `"` }

// listed writes members in the order in which they came.
func listed(members []byte, write func([]byte) string, separator string) string {
	return written(split(members), write, separator)
}

// twins writes the members up to the first that had come before sorted by their bytes, and the others as they came.
func twins(members []byte, write func([]byte) string, separator string) string {
	all := split(members)
	seen := map[string]bool{}
	for i, member := range all {
		if seen[string(member)] {
			slices.SortFunc(all[:i], slices.Compare)
			break
		}
		seen[string(member)] = true
	}
	return written(all, write, separator)
}

// split gives the payloads of values that lie one after the other.
func split(members []byte) [][]byte {
	var all [][]byte
	for at := 0; at < len(members); {
		from, to := payload(members, at)
		all = append(all, members[from:to])
		at = to
	}
	return all
}

func written(members [][]byte, write func([]byte) string, separator string) string {
	texts := make([]string, len(members))
	for i, member := range members {
		texts[i] = write(member)
	}
	return strings.Join(texts, separator)
}
