package sigv4

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"strconv"
	"sync"
	"time"

	"stator/internal/base/clock"
)

const (
	skewMax           = 15 * time.Minute
	expiresSecondsMax = 7 * 24 * 60 * 60
	basicFormat       = "20060102T150405Z" // ISO 8601 basic
	terminator        = "aws4_request"
)

// Verifier believes a request when its signature was made with a key of the ring, for this region and the addressed
// service, within 15 minutes. It is safe for concurrent use.
type Verifier struct {
	region  string
	ring    *Ring
	clock   clock.Clock
	scratch sync.Pool // *scratch
}

// scratch is the memory one verification works in.
type scratch struct {
	canonical []byte
	toSign    []byte
	mac       [sha256.Size]byte
	hexMAC    [2 * sha256.Size]byte
}

// NewVerifier returns a verifier of the keys in ring, which may be reloaded while it is in use.
func NewVerifier(region string, ring *Ring, now clock.Clock) *Verifier {
	return &Verifier{region: region, ring: ring, clock: now, scratch: sync.Pool{New: func() any { return &scratch{} }}}
}

// Check returns whose signature it is, or why the request is refused. The order of the checks is that of errors.json auth-*.
func (v *Verifier) Check(r *Request) (*Caller, *Failure) {
	var c claim
	if failure := readClaim(r, &c); failure != nil {
		return nil, failure
	}
	date, failure := v.checkDate(&c)
	if failure != nil {
		return nil, failure
	}
	if !hostSigned(c.signedHeaders) {
		return nil, &Failure{"InvalidSignatureException", "'Host' must be a 'SignedHeader' in the AWS Authorization."}
	}
	if failure := c.checkShape(); failure != nil {
		return nil, failure
	}
	if failure := v.checkScope(r, &c, date); failure != nil {
		return nil, failure
	}
	if len(r.Headers.Peek("X-Amz-Security-Token")) > 0 || c.query.Has("X-Amz-Security-Token") {
		// Session tokens are issued by a service that is not part of this server, so that each of them is unknown.
		return nil, &Failure{"UnrecognizedClientException", "The security token included in the request is invalid"}
	}
	key := v.ring.signingKey(c.credential)
	if key == nil {
		return nil, &Failure{"UnrecognizedClientException", "The security token included in the request is invalid."}
	}
	if failure := v.checkSignature(r, &c, key, date); failure != nil {
		return nil, failure
	}
	return key.caller, nil
}

// checkDate returns the moment of signing in basic format.
func (v *Verifier) checkDate(c *claim) (string, *Failure) {
	date := string(c.date)
	signed, err := time.Parse(basicFormat, date)
	if err != nil {
		// A Date header, unlike X-Amz-Date, is mostly in the format of HTTP.
		if signed, err = time.Parse(time.RFC1123, date); err != nil {
			return "", &Failure{"IncompleteSignatureException",
				"Date must be in ISO-8601 'basic format'. Got '" + date + "'. See http://en.wikipedia.org/wiki/ISO_8601"}
		}
		date = signed.UTC().Format(basicFormat)
	}
	now := v.clock.Now().UTC()
	switch age := now.Sub(signed); {
	case age < -skewMax:
		return "", &Failure{"InvalidSignatureException", "Signature not yet current: " + date + " is still later than " +
			now.Add(skewMax).Format(basicFormat) + " (" + now.Format(basicFormat) + " + 15 min.)"}
	case c.query.Has("X-Amz-Expires"):
		return date, checkExpiry(c, signed, now)
	case age > skewMax:
		return "", &Failure{"InvalidSignatureException", "Signature expired: " + date + " is now earlier than " +
			now.Add(-skewMax).Format(basicFormat) + " (" + now.Format(basicFormat) + " - 15 min.)"}
	}
	return date, nil
}

// checkExpiry judges a presigned request by the time it was given.
func checkExpiry(c *claim, signed, now time.Time) *Failure {
	text := c.query.Get("X-Amz-Expires")
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 0 || seconds > expiresSecondsMax {
		return &Failure{"IncompleteSignatureException",
			"X-Amz-Expires must be a number of seconds between 0 and 604800. Got '" + text + "'."}
	}
	if end := signed.Add(time.Duration(seconds) * time.Second); now.After(end) {
		return &Failure{"InvalidSignatureException", "Signature expired: " + end.UTC().Format(basicFormat) +
			" is now earlier than " + now.Format(basicFormat)}
	}
	return nil
}

func hostSigned(signedHeaders []byte) bool {
	for name := range bytes.SplitSeq(signedHeaders, []byte(";")) {
		if bytes.EqualFold(name, []byte("host")) {
			return true
		}
	}
	return false
}

// checkScope concatenates a sentence for each wrong part of the scope. All but that about the date end with a space, as AWS has it.
func (v *Verifier) checkScope(r *Request, c *claim, date string) *Failure {
	_, scope, _ := bytes.Cut(c.credential, []byte("/"))
	day, rest, _ := bytes.Cut(scope, []byte("/"))
	region, rest, _ := bytes.Cut(rest, []byte("/"))
	service, term, _ := bytes.Cut(rest, []byte("/"))
	if string(region) == v.region && string(service) == r.Service && string(term) == terminator && string(day) == date[:8] {
		return nil
	}
	text := ""
	if string(region) != v.region {
		text += "Credential should be scoped to a valid region. "
	}
	if string(service) != r.Service {
		text += "Credential should be scoped to correct service: '" + r.Service + "'. "
	}
	if string(term) != terminator {
		text += "Credential should be scoped with a valid terminator: 'aws4_request', not '" + string(term) + "'. "
	}
	if string(day) != date[:8] {
		text += "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			string(day) + "' != '" + date[:8] + "', from '" + date + "'."
	}
	return &Failure{"InvalidSignatureException", text}
}

// checkSignature computes the signature anew and compares it in constant time.
func (v *Verifier) checkSignature(r *Request, c *claim, key *signingKey, date string) *Failure {
	s := v.scratch.Get().(*scratch)
	defer v.scratch.Put(s)
	s.canonical = appendCanonical(s.canonical[:0], r, c)
	sum := sha256.Sum256(s.canonical)
	_, scope, _ := bytes.Cut(c.credential, []byte("/"))
	s.toSign = append(s.toSign[:0], algorithm+"\n"...)
	s.toSign = append(s.toSign, date...)
	s.toSign = append(s.toSign, '\n')
	s.toSign = append(s.toSign, scope...)
	s.toSign = append(s.toSign, '\n')
	s.toSign = hex.AppendEncode(s.toSign, sum[:])

	mac := key.macs.Get().(hash.Hash)
	mac.Reset()
	mac.Write(s.toSign)
	hex.Encode(s.hexMAC[:], mac.Sum(s.mac[:0]))
	key.macs.Put(mac)
	if subtle.ConstantTimeCompare(s.hexMAC[:], c.signature) == 1 {
		return nil
	}
	return &Failure{"InvalidSignatureException", "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n" +
		"The Canonical String for this request should have been\n'" + string(s.canonical) + "'\n\n" +
		"The String-to-Sign should have been\n'" + string(s.toSign) + "'\n"}
}
