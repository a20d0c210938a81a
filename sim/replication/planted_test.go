package replication_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	planted      = flag.String("planted", "", "plant the bugs of testdata/planted whose names match, and count the seeds that it takes to find each")
	plantedSeeds = flag.Int("planted-seeds", 1000, "how many seeds a planted bug may take")
)

// The simulator must be able to fail: each of the bugs in testdata/planted is built into a copy of the source, which is never
// part of the tree, and has to be found. This compiles once for every bug, so it runs when asked to:
//
//	go test ./sim/replication -run TestPlanted -planted . -v -timeout 2h
func TestPlanted(t *testing.T) {
	files, err := filepath.Glob("testdata/planted/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no planted bugs: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			replaced, err := plant(t.TempDir(), file)
			if err != nil {
				t.Fatal(err)
			}
			if *planted == "" || !regexp.MustCompile(*planted).MatchString(name) {
				t.Skip("its place in the source is there; -planted looks for it")
			}
			find(t, replaced)
		})
	}
}

// find runs seeds of a simulator with the bug until one fails.
func find(t *testing.T, overlay string) {
	binary := filepath.Join(filepath.Dir(overlay), "simulator")
	build := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	out, err := exec.Command(binary, "-test.run", "^TestSeeds$", "-test.timeout", "2h", "-seed", "1", "-first",
		"-for", "2h", "-seeds", fmt.Sprint(*plantedSeeds)).CombinedOutput()
	if err == nil {
		t.Fatalf("%d seeds found nothing", *plantedSeeds)
	}
	t.Logf("%s", out[:min(len(out), 2000)])
	if count := regexp.MustCompile(`found after \d+ seeds`).Find(out); count != nil {
		t.Logf("%s", count)
	}
}

// plant makes the overlay of a bug. Its file tells what the bug is, then for each change the file, the old text and the new:
//
//	file internal/partition/...
//	<<<<
//	old
//	====
//	new
//	>>>>
func plant(dir, file string) (overlay string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	changes := regexp.MustCompile(`(?s)\nfile (\S+)\n<<<<\n(.*?)\n====\n(.*?)>>>>`).FindAllSubmatch(text, -1)
	if len(changes) == 0 {
		return "", fmt.Errorf("%s changes nothing", file)
	}
	for i, change := range changes {
		source, err := filepath.Abs(filepath.Join("..", "..", string(change[1])))
		if err != nil {
			return "", err
		}
		from := source
		if earlier, ok := replace[source]; ok {
			from = earlier
		}
		old, err := os.ReadFile(from)
		if err != nil {
			return "", err
		}
		if bytes.Count(old, change[2]) != 1 {
			return "", fmt.Errorf("%s: %s has this text %d times:\n%s", file, change[1], bytes.Count(old, change[2]), change[2])
		}
		replace[source] = filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := os.WriteFile(replace[source], bytes.Replace(old, change[2], bytes.TrimSuffix(change[3], []byte("\n")), 1), 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}
