package policy

import (
	"errors"
	"regexp"
	"strings"

	"github.com/go-faster/jx"
)

// BytesMax bounds a document as it is sent: white space counts (semantics §4).
const BytesMax = 20480

// Error is why a document is refused.
type Error struct {
	// Text is the message of the service's ValidationException.
	Text string
}

const (
	invalidPrefix  = "One or more parameter values were invalid: "
	documentPrefix = "Invalid policy document: "
	unreadable     = "Could not parse the policy: "
)

// Error implements error with the part of the message that tells one fault from another.
func (e *Error) Error() string {
	return strings.TrimPrefix(strings.TrimPrefix(e.Text, invalidPrefix), documentPrefix)
}

// refuse is the error of a document with a fault in it.
func refuse(fault string) error { return &Error{Text: invalidPrefix + documentPrefix + fault} }

// The versions of the language. Variables came with the newer one; in an older document they mean themselves.
const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// Parse reads a document. What it cannot decide by, it refuses: an unknown member, operator, key, variable or action.
// Errors are *Error.
func Parse(kind Kind, text []byte) (*Document, error) {
	if len(text) > BytesMax {
		return nil, &Error{Text: invalidPrefix + "Maximum policy size of 20480 bytes exceeded"}
	}
	switch string(text) {
	case "null":
		return nil, refuse("This text appears not to be a policy")
	case "{}":
		return nil, refuse("Syntax error at position (1,3)")
	}
	if !jx.Valid(text) || jx.DecodeBytes(text).Next() != jx.Object {
		return nil, refuse("This policy contains invalid Json")
	}
	r := &reader{kind: kind, document: &Document{version: version2008}}
	err := r.read(jx.DecodeBytes(text))
	var refused *Error
	switch {
	case errors.As(err, &refused):
		return nil, refused
	case err != nil:
		return nil, refuse("This policy contains invalid Json")
	}
	return r.document, nil
}

// reader reads one document.
type reader struct {
	kind     Kind
	document *Document
	// unknown are the actions that there are not.
	unknown []string
}

func (r *reader) read(d *jx.Decoder) error {
	var statements []written
	found := false
	err := members(d, map[string]func(*jx.Decoder) error{
		"Version": func(d *jx.Decoder) error { return text(d, "Version", &r.document.version) },
		"Id":      func(d *jx.Decoder) error { return text(d, "Id", &r.document.id) },
		"Statement": func(d *jx.Decoder) error {
			found = true
			return each(d, jx.Object, func(d *jx.Decoder) error {
				var w written
				if err := w.read(d); err != nil {
					return err
				}
				statements = append(statements, w)
				return nil
			})
		},
	})
	switch {
	case err != nil:
		return err
	case r.document.version != version2008 && r.document.version != version2012:
		return refuse("The policy must contain a valid version string")
	case !found:
		return refuse("Missing required field Statement")
	case len(statements) == 0:
		return refuse(unreadable + "Statement is empty!")
	}
	return r.parse(statements)
}

// parse goes through the statements when the version, which may stand behind them, is known.
func (r *reader) parse(statements []written) error {
	taken := map[string]bool{}
	for i := range statements {
		w := &statements[i]
		s, err := r.statement(w)
		if err != nil {
			return err
		}
		if s.sid != "" && taken[s.sid] {
			return refuse("The Statement Ids in the policy are not unique")
		}
		taken[s.sid] = true
		r.document.statements = append(r.document.statements, s)
	}
	if r.unknown != nil {
		return refuse(unknownActions(r.unknown))
	}
	return r.checkBounded()
}

// checkBounded refuses a resource's policy that lets in whoever comes.
func (r *reader) checkBounded() error {
	for i := range r.document.statements {
		s := &r.document.statements[i]
		if s.deny || s.principal == nil || !s.principal.anyone() {
			continue
		}
		bounded := false
		for j := range s.conditions {
			bounded = bounded || s.conditions[j].narrows()
		}
		if !bounded {
			return &Error{Text: "Resource-based policy grants unbounded access in one or more elements. " +
				"Please revise the policy to ensure least-privilege form of access"}
		}
	}
	return nil
}

var sidText = regexp.MustCompile(`^[0-9A-Za-z]*$`)

// statement gives a written statement its meaning.
func (r *reader) statement(w *written) (statement, error) {
	s := statement{sid: w.sid}
	switch {
	case r.kind == Identity && !sidText.MatchString(w.sid):
		return s, refuse("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
	case w.effect == "":
		return s, refuse("Missing required field Effect")
	case strings.EqualFold(w.effect, "Deny"):
		s.deny = true
	case !strings.EqualFold(w.effect, "Allow"):
		return s, refuse("Invalid effect: " + w.effect)
	}
	var err error
	if s.principal, err = r.principal(w); err != nil {
		return s, err
	}
	if s.actions, err = r.actions(w.actions); err != nil {
		return s, err
	}
	if s.resources, err = r.resources(w.resources); err != nil {
		return s, err
	}
	s.conditions, err = r.conditions(w.conditions)
	return s, err
}

func (r *reader) principal(w *written) (*principal, error) {
	switch {
	case r.kind == Identity && w.principal != nil:
		return nil, refuse("Policy document should not specify a principal.")
	case r.kind == Identity:
		return nil, nil
	case w.principal == nil:
		return nil, refuse("Missing required field Principal")
	}
	p := w.principal
	if !p.everyone && len(p.groups) == 0 {
		return nil, &Error{Text: invalidPrefix + invalidPrincipal}
	}
	for i, g := range p.groups {
		parsed, fault := g.parse()
		if fault != "" {
			return nil, &Error{Text: invalidPrefix + fault}
		}
		p.groups[i] = parsed
	}
	return p, nil
}

func (r *reader) actions(w writtenChoice) (choice, error) {
	c := choice{not: w.not, texts: w.texts}
	if len(w.texts) == 0 {
		return c, refuse("Missing required field Action")
	}
	for _, text := range w.texts {
		p, known, fault := r.kind.parseAction(text)
		if fault != "" {
			return c, refuse(fault)
		}
		if !known {
			r.unknown = append(r.unknown, text)
		}
		c.patterns = append(c.patterns, p)
	}
	return c, nil
}

func (r *reader) resources(w writtenChoice) (choice, error) {
	c := choice{not: w.not, texts: w.texts}
	if len(w.texts) == 0 {
		return c, refuse("Missing required field Resource")
	}
	for _, text := range w.texts {
		if fault := r.kind.checkResource(text); fault != "" {
			return c, refuse(fault)
		}
		p, fault := syntax{wildcards: true, variables: r.variables()}.parse(text)
		if fault != "" {
			return c, refuse(unreadable + fault)
		}
		c.patterns = append(c.patterns, p)
	}
	return c, nil
}

// variables tells whether ${...} is more than a text.
func (r *reader) variables() bool { return r.document.version == version2012 }

// checkResource refuses what is no ARN, and in a resource's policy one of another kind of resource. A policy may name a
// resource that it is not attached to: it says nothing about it.
func (k Kind) checkResource(text string) string {
	if text == "*" {
		return ""
	}
	if !strings.HasPrefix(text, "arn:") {
		return "Resource " + text + ` must be in ARN format or "*".`
	}
	parts := strings.SplitN(text, ":", arnParts)
	if len(parts) < arnParts || k == Identity {
		return ""
	}
	relative := parts[arnParts-1]
	ofStream := strings.Contains(relative, "/stream/")
	if k == OfTable && ofStream || k == OfStream && !ofStream && !strings.Contains(relative, "*") {
		return `The relative-id "` + relative + `" is invalid for ARN "` + text + `".`
	}
	return ""
}
