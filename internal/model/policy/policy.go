// Package policy is the language of IAM policies: a document is parsed into statements that decide requests. It does not
// know who keeps a document, nor what becomes of a decision.
package policy

// Document is a parsed policy. It is immutable.
type Document struct {
	version    string
	id         string
	statements []statement
}

// Kind is what a document is attached to. It decides what the document must hold, and what it may not.
type Kind byte

// The kinds of documents.
const (
	// Identity documents speak of one caller: they name no principal.
	Identity Kind = iota + 1
	// OfTable documents are attached to a table and speak of its indexes too.
	OfTable
	// OfStream documents are attached to a stream.
	OfStream
)

// Request is one action on one resource, with what is known of who asks and what for.
type Request struct {
	Action   string // with its service: dynamodb:PutItem
	Resource string // an ARN, or "*" for an action that is on no resource in particular
	Facts    Facts
}

// Facts are what a request has to say to conditions and principals.
type Facts interface {
	// Values are the request's values of a condition key; none if the request has nothing to say about it.
	Values(k Key) []string
	// Tags are those of the resource or of the request, by whether k is ResourceTag or RequestTag.
	Tags(k Key) map[string]string
}

// Verdict is what the policies that concern a request come to.
type Verdict byte

// The verdicts. A request is granted by Granted alone.
const (
	// Unspoken: no policy allows it.
	Unspoken Verdict = iota
	Granted
	DeniedByIdentity
	DeniedByResource
)

// Judge decides a request by the policy of who asks and by that of the resource, either of which may be nil. Both belong to
// one account, so that either of them can grant; a denial of either is final.
func Judge(identity, resource *Document, r *Request) Verdict {
	said := identity.decide(r)
	if said == denies {
		return DeniedByIdentity
	}
	switch resource.decide(r) {
	case denies:
		return DeniedByResource
	case allows:
		return Granted
	case silent:
	}
	if said == allows {
		return Granted
	}
	return Unspoken
}

// decision is what one document says to a request.
type decision byte

const (
	silent decision = iota
	allows
	denies
)

func (d *Document) decide(r *Request) decision {
	if d == nil {
		return silent
	}
	said := silent
	for i := range d.statements {
		s := &d.statements[i]
		if !s.concerns(r) {
			continue
		}
		if s.deny {
			return denies
		}
		said = allows
	}
	return said
}
