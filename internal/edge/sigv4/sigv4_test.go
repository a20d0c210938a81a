package sigv4_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"stator/internal/base/clock"
	"stator/internal/edge/sigv4"
)

var (
	signedAt   = time.Date(2026, 3, 1, 23, 58, 30, 0, time.UTC)
	credential = sigv4.Credential{Caller: sigv4.Caller{Name: "app"}, AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
)

// headers is an http.Header seen through the interface of the package.
type headers http.Header

func (h headers) Peek(name string) []byte {
	if v := http.Header(h).Get(name); v != "" {
		return []byte(v)
	}
	return nil
}

func (h headers) PeekAll(name string) [][]byte {
	var all [][]byte
	for _, v := range h[textproto.CanonicalMIMEHeaderKey(name)] {
		all = append(all, []byte(v))
	}
	return all
}

func newVerifier(now time.Time) *sigv4.Verifier {
	return sigv4.NewVerifier("us-east-1", sigv4.NewRing([]sigv4.Credential{credential}), clock.NewManual(now))
}

// signed makes a PutItem request and lets the AWS SDK's signer sign it.
func signed(t testing.TB, target, body, secret string) *sigv4.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://localhost:8000"+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	r.Header.Set("X-Amz-Meta", "  two   spaces ")
	sum := sha256.Sum256([]byte(body))
	who := aws.Credentials{AccessKeyID: credential.AccessKeyID, SecretAccessKey: secret}
	err = v4.NewSigner().SignHTTP(context.Background(), who, r, hex.EncodeToString(sum[:]), "dynamodb", "us-east-1", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	h := r.Header.Clone()
	h.Set("Host", r.Host)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	return &sigv4.Request{Method: r.Method, Target: r.URL.RequestURI(), Headers: headers(h), Body: []byte(body), Service: "dynamodb"}
}

func presigned(t testing.TB, expires string) *sigv4.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://localhost:8000/?X-Amz-Expires="+expires+"&b=2&a-b=%2F&a=1+1", nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("{}"))
	who := aws.Credentials{AccessKeyID: credential.AccessKeyID, SecretAccessKey: credential.SecretAccessKey}
	uri, h, err := v4.NewSigner().PresignHTTP(context.Background(), who, r, hex.EncodeToString(sum[:]), "dynamodb", "us-east-1", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	h.Set("Host", "localhost:8000")
	_, target, _ := strings.Cut(uri, "localhost:8000")
	return &sigv4.Request{Method: r.Method, Target: target, Headers: headers(h), Body: []byte("{}"), Service: "dynamodb"}
}

func TestVerifierBelievesTheSDK(t *testing.T) {
	v := newVerifier(signedAt.Add(time.Minute))
	for _, target := range []string{"/", "/?b=2&a-b=1&a=%20+", "/a%20b/c"} {
		for range 2 { // the second time with the cached key
			if _, failure := v.Check(signed(t, target, "{}", credential.SecretAccessKey)); failure != nil {
				t.Errorf("%s: %v", target, failure)
			}
		}
	}
	if _, failure := v.Check(presigned(t, "600")); failure != nil {
		t.Errorf("presigned: %v", failure)
	}
}

// The request "get-vanilla" of the test suite that AWS published for Signature Version 4.
func TestVerifierBelievesThePublishedVector(t *testing.T) {
	h := headers{
		"Host":       {"example.amazonaws.com"},
		"X-Amz-Date": {"20150830T123600Z"},
		"Authorization": {"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
			"SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
	}
	v := newVerifier(time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC))
	if _, failure := v.Check(&sigv4.Request{Method: "GET", Target: "/", Headers: h, Service: "service"}); failure != nil {
		t.Error(failure)
	}
}

func TestVerifierRefusals(t *testing.T) {
	const wrongSignature = "InvalidSignatureException: The request signature we calculated does not match"
	replace := func(old, now string) func(*sigv4.Request) {
		return func(r *sigv4.Request) {
			h := http.Header(r.Headers.(headers))
			h.Set("Authorization", strings.Replace(h.Get("Authorization"), old, now, 1))
		}
	}
	set := func(name, value string) func(*sigv4.Request) {
		return func(r *sigv4.Request) { http.Header(r.Headers.(headers)).Set(name, value) }
	}
	for _, test := range []struct {
		name   string
		now    time.Time
		change func(*sigv4.Request)
		want   string // a prefix
	}{
		{"body changed", signedAt, func(r *sigv4.Request) { r.Body = []byte("[]") }, wrongSignature},
		{"path changed", signedAt, func(r *sigv4.Request) { r.Target = "/x" }, wrongSignature},
		{"query added", signedAt, func(r *sigv4.Request) { r.Target = "/?a" }, wrongSignature},
		{"signed header changed", signedAt, set("X-Amz-Target", "DynamoDB_20120810.GetItem"), wrongSignature},
		{"signature shortened", signedAt, func(r *sigv4.Request) {
			h := http.Header(r.Headers.(headers))
			h.Set("Authorization", h.Get("Authorization")[:len(h.Get("Authorization"))-1])
		}, wrongSignature},
		{"unknown key", signedAt, replace("AKIDEXAMPLE", "AKIDNOBODY"),
			"UnrecognizedClientException: The security token included in the request is invalid."},
		{"session token", signedAt, set("X-Amz-Security-Token", "x"),
			"UnrecognizedClientException: The security token included in the request is invalid"},
		{"late", signedAt.Add(15*time.Minute + time.Second), func(*sigv4.Request) {},
			"InvalidSignatureException: Signature expired: 20260301T235830Z is now earlier than 20260301T235831Z (20260302T001331Z - 15 min.)"},
		{"early", signedAt.Add(-15*time.Minute - time.Second), func(*sigv4.Request) {},
			"InvalidSignatureException: Signature not yet current: 20260301T235830Z is still later than 20260301T235829Z (20260301T234329Z + 15 min.)"},
		{"date without a form", signedAt, set("X-Amz-Date", "yesterday"),
			"IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"host not signed", signedAt, replace(";host;", ";"),
			"InvalidSignatureException: 'Host' must be a 'SignedHeader' in the AWS Authorization."},
		{"algorithm", signedAt, replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
			"IncompleteSignatureException: Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512' (only AWS4-HMAC-SHA256 for now). "},
		{"credential", signedAt, replace("/aws4_request", ""),
			"IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, " +
				"got 'AKIDEXAMPLE/20260301/us-east-1/dynamodb'"},
		{"scope", signedAt, replace("20260301/us-east-1/dynamodb/aws4_request", "20260302/mars/s3/aws5"),
			"InvalidSignatureException: Credential should be scoped to a valid region. " +
				"Credential should be scoped to correct service: 'dynamodb'. " +
				"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'. " +
				"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260302' != '20260301', from '20260301T235830Z'."},
		{"region", signedAt, replace("/us-east-1/", "/mars/"), "InvalidSignatureException: Credential should be scoped to a valid region. "},
		{"both", signedAt, func(r *sigv4.Request) { r.Target = "/?X-Amz-Algorithm=x" },
			"InvalidSignatureException: Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
	} {
		r := signed(t, "/", "{}", credential.SecretAccessKey)
		test.change(r)
		_, failure := newVerifier(test.now).Check(r)
		if failure == nil {
			t.Errorf("%s: believed", test.name)
		} else if !strings.HasPrefix(failure.Error(), test.want) {
			t.Errorf("%s:\n got %s\nwant %s", test.name, failure, test.want)
		}
	}
}

func TestAWrongSecretIsShownWhatShouldHaveBeenSigned(t *testing.T) {
	_, failure := newVerifier(signedAt).Check(signed(t, "/", "{}", "not the secret"))
	if failure == nil {
		t.Fatal("believed")
	}
	for _, part := range []string{"\n\nThe Canonical String for this request should have been\n'POST\n/\n\n", "x-amz-meta:two spaces\n",
		"'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20260301T235830Z\n20260301/us-east-1/dynamodb/aws4_request\n"} {
		if !strings.Contains(failure.Message, part) {
			t.Errorf("%q lacks %q", failure.Message, part)
		}
	}
}

func TestPresignedExpiry(t *testing.T) {
	for _, test := range []struct {
		expires string
		after   time.Duration
		want    string
	}{
		{"3600", time.Hour, ""},
		{"3600", time.Hour + time.Second, "InvalidSignatureException: Signature expired: 20260302T005830Z is now earlier than 20260302T005831Z"},
		{"604801", 0, "IncompleteSignatureException: X-Amz-Expires must be a number of seconds between 0 and 604800. Got '604801'."},
		{"soon", 0, "IncompleteSignatureException: X-Amz-Expires must be a number of seconds between 0 and 604800. Got 'soon'."},
	} {
		_, failure := newVerifier(signedAt.Add(test.after)).Check(presigned(t, test.expires))
		got := ""
		if failure != nil {
			got = failure.Error()
		}
		if got != test.want {
			t.Errorf("expires=%s after %v: got %q, want %q", test.expires, test.after, got, test.want)
		}
	}
}

// The texts for a claim that is not complete are the same whether signatures are verified or not.
func TestIncompleteClaims(t *testing.T) {
	const authorization = "AWS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=host,Signature=00"
	for _, test := range []struct {
		name, target, authorization, date, want string
	}{
		{"nothing", "/", "", "", "MissingAuthenticationTokenException: Request is missing Authentication Token"},
		{"basic", "/", "Basic eDp5", "", "MissingAuthenticationTokenException: Request is missing Authentication Token"},
		{"bare", "/", "AWS4-HMAC-SHA256", "", "IncompleteSignatureException: Authorization header requires 'Credential' parameter. " +
			"Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. " +
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256"},
		{"space in the key's id", "/", "AWS4-HMAC-SHA256 Credential=a /b/c/d/e, SignedHeaders=host, Signature=00", "",
			"IncompleteSignatureException: '/b/c/d/e' not a valid key=value pair (missing equal-sign) in Authorization header: " +
				"'AWS4-HMAC-SHA256 Credential=a /b/c/d/e, SignedHeaders=host, Signature=00'."},
		{"no date", "/", authorization, "",
			"IncompleteSignatureException: Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=" + authorization},
		{"query", "/?X-Amz-Algorithm=&X-Amz-Date=x", "", "",
			"IncompleteSignatureException: AWS query-string parameters must include 'X-Amz-Algorithm'. " +
				"AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. " +
				"AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the query-string parameters."},
	} {
		h := headers{}
		if test.authorization != "" {
			h["Authorization"] = []string{test.authorization}
		}
		if test.date != "" {
			h["X-Amz-Date"] = []string{test.date}
		}
		r := &sigv4.Request{Method: "POST", Target: test.target, Headers: h, Service: "dynamodb"}
		for mode, check := range map[string]func(*sigv4.Request) (*sigv4.Caller, *sigv4.Failure){
			"off": sigv4.WellFormed{}.Check, "sigv4": newVerifier(signedAt).Check,
		} {
			if _, failure := check(r); failure == nil || failure.Error() != test.want {
				t.Errorf("%s, %s:\n got %v\nwant %s", test.name, mode, failure, test.want)
			}
		}
	}
}

func TestWellFormedAsksForNoSecret(t *testing.T) {
	r := signed(t, "/", "{}", "whatever")
	if _, failure := (sigv4.WellFormed{}).Check(r); failure != nil {
		t.Error(failure)
	}
	http.Header(r.Headers.(headers)).Set("Authorization", "AWS4-HMAC-SHA256 Credential=me, SignedHeaders=host, Signature=00")
	if _, failure := (sigv4.WellFormed{}).Check(r); failure == nil || !strings.HasPrefix(failure.Message, "Credential must have exactly 5") {
		t.Errorf("a credential without scope: %v", failure)
	}
}

func TestRingReplaceForgetsDerivedKeys(t *testing.T) {
	ring := sigv4.NewRing([]sigv4.Credential{credential})
	v := sigv4.NewVerifier("us-east-1", ring, clock.NewManual(signedAt))
	r := signed(t, "/", "{}", credential.SecretAccessKey)
	if _, failure := v.Check(r); failure != nil {
		t.Fatal(failure)
	}
	changed := credential
	changed.SecretAccessKey = "another"
	ring.Replace([]sigv4.Credential{changed})
	if _, failure := v.Check(r); failure == nil {
		t.Error("the old secret is still believed")
	}
	ring.Replace(nil)
	if _, failure := v.Check(r); failure == nil || failure.Type != "UnrecognizedClientException" {
		t.Errorf("a removed key: %v", failure)
	}
}

func FuzzCheck(f *testing.F) {
	r := signed(f, "/", "{}", credential.SecretAccessKey)
	f.Add("/", r.Headers.Peek("Authorization"), r.Headers.Peek("X-Amz-Date"))
	f.Add(presigned(f, "60").Target, []byte(nil), []byte(nil))
	f.Add("/?X-Amz-Algorithm=%zz", []byte("AWS4-,=,Credential=////,SignedHeaders=host;;,Signature==="), []byte("20260301T235830Z"))
	v := newVerifier(signedAt)
	f.Fuzz(func(t *testing.T, target string, authorization, date []byte) {
		h := headers{"Authorization": {string(authorization)}, "X-Amz-Date": {string(date)}, "Host": {"localhost:8000"}}
		request := &sigv4.Request{Method: "POST", Target: target, Headers: h, Body: []byte("[]"), Service: "dynamodb"}
		if _, failure := v.Check(request); failure == nil {
			t.Fatal("a body that was never signed is believed")
		}
		_, failure := sigv4.WellFormed{}.Check(request)
		if failure != nil && (failure.Type == "" || failure.Message == "") {
			t.Fatalf("a failure without words: %#v", failure)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	v := newVerifier(signedAt)
	r := signed(b, "/", string(bytes.Repeat([]byte("x"), 1000)), credential.SecretAccessKey)
	b.ReportAllocs()
	for b.Loop() {
		if _, failure := v.Check(r); failure != nil {
			b.Fatal(failure)
		}
	}
}

func TestAuthorizationMayBeSpacedAnyhow(t *testing.T) {
	for _, authorization := range []string{
		"AWS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=host,Signature=00",
		"AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=00",
		"AWS4-HMAC-SHA256 Credential=a/b/c/d/e SignedHeaders=host Signature=00",
		" AWS4-HMAC-SHA256,,  Signature=00 ,Credential=a/b/c/d/e , SignedHeaders=host , ",
	} {
		h := headers{"Authorization": {authorization}, "Date": {"x"}}
		if _, failure := (sigv4.WellFormed{}).Check(&sigv4.Request{Method: "POST", Target: "/", Headers: h}); failure != nil {
			t.Errorf("%q: %v", authorization, failure)
		}
	}
}
