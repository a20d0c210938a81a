// Package sigv4 judges the AWS Signature Version 4 of a request. It does not know what the request asks for.
package sigv4

import (
	"bytes"
	"net/url"
	"strings"
)

// Headers looks up the request's headers. Names are given in canonical form ("X-Amz-Date") or in lower case.
type Headers interface {
	Peek(name string) []byte      // first value, nil when absent
	PeekAll(name string) [][]byte // every value, in order
}

// Request is what a signature covers. The fields are read during a Check and not kept.
type Request struct {
	Method  string
	Target  string // the request line's path with its query, as it was sent
	Headers Headers
	Body    []byte // as it was sent, so still encoded if it was
	Service string // which service the request addresses: "dynamodb" or "application-autoscaling"
}

// Failure says why a request was not believed, in the service's own words.
type Failure struct {
	Type    string // such as InvalidSignatureException; all are of namespace com.amazon.coral.service, status 400
	Message string
}

// Error makes a Failure usable as an error.
func (f *Failure) Error() string { return f.Type + ": " + f.Message }

const algorithm = "AWS4-HMAC-SHA256"

// claim is what a request says of its signature, from the Authorization header or from the query string.
type claim struct {
	algorithm     []byte
	credential    []byte // accessKey/date/region/service/term
	signedHeaders []byte
	signature     []byte
	date          []byte
	query         url.Values
}

// readClaim finds the claim and checks that it is complete (errors.json auth-both, auth-missing, auth-incomplete-*).
func readClaim(r *Request, c *claim) *Failure {
	header := r.Headers.Peek("Authorization")
	if i := strings.IndexByte(r.Target, '?'); i >= 0 {
		// A query string that cannot be parsed is judged by the part that can be: a signature over it cannot match.
		c.query, _ = url.ParseQuery(r.Target[i+1:])
	}
	signedInQuery := c.query.Has("X-Amz-Algorithm")
	switch {
	case signedInQuery && len(header) > 0:
		return &Failure{"InvalidSignatureException",
			"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."}
	case signedInQuery:
		return readQuery(c)
	}
	header = bytes.TrimSpace(header)
	if !bytes.HasPrefix(header, []byte("AWS4-")) {
		return &Failure{"MissingAuthenticationTokenException", "Request is missing Authentication Token"}
	}
	return readHeader(r, header, c)
}

// readHeader reads "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...": parts may be separated by
// commas, spaces or both, and come in any order. A key's id with a space around it falls apart into two.
func readHeader(r *Request, header []byte, c *claim) *Failure {
	rest, part := header, []byte(nil)
	c.algorithm, rest = nextPart(rest)
	for len(rest) > 0 {
		part, rest = nextPart(rest)
		name, value, paired := bytes.Cut(part, []byte("="))
		if !paired && len(part) > 0 {
			return &Failure{"IncompleteSignatureException", "'" + string(part) +
				"' not a valid key=value pair (missing equal-sign) in Authorization header: '" + string(header) + "'."}
		}
		switch string(name) {
		case "Credential":
			c.credential = value
		case "SignedHeaders":
			c.signedHeaders = value
		case "Signature":
			c.signature = value
		}
	}
	c.date = r.Headers.Peek("X-Amz-Date")
	if len(c.date) == 0 {
		c.date = r.Headers.Peek("Date")
	}
	if len(c.credential) > 0 && len(c.signature) > 0 && len(c.signedHeaders) > 0 && len(c.date) > 0 {
		return nil
	}
	return incompleteHeader(header, c)
}

func incompleteHeader(header []byte, c *claim) *Failure {
	var text strings.Builder
	for _, part := range []struct {
		name  string
		value []byte
	}{{"Credential", c.credential}, {"Signature", c.signature}, {"SignedHeaders", c.signedHeaders}} {
		if len(part.value) == 0 {
			text.WriteString("Authorization header requires '" + part.name + "' parameter. ")
		}
	}
	if len(c.date) == 0 {
		text.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	return &Failure{"IncompleteSignatureException", text.String() + "Authorization=" + string(header)}
}

// nextPart cuts at a comma or space. It searches for either by itself, as every request comes through here: bytes.IndexAny
// builds a set first.
func nextPart(b []byte) (part, rest []byte) {
	for len(b) > 0 && (b[0] == ',' || b[0] == ' ') {
		b = b[1:]
	}
	if i := bytes.IndexByte(b, ','); i >= 0 {
		part, rest = b[:i], b[i:]
	} else {
		part = b
	}
	if i := bytes.IndexByte(part, ' '); i >= 0 {
		part, rest = b[:i], b[i:]
	}
	return part, rest
}

func readQuery(c *claim) *Failure {
	var text strings.Builder
	for _, part := range []struct {
		name  string
		value *[]byte
	}{
		{"X-Amz-Algorithm", &c.algorithm},
		{"X-Amz-Credential", &c.credential},
		{"X-Amz-Signature", &c.signature},
		{"X-Amz-SignedHeaders", &c.signedHeaders},
		{"X-Amz-Date", &c.date},
	} {
		*part.value = []byte(c.query.Get(part.name))
		if len(*part.value) == 0 {
			text.WriteString("AWS query-string parameters must include '" + part.name + "'. ")
		}
	}
	if text.Len() > 0 {
		return &Failure{"IncompleteSignatureException", text.String() + "Re-examine the query-string parameters."}
	}
	return nil
}

// checkShape refuses what no signature could save (errors.json auth-algorithm, auth-credential-shape).
func (c *claim) checkShape() *Failure {
	if string(c.algorithm) != algorithm {
		return &Failure{"IncompleteSignatureException",
			"Unsupported AWS 'algorithm': '" + string(c.algorithm) + "' (only AWS4-HMAC-SHA256 for now). "}
	}
	if bytes.Count(c.credential, []byte("/")) != 4 {
		return &Failure{"IncompleteSignatureException",
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" +
				string(c.credential) + "'"}
	}
	return nil
}

// WellFormed accepts every request whose signature is complete and has the right shape, whoever made it. It is what
// guards a server without authentication: a client that would fail against the service fails here too.
type WellFormed struct{}

// Check returns why the request is refused, if it is. Who made it nobody knows.
func (WellFormed) Check(r *Request) (*Caller, *Failure) {
	var c claim
	if failure := readClaim(r, &c); failure != nil {
		return nil, failure
	}
	return nil, c.checkShape()
}
