package record_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"stator/internal/model/attr"
	"stator/internal/storage/record"
)

var attributes = attr.NewMap([]attr.Entry{{Name: "pk", Value: attr.String("a")}, {Name: "n", Value: attr.Int(7)}})

// The attributes' own bytes belong to package attr: they stand in angle brackets here, all else is this package's and on
// the disks of users. A difference is a new format.
func TestGoldenBytes(t *testing.T) {
	long := hex.EncodeToString(attributes)
	size := hex.EncodeToString([]byte{byte(len(attributes))})
	for _, c := range []struct {
		name      string
		got, want string
	}{
		{"item", hex.EncodeToString(record.Item{Version: 0x0102030405060708, Size: 300, Attributes: attributes}.Append(nil)),
			"01" + "00" + "0102030405060708" + "0000012c" + long},
		{"tombstone", hex.EncodeToString(record.Item{Version: 1, Deleted: true}.Append(nil)),
			"01" + "01" + "0000000000000001" + "00000000"},
		{"put", hex.EncodeToString(record.Change{Sequence: 300, Version: 2, Table: 5, Suffix: []byte("suf"), After: attributes, Kind: 9}.Append(nil)),
			"01" + "09" + "02" + "0000000000000002" + "ac02" + "05" + "03737566" + size + long},
		{"update", hex.EncodeToString(record.Change{Sequence: 1, Version: 2, Table: 5, Suffix: []byte("s"), Before: attributes, After: attributes}.Append(nil)),
			"01" + "00" + "03" + "0000000000000002" + "01" + "05" + "0173" + size + long + size + long},
		{"delete", hex.EncodeToString(record.Change{Before: attributes}.Append(nil)),
			"01" + "00" + "01" + "0000000000000000" + "00" + "00" + "00" + size + long},
		{"lock", hex.EncodeToString(record.Lock{ID: [16]byte{1, 15: 2}, Table: 300, Suffix: []byte("suf"), Kind: 3, Millis: 5, Item: attributes}.Append(nil)),
			"01" + "03" + "01000000000000000000000000000002" + "0000000000000005" + "ac02" + "03737566" + long},
		{"transaction", hex.EncodeToString((&record.Transaction{
			ID: [16]byte{1}, State: record.Committed, Hash: [16]byte{2}, Version: 3, Millis: 4,
			Participants: []record.Participant{{Table: 300, Suffix: []byte("suf")}, {Table: 5, Suffix: []byte("s")}},
		}).Append(nil)),
			"01" + "02" + "01000000000000000000000000000000" + "02000000000000000000000000000000" + "0000000000000003" + "0000000000000004" +
				"02" + "ac02" + "03737566" + "05" + "0173"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestItemReadsBack(t *testing.T) {
	for _, item := range []record.Item{
		{},
		{Version: 1<<64 - 1, Size: 1<<32 - 1, Attributes: attributes},
		{Version: 3, Deleted: true},
	} {
		back, err := record.ParseItem(item.Append([]byte("before"))[6:])
		if err != nil || !reflect.DeepEqual(back, item) {
			t.Errorf("%+v reads back as %+v, %v", item, back, err)
		}
	}
}

func TestChangeReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := record.Change{
			Sequence: rapid.Uint64().Draw(t, "sequence"), Version: rapid.Uint64().Draw(t, "version"),
			Table: rapid.Uint64().Draw(t, "table"), Kind: rapid.Byte().Draw(t, "kind"),
			Suffix: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "suffix"),
			Before: rapid.SampledFrom([]attr.Map{nil, attributes}).Draw(t, "before"),
			After:  rapid.SampledFrom([]attr.Map{nil, attributes}).Draw(t, "after"),
		}
		back, err := record.ParseChange(c.Append(nil))
		if err != nil || !reflect.DeepEqual(back, c) {
			t.Fatalf("%+v reads back as %+v, %v", c, back, err)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	item := record.Item{Attributes: attributes}.Append(nil)
	change := record.Change{Suffix: []byte("s"), After: attributes}.Append(nil)
	with := func(b []byte, at int, value byte) []byte {
		b = bytes.Clone(b)
		b[at] = value
		return b
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "half a header": item[:13], "a later format": with(item, 0, 2), "an unknown flag": with(item, 1, 2),
	} {
		if _, err := record.ParseItem(b); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("an item that is %s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "cut": change[:len(change)-1], "too long": append(bytes.Clone(change), 0),
		"of a later format": with(change, 0, 2), "with an unknown flag": with(change, 2, 4),
		"without its after": change[:len(change)-len(attributes)-1],
	} {
		if _, err := record.ParseChange(b); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("a change that is %s: %v", name, err)
		}
	}
}

func TestParseRefusesTransactions(t *testing.T) {
	lock := record.Lock{Suffix: []byte("s"), Item: attributes}.Append(nil)
	transaction := (&record.Transaction{State: record.Pending, Participants: []record.Participant{{Suffix: []byte("s")}}}).Append(nil)
	for name, b := range map[string][]byte{
		"nothing": nil, "half an id": lock[:12], "of a later format": append([]byte{2}, lock[1:]...), "cut": lock[:27],
	} {
		if _, err := record.ParseLock(b); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("a lock that is %s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "half an id": transaction[:12], "of a later format": append([]byte{2}, transaction[1:]...),
		"in no state": append([]byte{1, 4}, transaction[2:]...), "cut": transaction[:len(transaction)-1], "too long": append(bytes.Clone(transaction), 0),
	} {
		if _, err := record.ParseTransaction(b); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("a transaction that is %s: %v", name, err)
		}
	}
}

func FuzzParseLock(f *testing.F) {
	f.Add(record.Lock{ID: [16]byte{1}, Table: 300, Suffix: []byte("s"), Kind: 2, Millis: -1, Item: attributes}.Append(nil))
	f.Add(record.Lock{}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := record.ParseLock(b)
		if err != nil {
			return
		}
		if back, err := record.ParseLock(l.Append(nil)); err != nil || !bytes.Equal(back.Append(nil), l.Append(nil)) {
			t.Errorf("%+v reads back as %+v, %v", l, back, err)
		}
	})
}

func FuzzParseTransaction(f *testing.F) {
	f.Add((&record.Transaction{State: record.Aborted}).Append(nil))
	f.Add((&record.Transaction{
		State: record.Committed, Version: 7, Millis: 8, Participants: []record.Participant{{Table: 300, Suffix: []byte("s")}},
	}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := record.ParseTransaction(b)
		if err != nil {
			return
		}
		if back, err := record.ParseTransaction(one.Append(nil)); err != nil || !reflect.DeepEqual(back, one) {
			t.Errorf("%+v reads back as %+v, %v", one, back, err)
		}
	})
}

func FuzzParseItem(f *testing.F) {
	f.Add(record.Item{Version: 1, Size: 2, Attributes: attributes}.Append(nil))
	f.Add(record.Item{Deleted: true}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		item, err := record.ParseItem(b)
		if err == nil && !bytes.Equal(item.Append(nil), b) {
			t.Errorf("% x reads as %+v, which is % x", b, item, item.Append(nil))
		}
	})
}

func FuzzParseChange(f *testing.F) {
	f.Add(record.Change{Sequence: 1, Version: 2, Table: 3, Suffix: []byte("s"), Before: attributes, After: attributes}.Append(nil))
	f.Add(record.Change{}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := record.ParseChange(b)
		if err != nil {
			return
		}
		// Bytes of ours are canonical, others need not be: what was read must read again.
		if back, err := record.ParseChange(c.Append(nil)); err != nil || !bytes.Equal(back.Append(nil), c.Append(nil)) {
			t.Errorf("%+v reads back as %+v, %v", c, back, err)
		}
	})
}
