package proxy

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// sockets is where Linux lists the TCP sockets of the machine, each with a number that its process's descriptors bear.
const sockets = "/proc/net/tcp"

var errNobody = errors.New("the other end of the connection is of no process with a name")

// owner finds which of some processes has the other end of a connection on this machine.
func owner(end net.Addr, pids []int) (pid int, err error) {
	inode, err := inodeOf(end)
	if err != nil {
		return 0, err
	}
	want := "socket:[" + inode + "]"
	for _, pid := range pids {
		descriptors := fmt.Sprintf("/proc/%d/fd", pid)
		entries, err := os.ReadDir(descriptors)
		if err != nil {
			continue // it is gone
		}
		for _, entry := range entries {
			if is, err := os.Readlink(filepath.Join(descriptors, entry.Name())); err == nil && is == want {
				return pid, nil
			}
		}
	}
	return 0, errNobody
}

// inodeOf looks a socket up by its local address.
func inodeOf(local net.Addr) (string, error) {
	address, ok := local.(*net.TCPAddr)
	if !ok || address.IP.To4() == nil {
		return "", fmt.Errorf("%v is no address of TCP over IPv4", local)
	}
	// The address is written as the machine keeps it: its bytes backwards, where it keeps the least first.
	text := fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(address.IP.To4()), address.Port)
	f, err := os.Open(sockets)
	if err != nil {
		return "", fmt.Errorf("looking for the socket at %v: %w", local, err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		const localField, inodeField = 1, 9
		if fields := strings.Fields(lines.Text()); len(fields) > inodeField && fields[localField] == text {
			return fields[inodeField], nil
		}
	}
	return "", errNobody
}
