package conformance_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// wellFormed is an Authorization header that a server with authentication off takes.
const wellFormed = "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, " +
	"Signature=0000000000000000000000000000000000000000000000000000000000000000"

// post sends body to the operation as a client without an SDK would; change alters the request before it goes.
func post(t *testing.T, operation, body string, change func(*http.Request)) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, endpoint+"/", strings.NewReader(body))
	check(t, err)
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	request.Header.Set("X-Amz-Date", "20260101T000000Z")
	request.Header.Set("Authorization", wellFormed)
	if change != nil {
		change(request)
	}
	// The transport would add Accept-Encoding and undo the answer's, and the checksum is of the bytes as they were sent.
	response, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(request)
	check(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	check(t, err)
	return response, answer
}

var requestID = regexp.MustCompile(`^[A-Z0-9]{52}$`)

func TestEveryAnswerHasAnIDAndAChecksum(t *testing.T) {
	start(t)
	for _, test := range []struct{ operation, body string }{{"ListTables", "{}"}, {"DescribeTable", `{"TableName":"conformance-nowhere"}`}, {"ListTables", "{"}, {"Nope", "{}"}} {
		response, body := post(t, test.operation, test.body, nil)
		if id := response.Header.Get("x-amzn-RequestId"); !requestID.MatchString(id) {
			t.Errorf("%s: request id %q", test.operation, id)
		}
		wantText(t, test.operation+" checksum", response.Header.Get("x-amz-crc32"), strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
		wantText(t, test.operation+" content type", response.Header.Get("Content-Type"), "application/x-amz-json-1.0")
		wantText(t, test.operation+" length", response.Header.Get("Content-Length"), strconv.Itoa(len(body)))
	}
}

func TestErrorBodies(t *testing.T) {
	start(t)
	const service, validation = "com.amazon.coral.service#", "com.amazon.coral.validate#"
	for _, test := range []struct {
		name, operation, body string
		want                  string
	}{
		{"modelled", "DescribeTable", `{"TableName":"conformance-nowhere"}`,
			`{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found: Table: conformance-nowhere not found"}`},
		{"truncated", "ListTables", `{"Limit":`, `{"__type":"` + service + `SerializationException"}`},
		{"empty", "ListTables", "", `{"__type":"` + service + `SerializationException"}`},
		{"not an object", "ListTables", `[]`, ""},
		{"unknown operation", "Nope", "{}", `{"__type":"` + service + `UnknownOperationException"}`},
		{"wrong type", "ListTables", `{"Limit":"x"}`, `{"__type":"` + service + `SerializationException","Message":"STRING_VALUE cannot be converted to Integer"}`},
		{"number for a string", "DescribeTable", `{"TableName":1}`, `{"__type":"` + service + `SerializationException","Message":"NUMBER_VALUE cannot be converted to String"}`},
		{"unpadded base64", "GetItem", `{"TableName":"abc","Key":{"a":{"B":"abc"}}}`,
			`{"__type":"` + service + `SerializationException","Message":"Base64 encoded length is expected a multiple of 4 bytes but found: 3"}`},
		{"a null member", "PutItem", `{"TableName":"abc"}`,
			`{"__type":"` + validation + `ValidationException","message":"1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null"}`},
		{"two types", "PutItem", `{"TableName":"abc","Item":{"a":{"S":"x","N":"1"}}}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			response, body := post(t, test.operation, test.body, nil)
			if response.StatusCode != http.StatusBadRequest {
				t.Errorf("status %d", response.StatusCode)
			}
			if test.want == "" {
				return
			}
			var got, want map[string]any
			check(t, json.Unmarshal([]byte(test.want), &want))
			if err := json.Unmarshal(body, &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got  %s\nwant %s", body, test.want)
			}
		})
	}
}

func TestMissingAndBrokenSignatures(t *testing.T) {
	start(t)
	for name, test := range map[string]struct {
		change func(*http.Request)
		want   string
	}{
		"none":      {func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationTokenException"},
		"not aws":   {func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, "MissingAuthenticationTokenException"},
		"no fields": {func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 nothing") }, "IncompleteSignatureException"},
		"no date":   {func(r *http.Request) { r.Header.Del("X-Amz-Date") }, "IncompleteSignatureException"},
		"both":      {func(r *http.Request) { r.URL.RawQuery = "X-Amz-Algorithm=AWS4-HMAC-SHA256" }, "InvalidSignatureException"},
	} {
		response, body := post(t, "ListTables", "{}", test.change)
		var got struct {
			Type string `json:"__type"`
		}
		check(t, json.Unmarshal(body, &got))
		if _, short, _ := strings.Cut(got.Type, "#"); short != test.want || response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d, %s, want %s", name, response.StatusCode, body, test.want)
		}
	}
}

func TestOtherMethodsAndContentTypes(t *testing.T) {
	start(t)
	response, body := post(t, "", "", func(r *http.Request) { r.Method = http.MethodGet })
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), "healthy: dynamodb.") {
		t.Errorf("GET: status %d, %q", response.StatusCode, body)
	}
	for name, change := range map[string]func(*http.Request){
		"PUT":       func(r *http.Request) { r.Method = http.MethodPut },
		"GET /abc":  func(r *http.Request) { r.Method, r.URL.Path = http.MethodGet, "/abc" },
		"text/html": func(r *http.Request) { r.Header.Set("Content-Type", "text/html") },
	} {
		response, body := post(t, "ListTables", "{}", change)
		if response.StatusCode != http.StatusNotFound || string(body) != "<UnknownOperationException/>\n" {
			t.Errorf("%s: status %d, %q", name, response.StatusCode, body)
		}
	}
	response, _ = post(t, "ListTables", "{}", func(r *http.Request) { r.Header.Set("Content-Type", "application/json") })
	wantText(t, "content type", response.Header.Get("Content-Type"), "application/json")
}

func TestCompressedRequest(t *testing.T) {
	start(t)
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	_, _ = writer.Write([]byte(`{"TableName":"conformance-nowhere"}`))
	check(t, writer.Close())
	_, body := post(t, "DescribeTable", packed.String(), func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") })
	if !bytes.Contains(body, []byte("Table: conformance-nowhere not found")) {
		t.Errorf("got %s", body)
	}
}

func TestBodyLimit(t *testing.T) {
	start(t)
	response, body := post(t, "ListTables", `{"x":"`+strings.Repeat("x", 16<<20)+`"}`, nil)
	if response.StatusCode != http.StatusRequestEntityTooLarge || len(body) != 0 {
		t.Errorf("status %d, %d bytes", response.StatusCode, len(body))
	}
}

func TestHostileJSON(t *testing.T) {
	start(t)
	for name, body := range map[string]string{
		"deep lists":      `{"TableName":"abc","Item":{"a":` + strings.Repeat(`{"L":[`, 100_000) + strings.Repeat("]}", 100_000) + `}}`,
		"deep nonsense":   strings.Repeat("[", 1_000_000),
		"invalid UTF-8":   "{\"TableName\":\"a\xff\xfebc\"}",
		"long number":     `{"Limit":` + strings.Repeat("9", 100_000) + `}`,
		"duplicate names": `{"TableName":"abc","TableName":"abd","Item":{"a":{"S":"x"},"a":{"S":"y"}}}`,
		"trailing text":   `{} {}`,
	} {
		response, answer := post(t, "PutItem", body, nil)
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: status %d, %.200s", name, response.StatusCode, answer)
		}
	}
	if response, _ := post(t, "ListTables", "{}", nil); response.StatusCode != http.StatusOK {
		t.Errorf("afterwards: status %d", response.StatusCode)
	}
}

func TestUnknownAndNullMembersArePassedOver(t *testing.T) {
	start(t)
	response, body := post(t, "ListTables", `{"Limit":null,"Surprise":{"a":[1,2,{"b":null}]}}`, nil)
	if response.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(`"TableNames"`)) {
		t.Errorf("status %d, %s", response.StatusCode, body)
	}
}
