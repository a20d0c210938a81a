package replica_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"stator/internal/model/attr"
	"stator/internal/partition/command"
	"stator/internal/partition/machine"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
)

// largeBytes is the size of an item that has most of the file in which it lies.
const largeBytes = 100_000

// corrupt brings all that is stored to files and damages those with large items in their middle.
func (w *world) corrupt(t *testing.T) {
	t.Helper()
	err := w.engine.Compact(t.Context())
	names, failed := w.fs.List("memory/db")
	if err = errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		path := w.fs.PathJoin("memory/db", name)
		info, err := w.fs.Stat(path)
		if err == nil && strings.HasSuffix(name, ".sst") && info.Size() > largeBytes {
			flip(t, w.fs, path, info.Size()/2)
		}
	}
}

func flip(t *testing.T, fs vfs.FS, path string, at int64) {
	t.Helper()
	f, err := fs.OpenReadWrite(path, "")
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	_, err = f.ReadAt(b, at)
	b[0] ^= 0x10
	_, failed := f.WriteAt(b, at)
	if err = errors.Join(err, failed, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// A read that meets a damaged file ends a copy where there are others: they have what this one lost, and nobody would be sent to
// them. Where there is none it fails alone.
func TestReadsOfADamagedFile(t *testing.T) {
	small, large := attr.String("small"), make([]byte, largeBytes)
	for i := range large {
		large[i] = byte(rand.Uint32())
	}
	for name, ask := range map[string]func(w *world, done func(error)){
		"read": func(w *world, done func(error)) {
			w.replica.Read(&command.Get{Table: 100, TableVersion: 1, Key: key("a/1")}, func(_ command.GetResult, err error) { done(err) })
		},
		"scan": func(w *world, done func(error)) {
			p := &command.Plan{Table: 100, TableVersion: 1, Lower: suffixOf("a"), Upper: keys.SuccessorPrefix(suffixOf("a"))}
			w.replica.Scan(p, func(_ command.Page, err error) { done(err) })
		},
		"read together": func(w *world, done func(error)) {
			g := &command.MultiGet{Table: 100, TableVersion: 1, Keys: [][]byte{key("a/1")}}
			w.replica.ReadTogether(g, func(_ []command.Seen, err error) { done(err) })
		},
	} {
		for _, alone := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t)
				if !alone {
					w.part.Descriptor.Members = []command.Member{{Replica: 1, Node: 1}, {Replica: 2, Node: 2}}
				}
				w.replica.Lead(machine.SoloEpoch, w.part)
				for _, text := range []string{"a/1", "b/1"} {
					c := w.put(t, text)
					c.Item = c.Item.With("v", map[string]attr.Value{"a/1": attr.Binary(large), "b/1": small}[text])
					w.replica.Write(c, func(_ command.Result, err error) {
						if err != nil {
							t.Error(err)
						}
					})
				}
				w.step()
				w.log.perform(w.log.find(1), nothing)
				w.corrupt(t)
				var failed error
				ask(w, func(err error) { failed = err })
				if _, damaged := errors.AsType[*engine.ErrCorrupt](failed); !damaged {
					t.Fatalf("it failed with %v", failed)
				}
				_, rejected := errors.AsType[*command.Rejected](failed)
				told := strings.Contains(strings.Join(w.events, "\n"), "broken: ")
				if rejected == alone || told == alone {
					t.Errorf("alone %t: it failed with %v and told %v", alone, failed, w.events)
				}
			})
		}
	}
}
