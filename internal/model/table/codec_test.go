package table

import (
	"reflect"
	"strings"
	"testing"
)

func TestDecodeAfterEncodeIsTheIdentity(t *testing.T) {
	settings := orders()
	settings.State, settings.DeletionProtection, settings.Class = Updating, true, "STANDARD"
	settings.Throughput = Throughput{Read: 1, Write: 2, IncreasedMillis: 3, DecreasedMillis: 4, Decreases: 5}
	settings.OnDemand, settings.Warm = OnDemand{Read: 6}, Warm{Read: 7, Write: 8}
	settings.Policies = map[string]Policy{"": {Text: "{}", ChangedMillis: 9}, "2026-01-01T00:00:00.000": {ChangedMillis: 10}}
	settings.StreamTags = map[string]map[string]string{"2026-01-01T00:00:00.000": {"team": "a"}}
	settings.Encryption = Encryption{Enabled: true, Key: "k"}
	settings.Global[0].Added, settings.Global[0].Backfilling, settings.Global[0].Status = true, true, IndexCreating
	for _, want := range []*Table{{Name: "bare"}, orders(), settings} {
		got, err := Decode(want.Encode())
		if err != nil {
			t.Fatalf("%s: %v", want.Name, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %s, want %s", got.Encode(), want.Encode())
		}
	}
}

// The stored form is what older directories hold: a change of it needs a new format number.
func TestStoredForm(t *testing.T) {
	small := &Table{
		ID: 7, Name: "t", UUID: "u", Version: 2, State: Active, Key: orders().Key, Definitions: orders().Definitions[:2],
		Local: orders().Local, Billing: Provisioned, Throughput: Throughput{Read: 1, Write: 2}, Warm: Warm{Read: 1, Write: 2}, CreatedMillis: 9,
		TimeToLive: "ends",
	}
	const want = `{"format":2,"table":{"id":7,"name":"t","uuid":"u","version":2,"state":"ACTIVE",` +
		`"key":{"hash":[{"name":"pk","type":"S"}],"range":[{"name":"sk","type":"N"}]},` +
		`"definitions":[{"name":"pk","type":"S"},{"name":"sk","type":"N"}],` +
		`"local":[{"id":1,"name":"b-local","key":{"hash":[{"name":"pk","type":"S"}],"range":[{"name":"l","type":"B"}]},` +
		`"projection":{"kind":"INCLUDE","nonKey":["x","sk"]},"status":"ACTIVE","throughput":{},"onDemand":{},"warm":{}}],` +
		`"billing":"PROVISIONED","throughput":{"read":1,"write":2},"onDemand":{},"warm":{"read":1,"write":2},"encryption":{},"timeToLive":"ends","createdMillis":9}}`
	if got := string(small.Encode()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Format 1 has not what came later.
func TestDecodeOlderForm(t *testing.T) {
	older := strings.Replace(string(orders().Encode()), `"format":2`, `"format":1`, 1)
	got, err := Decode([]byte(older))
	if err != nil || !reflect.DeepEqual(got, orders()) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := string(orders().Encode())
	for what, stored := range map[string]string{
		"nothing":         "",
		"half of it":      good[:len(good)/2],
		"a newer format":  strings.Replace(good, `"format":2`, `"format":3`, 1),
		"no format":       strings.Replace(good, `"format":2,`, ``, 1),
		"no table":        `{"format":1}`,
		"no name":         `{"format":1,"table":{}}`,
		"another state":   strings.Replace(good, `"state":"ACTIVE"`, `"state":"LOST"`, 1),
		"a document key":  strings.Replace(good, `"type":"S"`, `"type":"M"`, 1),
		"a number's name": strings.Replace(good, `"name":"orders"`, `"name":1`, 1),
	} {
		if got, err := Decode([]byte(stored)); err == nil {
			t.Errorf("%s: got %+v", what, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(orders().Encode())
	f.Add((&Table{Name: "bare"}).Encode())
	f.Add((&Table{Name: "bare", TimeToLive: "ends"}).Encode())
	f.Add([]byte(`{"format":1,"table":{"name":"t","key":{"hash":null},"global":[{}]}}`))
	f.Fuzz(func(t *testing.T, stored []byte) {
		got, err := Decode(stored)
		if err != nil {
			return
		}
		again, err := Decode(got.Encode())
		if err != nil {
			t.Fatalf("decoding what was encoded: %v", err)
		}
		if !reflect.DeepEqual(got.Encode(), again.Encode()) {
			t.Errorf("got %s, then %s", got.Encode(), again.Encode())
		}
	})
}

func TestCloneSharesNothing(t *testing.T) {
	original := orders()
	before := string(original.Encode())
	c := original.Clone()
	c.Definitions[0].Name = "changed"
	c.Local[0].Projection.NonKey[0] = "changed"
	c.Local[0].Name = "changed"
	c.Global[0].Status = IndexDeleting
	c.Tags["env"] = "changed"
	if after := string(original.Encode()); after != before {
		t.Errorf("the original became %s", after)
	}
}
