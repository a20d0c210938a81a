package policy

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"stator/internal/model/attr"
)

// operator is a way to compare.
type operator struct {
	kinds   kinds // what a key must be of; textual: any
	negated bool
	// absence marks Null, which asks whether there is a value at all.
	absence bool
	// compile makes a matcher of a document's value. The fault is a sentence, "" for none.
	compile func(text string, variables bool) (matcher func(string, Facts) bool, fault string)
}

var operators = map[string]*operator{
	"StringEquals":              {compile: texts(syntax{})},
	"StringNotEquals":           {compile: texts(syntax{}), negated: true},
	"StringEqualsIgnoreCase":    {compile: texts(syntax{fold: true})},
	"StringNotEqualsIgnoreCase": {compile: texts(syntax{fold: true}), negated: true},
	"StringLike":                {compile: texts(syntax{wildcards: true})},
	"StringNotLike":             {compile: texts(syntax{wildcards: true}), negated: true},
	"Bool":                      {kinds: boolean, compile: booleans},
	"Null":                      {absence: true, compile: booleans},
	"NumericEquals":             {kinds: numeric, compile: numbers(func(o int) bool { return o == 0 })},
	"NumericNotEquals":          {kinds: numeric, compile: numbers(func(o int) bool { return o == 0 }), negated: true},
	"NumericLessThan":           {kinds: numeric, compile: numbers(func(o int) bool { return o < 0 })},
	"NumericLessThanEquals":     {kinds: numeric, compile: numbers(func(o int) bool { return o <= 0 })},
	"NumericGreaterThan":        {kinds: numeric, compile: numbers(func(o int) bool { return o > 0 })},
	"NumericGreaterThanEquals":  {kinds: numeric, compile: numbers(func(o int) bool { return o >= 0 })},
	"DateEquals":                {kinds: temporal, compile: dates(func(o int) bool { return o == 0 })},
	"DateNotEquals":             {kinds: temporal, compile: dates(func(o int) bool { return o == 0 }), negated: true},
	"DateLessThan":              {kinds: temporal, compile: dates(func(o int) bool { return o < 0 })},
	"DateLessThanEquals":        {kinds: temporal, compile: dates(func(o int) bool { return o <= 0 })},
	"DateGreaterThan":           {kinds: temporal, compile: dates(func(o int) bool { return o > 0 })},
	"DateGreaterThanEquals":     {kinds: temporal, compile: dates(func(o int) bool { return o >= 0 })},
	"IpAddress":                 {kinds: address, compile: addresses},
	"NotIpAddress":              {kinds: address, compile: addresses, negated: true},
	"ArnEquals":                 {kinds: arn, compile: arns},
	"ArnLike":                   {kinds: arn, compile: arns},
	"ArnNotEquals":              {kinds: arn, compile: arns, negated: true},
	"ArnNotLike":                {kinds: arn, compile: arns, negated: true},
}

type (
	matcher  = func(text string, f Facts) bool
	compiler = func(text string, variables bool) (matcher, string)
)

func texts(s syntax) compiler {
	return func(text string, variables bool) (matcher, string) {
		s := s
		s.variables = variables
		p, fault := s.parse(text)
		return p.matches, fault
	}
}

func booleans(text string, _ bool) (matcher, string) {
	if text != "true" && text != "false" {
		return nil, "Neither true nor false: " + text
	}
	return func(other string, _ Facts) bool { return other == text }, ""
}

// numbers compares what the request says with what the document says, as decimals.
func numbers(holds func(order int) bool) compiler {
	return func(text string, _ bool) (matcher, string) {
		bound, fault := attr.ParseNumber(text)
		if fault != "" {
			return nil, "Not a number: " + text
		}
		return func(other string, _ Facts) bool {
			n, fault := attr.ParseNumber(other)
			return fault == "" && holds(attr.Compare(attr.NumberValue(n), attr.NumberValue(bound)))
		}, ""
	}
}

func dates(holds func(order int) bool) compiler {
	return func(text string, _ bool) (matcher, string) {
		bound, ok := moment(text)
		if !ok {
			return nil, "Not a date: " + text
		}
		return func(other string, _ Facts) bool {
			t, ok := moment(other)
			return ok && holds(t.Compare(bound))
		}, ""
	}
}

// moment reads a date in one of the forms that policies use, or epoch seconds.
func moment(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

func addresses(text string, _ bool) (matcher, string) {
	within, err := netip.ParsePrefix(text)
	if err != nil {
		single, err := netip.ParseAddr(text)
		if err != nil || single.Zone() != "" {
			return nil, "Neither an address nor a range of addresses: " + text
		}
		within = netip.PrefixFrom(single, single.BitLen())
	}
	return func(other string, _ Facts) bool {
		a, err := netip.ParseAddr(other)
		return err == nil && within.Contains(a.Unmap().WithZone(""))
	}, ""
}

// arnParts are the parts of an ARN between colons; the last may hold some itself.
const arnParts = 6

// arns compares part by part: a wildcard does not reach over the colons before the last part.
func arns(text string, variables bool) (matcher, string) {
	texts := strings.SplitN(text, ":", arnParts)
	if len(texts) < arnParts || texts[0] != "arn" {
		return nil, "Not an ARN: " + text
	}
	parts := make([]pattern, arnParts)
	for i := range texts {
		var fault string
		if parts[i], fault = (syntax{wildcards: true, variables: variables}).parse(texts[i]); fault != "" {
			return nil, fault
		}
	}
	return func(other string, f Facts) bool {
		texts := strings.SplitN(other, ":", arnParts)
		if len(texts) < arnParts {
			return false
		}
		for i := range parts {
			if !parts[i].matches(texts[i], f) {
				return false
			}
		}
		return true
	}, ""
}
