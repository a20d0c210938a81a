package machine

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"

	"stator/internal/model/table"
	"stator/internal/partition/command"
	"stator/internal/storage/keys"
)

var full = Applied{
	Epoch: SoloEpoch, Chain: 300, Sequence: 70_000, First: 69_000, VersionMax: 1 << 60, LastDelete: 1<<60 - 1, LogBytes: 1 << 31, UnfedBytes: 1 << 30,
	Stats: command.Stats{Items: 12, Bytes: -3, Local: map[uint32]command.Tally{2: {Items: 1, Bytes: 64}, 1: {Items: -1, Bytes: 63}, 5: {}}},
	Locks: 3,
}

// What every batch writes is pinned byte by byte: a store of today must be read by every later release.
func TestAppliedBytes(t *testing.T) {
	for _, c := range []struct {
		name    string
		applied Applied
		want    string
	}{
		{"zero", Applied{}, "02" + "000000000000" + "00000000" + "00" + "00"},
		{"full", full, "02" + "05" + "ac02" + "f0a204" + "889b04" + "808080808080808010" + "ffffffffffffffff0f" +
			"8080808010" + "8080808008" + "18" + "05" + "03" + "01017e" + "020280" + "01" + "050000" + "06"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.applied.append(nil)
			if hex.EncodeToString(got) != c.want {
				t.Fatalf("bytes %x, want %s", got, c.want)
			}
			back, err := ParseApplied(got)
			if err != nil || !reflect.DeepEqual(back, c.applied) {
				t.Errorf("read back %+v, %v", back, err)
			}
		})
	}
}

// The first format had no locks, and one reader of the log, so that what was kept was what indexes had not seen.
func TestAppliedBytesOfTheFirstFormat(t *testing.T) {
	first, err := hex.DecodeString("01" + "05" + "ac02" + "f0a204" + "889b04" + "808080808080808010" + "ffffffffffffffff0f" +
		"8080808010" + "18" + "05" + "03" + "01017e" + "020280" + "01" + "050000")
	if err != nil {
		t.Fatal(err)
	}
	want := full
	want.Locks, want.UnfedBytes = 0, want.LogBytes
	if a, err := ParseApplied(first); err != nil || !reflect.DeepEqual(a, want) {
		t.Errorf("read %+v, %v", a, err)
	}
}

func FuzzParseApplied(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{3, 0})
	f.Add(Applied{}.append(nil))
	f.Add(full.append(nil))
	f.Add(append(bytes.Repeat([]byte{1}, 10), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseApplied(b)
		if err != nil {
			return
		}
		again, err := ParseApplied(a.append(nil))
		if err != nil || !reflect.DeepEqual(again, a) {
			t.Errorf("%x is %+v, and its bytes are %+v, %v", b, a, again, err)
		}
	})
}

// No record of a descriptor makes its reader panic, and what is read is written so that the same is read again.
func FuzzParseDescriptor(f *testing.F) {
	born := Born(7, 100, command.Bounds{Lower: []byte("a"), Upper: []byte("b")})
	seeds := born.Writes()
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"Partition":-1}`))
	for _, w := range seeds {
		f.Add(w.Value)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseDescriptor(b)
		if err != nil {
			return
		}
		again, err := ParseDescriptor(partJSON(d.Partition, nameDescriptor, d).Value)
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("%s is %+v, and its bytes are %+v, %v", b, d, again, err)
		}
	})
}

// A state that was written is read back whole, and every damaged or missing record is an error rather than another state.
func TestLoad(t *testing.T) {
	born := Born(7, 100, command.Bounds{Lower: []byte("a"), Upper: []byte("b")})
	born.Table = &table.Table{ID: 100, Name: "things", Version: 3}
	born.Cursors = map[string]uint64{"index": 4}
	born.Backfills = map[uint64]command.Backfill{9: {After: []byte{0xff}, Items: 2}}
	stored := memory{}
	stored.perform(&Batch{Writes: born.Writes()})
	back, found, err := Load(stored, 7)
	if err != nil || !found || !reflect.DeepEqual(plain(back), plain(born)) {
		t.Fatalf("read back %+v, %t, %v", back, found, err)
	}
	if _, found, err := Load(stored, 8); found || err != nil {
		t.Errorf("a partition that was never born: found %t, %v", found, err)
	}
	for _, name := range []string{nameApplied, nameDescriptor, nameShards, nameCursors, nameBackfills, nameTable} {
		damaged := memory{}
		damaged.perform(&Batch{Writes: born.Writes()})
		damaged[string(keys.Part(7, name))] = []byte("{")
		if _, _, err := Load(damaged, 7); err == nil {
			t.Errorf("a damaged record %s was read", name)
		}
		if _, _, err := Load(failing{damaged, keys.Part(7, name)}, 7); !errors.Is(err, errFault) {
			t.Errorf("a fault at record %s gives %v", name, err)
		}
	}
	delete(stored, string(keys.Part(7, nameApplied)))
	if _, _, err := Load(stored, 7); err == nil {
		t.Error("a partition without applied state was read")
	}
}

// errFault is what a failing view answers with.
var errFault = errors.New("the disk does not answer")

// failing is a view that cannot read one key.
type failing struct {
	memory
	key []byte
}

func (f failing) Get(key []byte) ([]byte, bool, error) {
	if bytes.Equal(key, f.key) {
		return nil, false, errFault
	}
	return f.memory.Get(key)
}
