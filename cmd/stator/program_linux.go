package main

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// forgetProgram takes the pages of the program out of the process: half of them are needed at the start only, and count as its
// memory for as long as it lives. Those that serving needs come back from the system's page cache as they are used.
func forgetProgram() {
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	for _, m := range programMappings(maps, path) {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.start, m.end-m.start, syscall.MADV_DONTNEED) // if it fails, pages stay
	}
}

// memoryMapping is a part of the address space.
type memoryMapping struct{ start, end uintptr }

// programMappings finds the parts in smaps that hold the program as it is in its file: what was written to, as by relocation,
// is nowhere else.
func programMappings(smaps []byte, path string) []memoryMapping {
	var found []memoryMapping
	var candidate *memoryMapping
	for lines := bufio.NewScanner(bytes.NewReader(smaps)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) > 1 && !strings.HasSuffix(fields[0], ":"):
			candidate = nil
			if m, ok := parseMapping(fields[0]); ok && fields[len(fields)-1] == path && !strings.Contains(fields[1], "w") {
				candidate = &m
			}
		case candidate != nil && len(fields) > 1 && fields[0] == "Anonymous:":
			if fields[1] == "0" {
				found = append(found, *candidate)
			}
			candidate = nil
		}
	}
	return found
}

func parseMapping(bounds string) (memoryMapping, bool) {
	from, to, _ := strings.Cut(bounds, "-")
	start, err := strconv.ParseUint(from, 16, 64)
	if err != nil {
		return memoryMapping{}, false
	}
	end, err := strconv.ParseUint(to, 16, 64)
	return memoryMapping{uintptr(start), uintptr(end)}, err == nil
}
