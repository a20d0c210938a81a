package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stator/internal/cluster/rpc"
)

// Two nodes' certificates of one authority fit each other; keys are for their owner's eyes.
func TestClusterCerts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	for _, node := range []string{"n1,127.0.0.1,db1.example", "n2"} {
		if code, _, complaints := command("cluster", "certs", dir, "--node", node); code != 0 {
			t.Fatalf("certs --node %s: %s", node, complaints)
		}
	}
	for name, mode := range map[string]fs.FileMode{"ca.crt": 0o644, "ca.key": 0o600, "n1.crt": 0o644, "n1.key": 0o600, "n2.key": 0o600} {
		stat, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if stat.Mode().Perm() != mode {
			t.Errorf("%s has mode %04o, not %04o", name, stat.Mode().Perm(), mode)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	config, err := rpc.LoadTLS(at("n1.crt"), at("n1.key"), at("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	leaf := config.Certificates[0].Leaf
	if len(leaf.URIs) != 1 || leaf.URIs[0].Path != "/n1" {
		t.Errorf("the certificate is for %v", leaf.URIs)
	}
	if err := leaf.VerifyHostname("127.0.0.1"); err != nil {
		t.Error(err)
	}
	if err := leaf.VerifyHostname("db1.example"); err != nil {
		t.Error(err)
	}
	if leaf.VerifyHostname("n1") == nil {
		t.Error("a node that named its hosts also has its name for one")
	}
	if _, err := rpc.LoadTLS(at("n1.crt"), at("n2.key"), at("ca.crt")); err == nil {
		t.Error("a certificate was taken with another's key")
	}
}

func TestClusterCertsOverwriteNothing(t *testing.T) {
	dir := t.TempDir()
	if code, _, complaints := command("cluster", "certs", dir, "--node", "n1"); code != 0 {
		t.Fatal(complaints)
	}
	before, err := os.ReadFile(filepath.Join(dir, "n1.key"))
	if err != nil {
		t.Fatal(err)
	}
	code, _, complaints := command("cluster", "certs", dir, "--node", "n1,127.0.0.1")
	if code == 0 || !strings.Contains(complaints, "nothing is overwritten") {
		t.Errorf("code %d: %s", code, complaints)
	}
	after, err := os.ReadFile(filepath.Join(dir, "n1.key"))
	if err != nil || !bytes.Equal(before, after) {
		t.Error("the key was overwritten")
	}
	if err := os.Remove(filepath.Join(dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := command("cluster", "certs", dir, "--node", "n2"); code == 0 {
		t.Error("half an authority was completed by another")
	}
	for _, node := range []string{"ca", "../n3", "n3,10.0.0.1:7000/x", ""} {
		if code, _, _ := command("cluster", "certs", dir, "--node", node); code == 0 {
			t.Errorf("--node %q was taken", node)
		}
	}
}
