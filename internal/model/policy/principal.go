package policy

import (
	"regexp"
	"slices"
)

// principal says whom a statement of a resource's policy speaks of.
type principal struct {
	not bool
	// everyone is the principal "*", written as a text of its own.
	everyone bool
	groups   []principalGroup
}

// principalGroup is the principals of one type, in the order they were written.
type principalGroup struct {
	kind   string // AWS or Service
	values []string
}

const (
	byAWS     = "AWS"
	byService = "Service"
)

var (
	accountText = regexp.MustCompile(`^[0-9]{12}$`)
	rootText    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):root$`)
	userText    = regexp.MustCompile(`^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:[a-z-]+/[^*]+$`)
)

// services are the services that may be let in. None of them asks anything of this server.
var services = []string{"redshift.amazonaws.com", "replication.dynamodb.amazonaws.com"}

const invalidPrincipal = "Invalid principal in policy document."

// parse checks the principals of a type, and writes an account as its root. The fault is a whole message, "" for none.
func (g principalGroup) parse() (principalGroup, string) {
	parsed := principalGroup{kind: g.kind}
	for _, v := range g.values {
		switch {
		case g.kind == byService && slices.Contains(services, v):
		case g.kind == byService:
			return parsed, documentPrefix + "Policy contains invalid service principal"
		case g.kind != byAWS:
			return parsed, invalidPrincipal
		case accountText.MatchString(v):
			v = "arn:aws:iam::" + v + ":root"
		case v == "*", rootText.MatchString(v), userText.MatchString(v):
		default:
			return parsed, invalidPrincipal
		}
		if !slices.Contains(parsed.values, v) {
			parsed.values = append(parsed.values, v)
		}
	}
	if len(parsed.values) == 0 {
		return parsed, invalidPrincipal
	}
	return parsed, ""
}

// anyone tells that the principals have no bound.
func (p *principal) anyone() bool {
	return p.everyone || p.not || slices.ContainsFunc(p.groups, func(g principalGroup) bool {
		return g.kind == byAWS && slices.Contains(g.values, "*")
	})
}

// concerns tells whether the statement speaks of who asks. A caller is meant by name, or as one of an account. An account is
// denied with all its callers, but an allowance for it leaves to the callers' own policies which of them may: it grants
// nothing by itself.
func (p *principal) concerns(f Facts, deny bool) bool {
	named := p.everyone
	for _, g := range p.groups {
		if g.kind != byAWS {
			continue
		}
		for _, v := range g.values {
			named = named || v == "*" || v == one(f, PrincipalARN) || deny && !p.not && accountOf(v) == one(f, PrincipalAccount)
		}
	}
	return named != p.not
}

// accountOf is the account whose root arn names, "-" for another principal.
func accountOf(arn string) string {
	if m := rootText.FindStringSubmatch(arn); m != nil {
		return m[1]
	}
	return "-"
}

// one is the request's value of a key that has no more than one.
func one(f Facts, k Key) string {
	if values := f.Values(k); len(values) > 0 {
		return values[0]
	}
	return ""
}
