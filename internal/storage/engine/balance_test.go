package engine

import (
	"encoding/binary"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Memory goes to where it is missed: to rows while keys are read that are not there, back to blocks while ranges are.
func TestBalanceFollowsDemand(t *testing.T) {
	e, err := Open(Options{Dir: "data", FS: vfs.NewMem(), RowPrefix: []byte("d"), ReserveBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	most := e.balance.bytesMax - blockBytesLeast
	enough := int(e.balance.bytesMax/balanceStepBytes+1) * balanceEvery
	own := e.rows.share
	key := []byte("d........")
	get := func() {
		for i := range enough {
			binary.BigEndian.PutUint64(key[1:], uint64(i))
			if _, _, err := e.Get(key); err != nil {
				t.Fatal(err)
			}
		}
	}
	get()
	if e.balance.lent != most || e.rows.share != own+most {
		t.Errorf("after gets %d is lent and rows have %d, want %d and %d", e.balance.lent, e.rows.share, most, own+most)
	}
	for range enough {
		it, err := e.Iter([]byte("d1"), []byte("d2"))
		if err != nil {
			t.Fatal(err)
		}
		if err := it.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if e.balance.lent != 0 || e.rows.share != own {
		t.Errorf("after ranges %d is lent and rows have %d, want 0 and %d", e.balance.lent, e.rows.share, own)
	}
	get()
	if e.balance.lent != most {
		t.Errorf("after gets again %d is lent, want %d", e.balance.lent, most)
	}
}
