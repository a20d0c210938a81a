package table

import "testing"

func TestNameInARN(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:dynamodb:eu-west-1:123456789012:table/music":             "music",
		"arn:aws-cn:dynamodb:eu-west-1:123456789012:table/music":          "music",
		"arn:aws:dynamodb:eu-west-1:123456789012:table/music/index/genre": "",
		"arn:aws:dynamodb:us-east-1:123456789012:table/music":             "",
		"arn:aws:dynamodb:eu-west-1:210987654321:table/music":             "",
		"arn:aws:s3:eu-west-1:123456789012:table/music":                   "",
		"arn:aws:dynamodb:eu-west-1:123456789012:backup/music":            "",
		"arn:":  "",
		"music": "",
	} {
		name, ok := NameInARN(arn, "eu-west-1", "123456789012")
		if name != want && ok {
			t.Errorf("%s: got %q, want %q", arn, name, want)
		}
		if ok != (want != "") {
			t.Errorf("%s: ok is %v", arn, ok)
		}
	}
}
