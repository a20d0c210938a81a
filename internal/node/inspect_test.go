package node_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stator/internal/model/attr"
	"stator/internal/node"
	"stator/internal/storage/engine"
	"stator/internal/storage/keys"
	"stator/internal/storage/record"
)

const tables = "DynamoDB_20120810."

// filled is a closed data directory with a table of 200 items, a local and a global index, and one split.
func filled(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	n, err := node.Open(context.Background(), node.Options{Data: dir, DiskReserve: -1, Partitions: 2, Creator: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	calls := n.Calls()
	call := func(operation, body string) string {
		t.Helper()
		out, err := calls[tables+operation](context.Background(), []byte(body), nil)
		if err != nil {
			t.Fatalf("%s: %v", operation, err)
		}
		return string(out)
	}
	settled := func(operation, body, want string) {
		t.Helper()
		await(t, func() string {
			if answer := call(operation, body); !strings.Contains(answer, want) {
				return fmt.Sprintf("%s does not come to %s: %s", operation, want, answer)
			}
			return ""
		})
	}
	call("CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"},{"AttributeName":"s","AttributeType":"N"},{"AttributeName":"c","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"p","KeyType":"HASH"},{"AttributeName":"s","KeyType":"RANGE"}],
		"LocalSecondaryIndexes":[{"IndexName":"by-color","KeySchema":[{"AttributeName":"p","KeyType":"HASH"},{"AttributeName":"c","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
		"GlobalSecondaryIndexes":[{"IndexName":"colors","KeySchema":[{"AttributeName":"c","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}`)
	settled("DescribeTable", `{"TableName":"things"}`, `"TableStatus":"ACTIVE"`)
	call("UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"ends"}}`)
	for i := range 200 {
		color := `,"c":{"S":"red"}`
		if i%4 == 0 {
			color = ""
		}
		call("PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"p":{"S":"p%d"},"s":{"N":"%d"},"ends":{"N":"4000000000"}%s}}`, i%20, i, color))
	}
	if _, err := n.Split(context.Background(), "things", nil); err != nil {
		t.Fatal(err)
	}
	await(t, func() string {
		if !n.ExpiryWhole() {
			return "the index of expiry is not whole"
		}
		return ""
	})
	settled("Scan", `{"TableName":"things","IndexName":"colors","Select":"COUNT"}`, `"Count":150`)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func inspected(t *testing.T, dir string) *node.Report {
	t.Helper()
	report, err := node.Inspect(context.Background(), node.InspectOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func tableNamed(t *testing.T, r *node.Report, name string) *node.TableReport {
	t.Helper()
	for _, one := range r.Tables {
		if one.Name == name {
			return one
		}
	}
	t.Fatalf("no %s in the report", name)
	return nil
}

func itemsOf(t *node.TableReport) (items int64) {
	for _, p := range t.Partitions {
		items += p.Items
	}
	return items
}

func expiringOf(t *node.TableReport) (items int64) {
	for _, p := range t.Partitions {
		items += p.Expiring
	}
	return items
}

// A sound directory is told apart to the last entry, and left as it was.
func TestInspectTellsWhatIsThere(t *testing.T) {
	dir := filled(t)
	before := contents(t, dir)
	r := inspected(t, dir)
	if err := r.Err(); err != nil || len(r.Remarks) > 0 {
		t.Fatal(err, r.Remarks)
	}
	if r.Format != engine.FormatVersion || r.Creator != "a test" || r.Ident.Node != 1 {
		t.Errorf("format %d by %q, ident %v", r.Format, r.Creator, r.Ident)
	}
	things, colors := tableNamed(t, r, "table things"), tableNamed(t, r, "index things/colors")
	if len(things.Partitions) != 3 || itemsOf(things) != 200 || things.State != "ACTIVE" {
		t.Errorf("%d partitions with %d items, %s: want 3 with 200, ACTIVE", len(things.Partitions), itemsOf(things), things.State)
	}
	if expiringOf(things) != 200 {
		t.Errorf("%d items are to expire, want all", expiringOf(things))
	}
	if len(things.Local) != 1 || things.Local[0].Name != "by-color" || things.Local[0].Items != 150 {
		t.Errorf("local indexes %v: want 150 entries", things.Local)
	}
	if len(colors.Partitions) != 2 || itemsOf(colors) != 150 {
		t.Errorf("%d partitions of the index with %d entries: want 2 with 150", len(colors.Partitions), itemsOf(colors))
	}
	if r.Tables[0].Name != "catalog" {
		t.Errorf("the first is %s and not the catalog", r.Tables[0].Name)
	}
	for name, text := range contents(t, dir) {
		if before[name] != text && filepath.Base(name) != "LOCK" {
			t.Errorf("%s was changed", name)
		}
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// What is planted behind the server's back is found, and named.
func TestInspectFindsPlantedDamage(t *testing.T) {
	sound := filled(t)
	id := tableNamed(t, inspected(t, sound), "table things").ID
	one := attr.NewMap([]attr.Entry{{Name: "p", Value: attr.String("p1")}, {Name: "s", Value: attr.Int(1)}})
	suffix := keys.Suffix([]attr.Value{attr.String("p1")}, []attr.Value{attr.Int(1)})
	elsewhere := keys.Suffix([]attr.Value{attr.String("p1")}, []attr.Value{attr.Int(12345)})
	lawful := record.Item{Version: 1, Size: uint32(one.Size()), Attributes: one}.Append(nil)
	for _, planted := range []struct {
		name, want string
		plant      func(b *engine.Batch)
	}{
		{"a record of unknown form", "record: corrupt", func(b *engine.Batch) { b.Set(keys.Data(id, suffix), []byte("nonsense of some length")) }},
		{"half an item", "its attributes are malformed", func(b *engine.Batch) { b.Set(keys.Data(id, suffix), lawful[:len(lawful)-1]) }},
		{"an item in another's place", "not those of its place", func(b *engine.Batch) { b.Set(keys.Data(id, elsewhere), lawful) }},
		{"a wrong size", "and says 0", func(b *engine.Batch) {
			b.Set(keys.Data(id, suffix), record.Item{Version: 1, Attributes: one}.Append(nil))
		}},
		{"rows of no table", "which does not exist", func(b *engine.Batch) { b.Set(keys.Data(999999, suffix), lawful) }},
		{"an entry of no index", "no index puts it there", func(b *engine.Batch) {
			b.Set(keys.LocalIndex(id, suffix[:len(suffix)-1], 7, nil), lawful)
		}},
		{"a change log without its end", "the change log of partition 1 ends at", func(b *engine.Batch) {
			b.DeleteRange(keys.Log(1, 2), keys.SuccessorPrefix(keys.Prefix(keys.SpaceLog, 1)))
		}},
		{"an index of expiry without its end", "lacks", func(b *engine.Batch) {
			for partition := id + 1; partition < id+10; partition++ {
				prefix := keys.Prefix(keys.SpaceExpiry, partition)
				b.DeleteRange(prefix, keys.SuccessorPrefix(prefix))
			}
		}},
		{"a catalog without a table", "belongs to no table of the catalog", func(b *engine.Batch) {
			b.Delete(keys.Data(1, keys.Suffix([]attr.Value{attr.String("table/things")}, nil)))
		}},
		{"a partition that is gone", "held by no partition", func(b *engine.Batch) {
			prefix := keys.Prefix(keys.SpacePart, id+1)
			b.DeleteRange(prefix, keys.SuccessorPrefix(prefix))
		}},
	} {
		t.Run(planted.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(sound)); err != nil {
				t.Fatal(err)
			}
			edit(t, dir, planted.plant)
			r := inspected(t, dir)
			if err := r.Err(); !errors.Is(err, node.ErrCorruptStore) || !strings.Contains(fmt.Sprint(r.Damages), planted.want) {
				t.Errorf("%v, want %q", r.Damages, planted.want)
			}
			var text strings.Builder
			if _, err := r.WriteTo(&text); err != nil || !strings.Contains(text.String(), "\ncorrupt: ") {
				t.Errorf("%v: the text does not tell:\n%s", err, text.String())
			}
		})
	}
}

func edit(t *testing.T, dir string, change func(*engine.Batch)) {
	t.Helper()
	e, err := engine.Open(engine.Options{Dir: dir, ReserveBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	b := e.NewBatch()
	change(b)
	if err := e.Commit(b, true); err != nil {
		t.Fatal(err)
	}
	b.Close()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// A flipped bit is reported with its file, and the rest is still told.
func TestInspectNamesTheCorruptFile(t *testing.T) {
	dir := filled(t)
	if _, err := node.Inspect(context.Background(), node.InspectOptions{Dir: dir, Compact: true}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "db", "*.sst"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	text[100] ^= 1
	if err := os.WriteFile(files[0], text, 0o600); err != nil {
		t.Fatal(err)
	}
	r := inspected(t, dir)
	if r.Err() == nil || r.Damages[0].File != files[0] {
		t.Fatalf("%v, want %s to be named", r.Damages, files[0])
	}
	if r.Format != engine.FormatVersion || r.Files != int64(len(files)) {
		t.Errorf("format %d, %d files: the rest is not told", r.Format, r.Files)
	}
}

// What cannot be inspected is an error of its own.
func TestInspectRefuses(t *testing.T) {
	ctx := context.Background()
	var absent *engine.ErrAbsent
	for _, compact := range []bool{false, true} {
		empty := t.TempDir()
		if _, err := node.Inspect(ctx, node.InspectOptions{Dir: empty, Compact: compact}); !errors.As(err, &absent) {
			t.Errorf("an empty directory, compact %t: %v", compact, err)
		}
		if made, err := os.ReadDir(empty); len(made) > 0 || err != nil {
			t.Errorf("in an empty directory, compact %t, it made %v, %v", compact, made, err)
		}
	}
	dir := t.TempDir()
	n, err := node.Open(ctx, node.Options{Data: dir, DiskReserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	var locked *engine.ErrLocked
	if _, err := node.Inspect(ctx, node.InspectOptions{Dir: dir}); !errors.As(err, &locked) {
		t.Errorf("a directory in use: %v", err)
	}
}
