package main

import (
	"slices"
	"testing"
)

// Only what is as in the program's file is forgotten: no data, nothing that relocation wrote to, no other file.
func TestProgramMappings(t *testing.T) {
	const smaps = `00400000-01395000 r-xp 00000000 fe:00 123    /bin/stator
Rss:               12000 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
01395000-024c7000 r--p 00f95000 fe:00 123    /bin/stator
Anonymous:             0 kB
024c7000-025c4000 rw-p 020c7000 fe:00 123    /bin/stator
Anonymous:             0 kB
03000000-03001000 r--p 03000000 fe:00 123    /bin/stator
Anonymous:             4 kB
c000000000-c004000000 rw-p 00000000 00:00 0
Anonymous:             0 kB
7f0000000000-7f0000001000 r-xp 00000000 fe:00 124    /lib/other
Anonymous:             0 kB
`
	want := []memoryMapping{{0x400000, 0x1395000}, {0x1395000, 0x24c7000}}
	if got := programMappings([]byte(smaps), "/bin/stator"); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// The process goes on without the pages that it had.
func TestForgetProgram(t *testing.T) {
	forgetProgram()
}
