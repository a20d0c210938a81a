// Package planted builds bugs into copies of the source, to see that a simulator finds them. It does not know what they are.
package planted

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

var names = flag.String("planted", "", "plant the bugs of testdata/planted whose names match, and count the seeds that it takes to find each")

// Find plants the bugs of testdata/planted whose names match the command line, each into a copy of the source that is never part
// of the tree, and counts the seeds that TestSeeds of the package in the working directory takes to find it. Of the others it only
// sees that their place in the source is there. It compiles once for every bug.
func Find(t *testing.T, seedsMax int) {
	files, err := filepath.Glob("testdata/planted/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no planted bugs: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			overlay, err := plant(t.TempDir(), file)
			if err != nil {
				t.Fatal(err)
			}
			if *names == "" || !regexp.MustCompile(*names).MatchString(name) {
				t.Skip("its place in the source is there; -planted looks for it")
			}
			find(t, overlay, seedsMax)
		})
	}
}

// find runs seeds of a simulator with the bug until one fails.
func find(t *testing.T, overlay string, seedsMax int) {
	binary := filepath.Join(filepath.Dir(overlay), "simulator")
	build := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	out, err := exec.Command(binary, "-test.run", "^TestSeeds$", "-test.timeout", "2h", "-seed", "1", "-first",
		"-for", "2h", "-seeds", fmt.Sprint(seedsMax)).CombinedOutput()
	if err == nil {
		t.Fatalf("%d seeds found nothing", seedsMax)
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
