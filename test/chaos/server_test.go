// Package chaos_test kills, stops and starves real Stator processes, then asks what they have kept. It does not look inside them.
package chaos_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	loops = flag.Int("loops", 8, "how often TestKill kills the server")
	items = flag.Int("items", 10_000, "items of the table that TestBackfill adds an index to")
	load  = flag.Duration("load", 300*time.Millisecond, "how long TestKill loads the server between two kills, at most")
)

// binary is the program under test: given, or built once.
var binary string

func TestMain(m *testing.M) {
	flag.StringVar(&binary, "binary", "", "the server to test; without it one is built")
	flag.Parse()
	if binary != "" {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "stator-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "stator")
	if out, err := exec.Command("go", "build", "-tags", "chaos", "-o", binary, "stator/cmd/stator").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "chaos: building the server: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

const (
	// startMax ends a wait for a server that hangs: on a busy machine one that does not may take long.
	startMax = settleMax
	// stopMax ends a wait for a server that was told to end. It gives requests under way ten seconds.
	stopMax = time.Minute
)

// server is one process over one directory. A test starts it again under the same directory after its end.
type server struct {
	t               *testing.T
	dir             string
	flags           []string
	command         *exec.Cmd
	endpoint, admin string
	ended           chan struct{} // closed once the process is gone
	named           func(pid int) // is told of the process before it talks to others; nil: nobody is

	mu  sync.Mutex // guards log
	log bytes.Buffer
}

// serve starts a server over dir, and ends it with the test.
func serve(t *testing.T, dir string, flags ...string) *server {
	t.Helper()
	s := &server{t: t, dir: dir, flags: flags}
	if err := s.start(); err != nil {
		t.Fatalf("starting the server: %v\n%s", err, s.said())
	}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the last that the server said:\n%s", s.said())
		}
	})
	return s
}

// start runs the process until it says where it serves.
func (s *server) start() error {
	args := append([]string{"serve", "--data", s.dir, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, s.flags...)
	s.command = exec.Command(binary, args...)
	s.command.Stderr = s
	banner, err := s.command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.command.Start(); err != nil {
		return err
	}
	if s.named != nil {
		s.named(s.command.Process.Pid)
	}
	ended := make(chan struct{})
	s.ended = ended
	started := make(chan bool, 1)
	command := s.command
	go func() {
		started <- s.read(banner)
		_ = command.Wait() // its exit code is asked for by whoever expects one
		close(ended)
	}()
	select {
	case ok := <-started:
		if !ok {
			<-ended
			return fmt.Errorf("it ended with code %d before it served", s.command.ProcessState.ExitCode())
		}
		return nil
	case <-time.After(startMax):
		s.kill()
		return fmt.Errorf("it does not serve after %v", startMax)
	}
}

// read takes the addresses from the banner, whose last line is the one to paste.
func (s *server) read(banner io.Reader) bool {
	lines := bufio.NewScanner(banner)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) > 1 && words[0] == "stator":
			s.endpoint = words[len(words)-1]
		case len(words) > 1 && words[0] == "admin":
			s.admin = strings.TrimPrefix(words[1], "http://")
		case len(words) > 1 && words[0] == "try":
			return true
		}
	}
	return false
}

// Write keeps what the process logs.
func (s *server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

const saidBytesMax = 8 << 10

// said is the end of the process's log.
func (s *server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.log.Bytes()
	return string(text[max(0, len(text)-saidBytesMax):])
}

// kill is kill -9. One that is gone already stays so.
func (s *server) kill() {
	if s.command == nil || s.command.Process == nil {
		return
	}
	if err := s.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Errorf("killing the server: %v", err)
	}
	<-s.ended
}

// terminate asks the server to stop.
func (s *server) terminate() {
	s.t.Helper()
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatalf("stopping the server: %v", err)
	}
}

// running tells whether the process is there.
func (s *server) running() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// exit waits for the process's end and gives its code.
func (s *server) exit(within time.Duration) int {
	s.t.Helper()
	select {
	case <-s.ended:
		return s.command.ProcessState.ExitCode()
	case <-time.After(within):
		s.t.Fatalf("the server is still there after %v:\n%s", within, s.said())
		return 0
	}
}

// restart starts the server again over what it left.
func (s *server) restart() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatalf("starting the server again: %v\n%s", err, s.said())
	}
}

// run is another subcommand of the program under test.
func run(args ...string) (code int, output string, err error) {
	out, err := exec.Command(binary, args...).CombinedOutput()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return failed.ExitCode(), string(out), nil
	}
	return 0, string(out), err
}

// inspect verifies the directory of a server that is gone.
func (s *server) inspect() {
	s.t.Helper()
	if code, out, err := run("inspect", s.dir); err != nil || code != 0 {
		s.t.Fatalf("inspecting what the server left: exit %d, %v\n%s", code, err, out)
	}
}
