package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestMain lets a test start this binary as the program itself.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_AS_STATOR") == "1" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func command(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUsageMistakes(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "--lisen", "x"}, `unknown flag --lisen, did you mean "--listen"?`},
		{[]string{"serv"}, `did you mean "serve"?`},
		{[]string{}, "expected one of"},
		{[]string{"serve", "--cache", "lots"}, "is no size: write it like 64MiB"},
		{[]string{"serve", "--auth", "none"}, `--auth must be one of "off","sigv4"`},
		{[]string{"serve", "--config", file(t, "config", "lisen: x\n")}, "config file, line 1: no command has a flag --lisen"},
		{[]string{"serve", "--config", file(t, "config", "\nlisten\n")}, "config file, line 2: expected 'name: value'"},
		{[]string{"serve", "--config", file(t, "config", "listen: a\nlisten: b\n")}, "line 2: listen stands in line 1 already"},
		{[]string{"serve", "--config", file(t, "config", strings.Repeat("#\n", 40<<10))}, "larger than 64 KiB"},
		{[]string{"serve", "--config", "/nonexistent"}, "cannot read the --config file: open /nonexistent: no such file"},
		{[]string{"serve", "--config", file(t, "config", "listen = 127.0.0.1:8000\n")}, "config file, line 1: expected 'name: value'"},
		{[]string{"split"}, `expected "<table>"`},
	} {
		code, out, complaint := command(test.args...)
		if code != exitUsage || !strings.Contains(complaint, test.want) || out != "" {
			t.Errorf("%q: exit %d, %q, want 2 and %q", test.args, code, complaint, test.want)
		}
	}
}

func TestHelpShowsAnExample(t *testing.T) {
	for _, args := range [][]string{{"serve"}, {"inspect"}, {"credentials", "new"}, {"split"}, {"cost"}, {"version"},
		{"cluster", "certs"}, {"cluster", "status"}, {"cluster", "nodes"}, {"cluster", "partitions"}, {"cluster", "move"}, {"cluster", "transfer"}, {"cluster", "decommission"}, {"cluster", "set"}} {
		code, out, _ := command(append(args, "--help")...)
		if code != 0 || !strings.Contains(out, "Example:\n") || !strings.Contains(out, "stator "+strings.Join(args, " ")) {
			t.Errorf("%q --help: exit %d, %s", args, code, out)
		}
	}
}

func TestHelpIsACommand(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"help", "cluster", "set"}} {
		_, want, _ := command(append(args[1:], "--help")...)
		if code, out, _ := command(args...); code != 0 || out != want || want == "" {
			t.Errorf("%q: exit %d, %s", args, code, out)
		}
	}
}

func TestRefusedCombinations(t *testing.T) {
	bound := file(t, "bound", "[a]\naws_access_key_id=A\naws_secret_access_key=B\npolicy=nowhere.json\n")
	credentials := file(t, "credentials", "[a]\naws_access_key_id=A\naws_secret_access_key=B\n")
	shared := file(t, "shared", "token")
	if err := os.Chmod(shared, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--listen", "0.0.0.0:0"}, "add --auth sigv4 --credentials FILE, or --insecure"},
		{[]string{"--listen", ":0"}, "add --auth sigv4 --credentials FILE, or --insecure"},
		{[]string{"--listen", "8000"}, "--listen \"8000\" is no address"},
		{[]string{"--admin", "0.0.0.0:0"}, "add --admin-token FILE"},
		{[]string{"--listen", "127.0.0.1:9", "--admin", "127.0.0.1:9"}, "--listen and --admin are both 127.0.0.1:9"},
		{[]string{"--listen", "0.0.0.0:0", "--insecure", "--admin", "0.0.0.0:0"}, "add --admin-token FILE"},
		{[]string{"--admin-token", shared}, "may be read by others (mode 0644)"},
		{[]string{"--admin-token", file(t, "empty", " \n")}, "must hold a token of one word"},
		{[]string{"--admin-token", "/nonexistent"}, "no such file or directory: make one with 'umask 077; openssl rand -hex 32 > /nonexistent'"},
		{[]string{"--admin-token", t.TempDir()}, "is a directory: name the file with the token"},
		{[]string{"--auth", "sigv4", "--credentials", t.TempDir()}, "is a directory: name the file with the credentials"},
		{[]string{"--policies", "require"}, "--policies require needs --auth sigv4"},
		{[]string{"--auth", "sigv4", "--credentials", bound}, "section [a]: cannot read the policy"},
		{[]string{"--auth", "sigv4"}, "--auth sigv4 needs --credentials FILE"},
		{[]string{"--auth", "sigv4", "--credentials", "/nonexistent"}, "no such file or directory: make some with 'stator credentials new NAME --credentials /nonexistent'"},
		{[]string{"--cache", "64"}, "--cache 64 B is too little"},
		{[]string{"--tls-cert", "x"}, "--tls-cert and --tls-key go together"},
		{[]string{"--tls-cert", credentials, "--tls-key", credentials}, "cannot use the certificate"},
		{[]string{"--memory", "1MiB"}, "--memory 1 MiB is too little"},
		{[]string{"--cache", "900TiB"}, "--cache 900 TiB is more than a machine has"},
		{[]string{"--cors", "example.com"}, "--cors \"example.com\" is no origin"},
		{[]string{"--cors", "https://example.com/"}, "is no origin: write it like https://example.com"},
		{[]string{"--partitions=-1"}, "--partitions is a number from 1 to 1024"},
		{[]string{"--account", "12"}, "it has 12 digits"},
		{[]string{"--region", "Here"}, "looks like us-east-1"},
		{[]string{"--listen", "192.0.2.1:0", "--insecure"}, "no address of this machine"},
	} {
		args := append([]string{"serve", "--in-memory", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, test.args...)
		code, out, complaint := command(args...)
		if code != exitFailure || !strings.Contains(complaint, test.want) || out != "" {
			t.Errorf("%q: exit %d, %q, want 1 and %q", test.args, code, complaint, test.want)
		}
		if strings.Count(complaint, "\n") != 1 {
			t.Errorf("%q: more than a sentence: %q", test.args, complaint)
		}
	}
}

// A flag comes before a variable, a variable before the file, and all before the default.
func TestWhereFlagsComeFrom(t *testing.T) {
	config := file(t, "config", "# names as on the command line\nregion: file-region-1\naccount: \"222222222222\"\nmemory: 128MiB\nin-memory: true\nadmin: 127.0.0.1:9\n")
	t.Setenv("STATOR_CONFIG", config)
	t.Setenv("STATOR_REGION", "variable-region-1")
	t.Setenv("STATOR_ACCOUNT", "333333333333")
	t.Setenv("STATOR_DISK_RESERVE", "1GiB")
	parser, err := newParser(os.Stdout, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"serve", "--account", "444444444444"}); err != nil {
		t.Fatal(err)
	}
	got := parser.Model.Target.Interface().(commands).Serve
	want := serveCommand{
		Data: "./stator-data", InMemory: true, Listen: "127.0.0.1:8000", Admin: "127.0.0.1:9", Region: "variable-region-1",
		Account: "444444444444", Auth: "off", Policies: "profile", Durability: "synced", Cache: 64 << 20, Memory: 128 << 20,
		DiskReserve: 1 << 30, LogLevel: "info", LogFormat: "text",
		Cluster: clusterFlags{Replicas: 3, RequestTimeout: 5 * time.Second},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// A variable that sets nothing is told of. One of another command is none of those, nor what Kubernetes sets for a service.
func TestVariablesThatSetNothing(t *testing.T) {
	for name, value := range map[string]string{
		"STATOR_AUTH": "off", "STATOR_CONFIG": file(t, "config", ""), "STATORX": "1",
		"STATOR_PORT": "tcp://10.0.0.1:8000", "STATOR_PORT_8000_TCP_ADDR": "10.0.0.1", "STATOR_ADMIN_SERVICE_HOST": "10.0.0.1", "STATOR_SERVICE_PORT_API": "8000",
	} {
		t.Setenv(name, value)
	}
	if code, _, complaint := command("version"); code != 0 || complaint != "" {
		t.Errorf("exit %d, %q", code, complaint)
	}
	for name, hint := range map[string]string{
		"STATOR_LISEN": "did you mean STATOR_LISTEN?", "STATOR_ADMINTOKEN": "did you mean STATOR_ADMIN_TOKEN?",
		"STATOR_REIGON": "did you mean STATOR_REGION?", "STATOR_DATA_DIR": "see 'stator --help'", "STATOR_": "see 'stator --help'",
		"STATOR_REPLACE_AFTER": "see 'stator --help'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "127.0.0.1:9")
			want := "stator: the variable " + name + " sets no flag and is ignored: " + hint + "\n"
			if code, _, complaint := command("version"); code != 0 || complaint != want {
				t.Errorf("exit %d, %q, want %q", code, complaint, want)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]byteSize{
		"0": 0, "123": 123, "1B": 1, "64MiB": 64 << 20, "1.5GiB": 3 << 29, "2 KiB": 2048, "10MB": 10_000_000, "1TiB": 1 << 40,
	} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1XB", "9999999TiB", "NaN", "Inf", "1e400"} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
	for size, want := range map[byteSize]string{0: "0 B", 1023: "1023 B", 64 << 20: "64 MiB", 3 << 29: "1.5 GiB", 1<<40 + 1: "1 TiB"} {
		if got := size.String(); got != want {
			t.Errorf("%d: %q, want %q", int64(size), got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	code, out, _ := command("version")
	if code != 0 || !strings.HasPrefix(out, "stator development") || !strings.Contains(out, ", data format 2, go1.") {
		t.Errorf("exit %d, %q", code, out)
	}
}

func TestCredentialsNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	code, out, complaint := command("credentials", "new", "shop", "--credentials", path)
	if code != 0 || !strings.HasPrefix(out, "[shop]\naws_access_key_id = AKIA") {
		t.Fatalf("exit %d, %q, %q", code, out, complaint)
	}
	written, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(written), out) {
		t.Errorf("the file holds %q (%v), printed was %q", written, err, out)
	}
	if code, _, complaint = command("credentials", "new", "shop", "--credentials", path); code != 1 || !strings.Contains(complaint, "take another name") {
		t.Errorf("a name twice: exit %d, %q", code, complaint)
	}
	if code, out, _ = command("credentials", "new", "other"); code != 0 || !strings.HasPrefix(out, "[other]\n") {
		t.Errorf("without a file: exit %d, %q", code, out)
	}
}

func TestSplitWithoutAServer(t *testing.T) {
	code, _, complaint := command("split", "t", "--admin", "127.0.0.1:1")
	if code != 1 || !strings.Contains(complaint, "nothing answers at 127.0.0.1:1: is 'stator serve' running") {
		t.Errorf("exit %d, %q", code, complaint)
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add("listen: 127.0.0.1:8000\n# comment\n\ncache: \"64MiB\"\n")
	f.Add(": :\n\":\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		resolver, err := readConfig(strings.NewReader(text))
		if err != nil {
			return
		}
		for name := range resolver.(*configFile).values {
			if name == "" || strings.ContainsAny(name, "\n:") {
				t.Fatalf("%q is no name", name)
			}
		}
	})
}
