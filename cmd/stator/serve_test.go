package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// process is a stator serve of its own.
type process struct {
	*exec.Cmd
	t               *testing.T
	endpoint, admin string
	banner          string
	complaints      said
	exited          chan struct{}
	exitCode        int
}

// said is what a process says, also while it runs.
type said struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

// Write implements io.Writer.
func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// patience ends a wait for what does not come.
const patience = 2 * time.Minute

// awaited asks until something holds.
func awaited(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never comes to this: %s", what)
		}
	}
}

// start runs 'stator serve' with the flags on free ports, and waits for its banner.
func start(t *testing.T, flags ...string) *process {
	t.Helper()
	p := &process{t: t, exited: make(chan struct{})}
	p.Cmd = exec.Command(os.Args[0], append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, flags...)...)
	p.Env = append(os.Environ(), "RUN_AS_STATOR=1")
	p.Stderr = &p.complaints
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Process.Kill()
		<-p.exited
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		p.banner += lines.Text() + "\n"
		words := strings.Fields(lines.Text())
		switch {
		case strings.Contains(lines.Text(), "serves DynamoDB at"):
			p.endpoint = words[len(words)-1]
		case words[0] == "admin":
			p.admin = words[1]
		}
		if words[0] == "try" {
			break
		}
	}
	go func() {
		io.Copy(io.Discard, out)
		p.Wait()
		p.exitCode = p.ProcessState.ExitCode()
		close(p.exited)
	}()
	if p.endpoint == "" || p.admin == "" {
		<-p.exited
		t.Fatalf("no endpoint in %q; %s", p.banner, p.complaints.String())
	}
	return p
}

// ends waits for the process and checks its exit code.
func (p *process) ends(code int) {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Fatal("the process did not end")
	}
	if p.exitCode != code {
		p.t.Errorf("exit %d, want %d: %s", p.exitCode, code, p.complaints.String())
	}
}

func (p *process) get(path string) (int, string) {
	p.t.Helper()
	r, err := http.Get(p.admin + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	return r.StatusCode, string(body)
}

// client is the SDK's own, which does not try again.
func client(endpoint, key, secret string, transport http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(endpoint), Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
		HTTPClient:  &http.Client{Transport: transport, Timeout: patience},
	})
}

func createTable(t *testing.T, c *dynamodb.Client) {
	t.Helper()
	_, err := c.CreateTable(context.Background(), &dynamodb.CreateTableInput{
		TableName: aws.String("things"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
	waiter := dynamodb.NewTableExistsWaiter(c, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, 100*time.Millisecond
	})
	if err := waiter.Wait(context.Background(), &dynamodb.DescribeTableInput{TableName: aws.String("things")}, patience); err != nil {
		t.Fatal(err)
	}
	for _, pk := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		item := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}}
		if _, err := c.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("things"), Item: item}); err != nil {
			t.Fatal(err)
		}
	}
}

// One server from its start to its end, and its directory afterwards.
func TestServe(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, "--data", data, "--partitions", "1", "--disk-reserve", "1MiB", "--pprof", "--log-level", "debug")
	for _, want := range []string{data + ", synced", "off: any credentials", "cache 64 MiB, memtables 128 MiB, requests 256 MiB: 232 MiB at most",
		"aws dynamodb list-tables --region us-east-1 --endpoint-url " + p.endpoint} {
		if !strings.Contains(p.banner, want) {
			t.Errorf("the banner lacks %q:\n%s", want, p.banner)
		}
	}
	createTable(t, client(p.endpoint, "any", "thing", nil))
	if code, _ := p.get("/readyz"); code != 200 {
		t.Errorf("/readyz: %d", code)
	}
	if code, text := p.get("/metrics"); code != 200 || !strings.Contains(text, `stator_request_duration_seconds_count{operation="PutItem",service="dynamodb"} 8`) ||
		!strings.Contains(text, "\nstator_disk_bytes ") {
		t.Errorf("/metrics: %d, %s", code, text)
	}
	if code, _ := p.get("/debug/pprof/cmdline"); code != 200 {
		t.Errorf("/debug/pprof: %d", code)
	}
	splits(t, strings.TrimPrefix(p.admin, "http://"))
	if code, out, complaint := command("cluster", "status", "--admin", strings.TrimPrefix(p.admin, "http://")); code != 0 || out != aloneText+"\n" {
		t.Errorf("cluster status: exit %d, %q %q", code, out, complaint)
	}
	t.Run("another on the directory", func(t *testing.T) {
		code, _, complaint := command("serve", "--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
		if code != 1 || !strings.Contains(complaint, "is in use by another Stator process") || strings.Count(complaint, "\n") != 1 {
			t.Errorf("exit %d, %q", code, complaint)
		}
	})
	t.Run("another on the port", func(t *testing.T) {
		address := strings.TrimPrefix(p.endpoint, "http://")
		code, _, complaint := command("serve", "--in-memory", "--listen", address, "--admin", "127.0.0.1:0")
		if code != 1 || complaint != "stator: "+address+" is in use by another process: stop that one, or choose another address with --listen\n" {
			t.Errorf("exit %d, %q", code, complaint)
		}
	})
	p.Process.Signal(syscall.SIGTERM)
	p.ends(0)
	inspects(t, data)
}

func splits(t *testing.T, admin string) {
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"things", "--at", `{"pk":{"S":"c"}}`}, 0, "table things was split: the right half is partition "},
		{[]string{"things"}, 0, "table things was split"},
		{[]string{"nothing"}, 1, "ResourceNotFoundException"},
		{[]string{"things", "--at", `{"pk":{"S":"c"},"x":{"S":"c"}}`}, 1, `the key of table things consists of ["pk" (S)]`},
		{[]string{"things", "--at", `{"pk":{"N":"3"}}`}, 1, `the key of table things consists of ["pk" (S)]`},
		{[]string{"things", "--at", `c`}, 1, "not in the form of DynamoDB JSON"},
	} {
		code, out, complaint := command(append([]string{"split", "--admin", admin}, test.args...)...)
		if code != test.code || !strings.Contains(out+complaint, test.want) {
			t.Errorf("split %q: exit %d, %q %q", test.args, code, out, complaint)
		}
	}
}

func inspects(t *testing.T, data string) {
	for _, flags := range [][]string{nil, {"--compact"}} {
		code, out, complaint := command(append([]string{"inspect", data}, flags...)...)
		if code != 0 || !strings.Contains(out, "every checksum is right") || !strings.Contains(out, "cluster ") {
			t.Errorf("inspect %q: exit %d, %s%s", flags, code, out, complaint)
		}
		if n := strings.Count(out, "\n  partition "); n != 4 || !strings.Contains(out, "table things") || !strings.Contains(out, "ACTIVE") {
			t.Errorf("%d partitions, want 3 of the table and 1 of the catalog:\n%s", n, out)
		}
	}
	code, _, complaint := command("inspect", t.TempDir())
	if code != 1 || !strings.Contains(complaint, "there is no Stator data in") {
		t.Errorf("inspecting an empty directory: exit %d, %q", code, complaint)
	}
}

func TestServeWithSignatures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	add := func(name string) (key, secret string) {
		code, out, complaint := command("credentials", "new", name, "--credentials", path)
		if code != 0 {
			t.Fatal(complaint)
		}
		words := strings.Fields(out)
		return words[3], words[6]
	}
	key, secret := add("first")
	p := start(t, "--in-memory", "--auth", "sigv4", "--credentials", path)
	list := func(key, secret string) string {
		_, err := client(p.endpoint, key, secret, nil).ListTables(context.Background(), &dynamodb.ListTablesInput{})
		var refused interface{ ErrorCode() string }
		if errors.As(err, &refused) {
			return refused.ErrorCode()
		}
		if err != nil {
			return err.Error()
		}
		return ""
	}
	if got := list(key, secret); got != "" {
		t.Errorf("the right key: %s", got)
	}
	if got := list(key, "wrong"); got != "InvalidSignatureException" {
		t.Errorf("a wrong secret: %q", got)
	}
	key2, secret2 := add("second")
	if got := list(key2, secret2); got != "UnrecognizedClientException" {
		t.Errorf("a key not loaded yet: %q", got)
	}
	p.Process.Signal(syscall.SIGHUP)
	awaited(t, "a key is known after SIGHUP", func() bool { return list(key2, secret2) == "" })
	p.Process.Signal(syscall.SIGINT)
	p.ends(0)
}

// A policy is taken up with the credentials. One that cannot be used changes nothing, and the log says why.
func TestPoliciesAreReloaded(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "credentials")
	code, out, complaint := command("credentials", "new", "shop", "--credentials", path)
	if code != 0 {
		t.Fatal(complaint)
	}
	words := strings.Fields(out)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("credentials", out+"policy = shop.json\n")
	write("shop.json", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:DescribeLimits","Resource":"*"}}`)
	p := start(t, "--in-memory", "--auth", "sigv4", "--credentials", path, "--policies", "require")
	list := func() string {
		_, err := client(p.endpoint, words[3], words[6], nil).ListTables(context.Background(), &dynamodb.ListTablesInput{})
		if err != nil {
			return err.Error()
		}
		return ""
	}
	const want = "User: arn:aws:iam::000000000000:user/shop is not authorized to perform: dynamodb:ListTables on resource: " +
		"arn:aws:dynamodb:us-east-1:000000000000:table/* because no identity-based policy allows the dynamodb:ListTables action"
	if got := list(); !strings.Contains(got, want) {
		t.Errorf("before: %q", got)
	}
	write("shop.json", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:ListTables","Resource":"*"}}`)
	p.Process.Signal(syscall.SIGHUP)
	awaited(t, "the policy allows after SIGHUP", func() bool { return list() == "" })
	write("shop.json", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:ListTables","Resource":"*","When":"never"}}`)
	p.Process.Signal(syscall.SIGHUP)
	awaited(t, "the log says why nothing is reloaded", func() bool {
		log := p.complaints.String()
		return strings.Contains(log, "the credentials were not reloaded, the old ones stay") && strings.Contains(log, "Unknown field When")
	})
	if got := list(); got != "" {
		t.Errorf("after SIGHUP with a policy that cannot be used: %q", got)
	}
	p.Process.Signal(syscall.SIGINT)
	p.ends(0)
}

// A request under way is finished, /readyz is red meanwhile, and a second signal does not wait.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	p := start(t, "--in-memory")
	c, err := net.Dial("tcp", strings.TrimPrefix(p.endpoint, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
	if line, err := bufio.NewReader(c).ReadString('\n'); !strings.Contains(line, "100 Continue") {
		t.Fatalf("the request is not under way: %q, %v", line, err)
	}
	p.Process.Signal(syscall.SIGTERM)
	awaited(t, "/readyz is red", func() bool {
		status, _ := p.get("/readyz")
		return status == http.StatusServiceUnavailable
	})
	p.Process.Signal(syscall.SIGTERM)
	p.ends(exitInterrupted)
}

func TestServeOverTLS(t *testing.T) {
	cert, key, pool := selfSigned(t)
	p := start(t, "--in-memory", "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(p.endpoint, "https://") {
		t.Fatalf("the endpoint is %s", p.endpoint)
	}
	c := client(p.endpoint, "any", "thing", &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}})
	if _, err := c.ListTables(context.Background(), &dynamodb.ListTablesInput{}); err != nil {
		t.Error(err)
	}
}

func selfSigned(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	pool.AppendCertsFromPEM(certPEM)
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded})
	return file(t, "cert.pem", string(certPEM)), file(t, "key.pem", string(keyPEM)), pool
}
