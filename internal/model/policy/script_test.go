package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"stator/internal/model/policy"
)

// said are the facts of a request as a script gives them.
type said map[policy.Key][]string

func (s said) Values(k policy.Key) []string { return s[k] }

// Tags are written as NAME:TEXT.
func (s said) Tags(k policy.Key) map[string]string {
	tags := map[string]string{}
	for _, pair := range s[k] {
		name, text, _ := strings.Cut(pair, ":")
		tags[name] = text
	}
	return tags
}

// room is what a script plays with: the policy of whoever asks, and that of the table or stream that is asked for.
type room struct{ identity, resource *policy.Document }

const account = "arn:aws:dynamodb:us-east-1:000000000000:"

var keysByName = map[string]policy.Key{
	"keys": policy.LeadingKeys, "attributes": policy.Attributes, "select": policy.Select, "returns": policy.ReturnValues,
	"ip": policy.SourceIP, "tls": policy.SecureTransport, "now": policy.CurrentTime, "epoch": policy.EpochTime,
	"tags": policy.ResourceTag, "gives": policy.RequestTag, "tag-keys": policy.TagKeys,
	"scan": policy.FullTableScan, "within": policy.EnclosingOperation, "region": policy.RequestedRegion,
}

// The scripts in testdata know
//
//	identity | table | stream   takes the document below as the policy of that kind, and shows it in its kept form
//	forget                      there are no policies
//	ask ACTION RESOURCE [user=NAME] [keys=(A, B)] [attributes=...] [select=...] [returns=...] [ip=...] ...
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		var r room
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "identity":
				return r.take(policy.Identity, &r.identity, d.Input)
			case "table":
				return r.take(policy.OfTable, &r.resource, d.Input)
			case "stream":
				return r.take(policy.OfStream, &r.resource, d.Input)
			case "forget":
				r = room{}
				return ""
			case "ask":
				return r.ask(d)
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func (r *room) take(kind policy.Kind, as **policy.Document, text string) string {
	document, err := policy.Parse(kind, []byte(text))
	if err != nil {
		var refused *policy.Error
		if !errors.As(err, &refused) {
			return "a fault: " + err.Error() + "\n"
		}
		return "refused: " + refused.Text + "\n"
	}
	*as = document
	return string(document.Canonical()) + "\n"
}

func (r *room) ask(d *datadriven.TestData) string {
	facts := said{policy.PrincipalAccount: {"000000000000"}, policy.PrincipalType: {"User"}}
	user := "ann"
	for _, arg := range d.CmdArgs[2:] {
		if arg.Key == "user" {
			user = arg.Vals[0]
			continue
		}
		facts[keysByName[arg.Key]] = arg.Vals
	}
	facts[policy.Username], facts[policy.PrincipalARN] = []string{user}, []string{"arn:aws:iam::000000000000:user/" + user}
	resource := d.CmdArgs[1].Key
	if resource != "*" {
		resource = account + resource
	}
	verdict := policy.Judge(r.identity, r.resource, &policy.Request{Action: d.CmdArgs[0].Key, Resource: resource, Facts: facts})
	return []string{"unspoken", "granted", "denied by identity", "denied by resource"}[verdict] + "\n"
}

// What is kept is read again whenever it is asked, so that it must mean the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[`, `{"Statement":[]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}}`,
		`{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"a","Effect":"deny","NotAction":["dynamodb:Get*"],"NotResource":["arn:aws:dynamodb:*:*:table/${aws:username}"],` +
			`"Condition":{"ForAllValues:StringLikeIfExists":{"dynamodb:LeadingKeys":["${aws:username}#*","${*}"]},"NumericLessThan":{"aws:EpochTime":1e3},` +
			`"DateLessThan":{"aws:CurrentTime":"2026-01-01"},"IpAddress":{"aws:SourceIp":["10.0.0.0/8","::1"]},"Null":{"dynamodb:Select":true}}}]}`,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["000000000000","arn:aws:iam::000000000000:user/ann"],"Service":"redshift.amazonaws.com"},` +
			`"Action":["dynamodb:GetItem"],"Resource":"*"}]}`,
		`{"Statement":[{"Effect":"Deny","NotPrincipal":"*","Action":"dynamodb:GetRecords","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/a?"}}}]}`,
		`{"Statement":` + strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000) + `}`,
	} {
		f.Add(byte(policy.Identity), []byte(seed))
		f.Add(byte(policy.OfTable), []byte(seed))
		f.Add(byte(policy.OfStream), []byte(seed))
	}
	facts := said{policy.LeadingKeys: {"ann#1", "1"}, policy.Username: {"ann"}, policy.PrincipalARN: {"arn:aws:iam::000000000000:user/ann"}, policy.SourceIP: {"10.1.2.3"}}
	f.Fuzz(func(t *testing.T, kind byte, text []byte) {
		kind = kind%byte(policy.OfStream) + 1
		document, err := policy.Parse(policy.Kind(kind), text)
		if err != nil {
			var refused *policy.Error
			if !errors.As(err, &refused) || refused.Text == "" {
				t.Fatalf("an error that is no refusal: %v", err)
			}
			return
		}
		kept := document.Canonical()
		if len(kept) > policy.BytesMax {
			return // escapes may make a document grow, which ops refuses
		}
		again, err := policy.Parse(policy.Kind(kind), kept)
		if err != nil {
			t.Fatalf("%s\nis kept as %s\nwhich is refused: %v", text, kept, err)
		}
		if second := again.Canonical(); string(second) != string(kept) {
			t.Fatalf("%s\nis not kept as it is: %s", kept, second)
		}
		for _, action := range []string{"dynamodb:GetItem", "dynamodb:GetRecords"} {
			r := &policy.Request{Action: action, Resource: account + "table/ann", Facts: facts}
			if policy.Judge(document, nil, r) != policy.Judge(again, nil, r) {
				t.Fatalf("%s and %s differ about %s", text, kept, action)
			}
		}
	})
}
