package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestRefusedClusters(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--cluster-init"}, "needs --rpc ADDR"},
		{[]string{"--join", "127.0.0.1:7001"}, "needs --rpc ADDR"},
		{[]string{"--zone", "a"}, "needs --rpc ADDR"},
		{[]string{"--cluster-tls-ca", "x"}, "needs --rpc ADDR"},
		{[]string{"--rpc", "7000", "--cluster-init"}, "--rpc \"7000\" is no address"},
		{[]string{"--rpc", "127.0.0.1:0", "--join", "7000"}, "--join \"7000\" is no address"},
		{[]string{"--rpc", "0.0.0.0:0", "--cluster-init"}, "no address by which other nodes reach this one"},
		{[]string{"--rpc", ":0", "--cluster-init"}, "no address by which other nodes reach this one"},
		{[]string{"--rpc", "127.0.0.1:0", "--cluster-init", "--join", "127.0.0.1:1"}, "give one of them"},
		{[]string{"--rpc", "127.0.0.1:0", "--cluster-init", "--in-memory"}, "--in-memory is for a node that is alone"},
		{[]string{"--rpc", "127.0.0.1:0", "--cluster-init", "--durability", "relaxed"}, "--durability relaxed is for a node that is alone"},
		{[]string{"--rpc", "127.0.0.1:0", "--cluster-init", "--replicas", "0"}, "--replicas is 1, 3, 5 or 7"},
		{[]string{"--rpc", "127.0.0.1:0", "--cluster-init", "--replicas", "4"}, "--replicas is 1, 3, 5 or 7"},
		{[]string{"--rpc", "127.0.0.1:0", "--cluster-init", "--request-timeout", "1ms"}, "--request-timeout is from 100ms to 1m0s"},
		{[]string{"--rpc", "127.0.0.1:0", "--cluster-init", "--zone", strings.Repeat("z", 65)}, "--zone has at most 64 bytes"},
		{[]string{"--rpc", "127.0.0.1:0", "--cluster-init", "--cluster-tls-cert", "x"}, "go together"},
		{[]string{"--rpc", "192.0.2.1:7000", "--cluster-init"}, "make some with 'stator cluster certs', or add --insecure"},
		{[]string{"--rpc-listen", "127.0.0.1:0"}, "needs --rpc ADDR"},
		{[]string{"--rpc", "127.0.0.1:7000", "--rpc-listen", "7000", "--cluster-init"}, "--rpc-listen \"7000\" is no address"},
		{[]string{"--rpc", "127.0.0.1:7000", "--rpc-listen", "0.0.0.0:0", "--cluster-init"}, "--rpc-listen 0.0.0.0:0 can be reached from other machines"},
		{[]string{"--rpc", "192.0.2.1:7000", "--cluster-init", "--insecure"}, "no address of this machine"},
		{[]string{"--rpc", "127.0.0.1:0", "--cluster-init", "--cluster-tls-cert", "x", "--cluster-tls-key", "y", "--cluster-tls-ca", "z"}, "cannot use the certificate"},
	} {
		args := append([]string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, test.args...)
		code, out, complaint := command(args...)
		if code != exitFailure || !strings.Contains(complaint, test.want) || out != "" {
			t.Errorf("%q: exit %d, %q, want 1 and %q", test.args, code, complaint, test.want)
		}
		if strings.Count(complaint, "\n") != 1 {
			t.Errorf("%q: more than a sentence: %q", test.args, complaint)
		}
	}
}

var forOthers = regexp.MustCompile(`for other nodes at (\S+)`)

// Two nodes talk over TLS with certificates of one authority; a node with another's, and one without any, does not get in.
func TestClusterOverTLS(t *testing.T) {
	dir, foreign := filepath.Join(t.TempDir(), "certs"), filepath.Join(t.TempDir(), "certs")
	for _, at := range []string{dir, foreign} {
		if code, _, complaint := command("cluster", "certs", at, "--node", "n,127.0.0.1"); code != 0 {
			t.Fatal(complaint)
		}
	}
	shown := func(at string) []string {
		return []string{
			"--cluster-tls-cert", filepath.Join(at, "n.crt"), "--cluster-tls-key", filepath.Join(at, "n.key"),
			"--cluster-tls-ca", filepath.Join(at, "ca.crt"),
		}
	}
	first := start(t, append(shown(dir), "--data", t.TempDir(), "--rpc", "127.0.0.1:0", "--cluster-init")...)
	address := forOthers.FindStringSubmatch(first.banner)
	if address == nil {
		t.Fatalf("the banner does not tell where others reach the node: %s", first.banner)
	}
	join := []string{"--rpc", "127.0.0.1:0", "--join", address[1]}
	second := start(t, append(append(shown(dir), "--data", t.TempDir()), join...)...)
	createTable(t, client(second.endpoint, "a", "b", http.DefaultTransport))
	if _, text := second.get("/metrics"); !strings.Contains(text, "\nstator_cluster_other_nodes_alive 1\n") {
		t.Errorf("the other node is not counted: %s", text)
	}
	for _, stranger := range [][]string{shown(foreign), nil} {
		process := exec.CommandContext(t.Context(), os.Args[0], append(append([]string{
			"serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, join...), stranger...)...)
		process.Env = append(os.Environ(), "RUN_AS_STATOR=1")
		var out said
		process.Stdout, process.Stderr = &out, &out
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		awaited(t, "a stranger is let in or waits", func() bool {
			return strings.Contains(out.String(), "serves DynamoDB") || strings.Contains(out.String(), "waiting for the cluster to join")
		})
		process.Process.Kill()
		process.Wait()
		if strings.Contains(out.String(), "serves DynamoDB") {
			t.Errorf("a stranger: %s", out.String())
		}
	}
}
