package chaos_test

import (
	"regexp"
)

// copyLine is a partition in what inspect prints: its id, how far the copy has performed its log, and its checksum.
var copyLine = regexp.MustCompile(`(?m)^ *partition (\d+) .* (\d+) +([0-9a-f]{16})$`)

// sameSums kills all nodes and compares what they have: copies of a partition that have performed as much of its log are the same.
func (f *fleet) sameSums() {
	f.t.Helper()
	type copied struct{ partition, performed string }
	sums, from, compared := map[copied]string{}, map[copied]string{}, 0
	for _, m := range f.all() {
		m.kill()
	}
	for _, m := range f.all() {
		code, out, err := run("inspect", m.dir)
		if err != nil || code != 0 {
			f.t.Errorf("inspecting what %s left: exit %d, %v\n%s", m.name, code, err, out)
		}
		for _, line := range copyLine.FindAllStringSubmatch(out, -1) {
			at, sum := copied{line[1], line[2]}, line[3]
			if other, ok := sums[at]; !ok {
				sums[at], from[at] = sum, m.name
			} else if compared++; other != sum {
				f.t.Errorf("partition %s is after %s entries of its log not the same at %s and %s", at.partition, at.performed, from[at], m.name)
			}
		}
	}
	f.t.Logf("%d copies of partitions were compared with another", compared)
	if compared == 0 {
		f.t.Error("no two copies could be compared")
	}
}
