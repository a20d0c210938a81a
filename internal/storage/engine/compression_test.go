package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// What shrinks is stored compressed, and what does not shrink is stored as it is: both can be read.
func TestBlocksAreCompressedWhereItPays(t *testing.T) {
	const rows, rowBytes = 2000, 1000
	random := rand.New(rand.NewPCG(1, 2))
	for name, c := range map[string]struct {
		row         func() string
		least, most int64
	}{
		"documents": {func() string { return strings.Repeat(`{"city":"Ghent","country":"BE"} `, rowBytes/32) }, 1, rows * rowBytes / 2},
		"noise": {func() string {
			noise := make([]byte, rowBytes)
			for i := range noise {
				noise[i] = byte(random.Uint32())
			}
			return string(noise)
		}, rows * rowBytes, rows * rowBytes * 11 / 10},
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, small(vfs.NewMem()))
			defer closed(t, e)
			want := map[string]string{}
			for i := range rows {
				key := fmt.Sprintf("key %06d", i)
				want[key] = c.row()
				put(t, e, key, want[key])
			}
			if err := e.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
			if n, err := e.DiskUsage([]byte("key"), []byte("kez")); err != nil || n < c.least || n > c.most {
				t.Errorf("%d bytes on disk, %v; want %d to %d", n, err, c.least, c.most)
			}
			for key, value := range want {
				has(t, e, key, value)
			}
		})
	}
}
