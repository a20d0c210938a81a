package sigv4_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stator/internal/edge/sigv4"
)

func writeCredentials(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadCredentials(t *testing.T) {
	path := writeCredentials(t, "# keys\n[ app ]\naws_access_key_id=AK1\n AWS_SECRET_ACCESS_KEY = s/1=\nregion = us-east-1\n\n"+
		"; other\n[ops]\naws_secret_access_key = s2\naws_access_key_id = AK2", 0o600)
	got, err := sigv4.LoadCredentials(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []sigv4.Credential{{Caller: sigv4.Caller{Name: "app"}, AccessKeyID: "AK1", SecretAccessKey: "s/1="}, {Caller: sigv4.Caller{Name: "ops"}, AccessKeyID: "AK2", SecretAccessKey: "s2"}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLoadCredentialsRefuses(t *testing.T) {
	const good = "[a]\naws_access_key_id=AK1\naws_secret_access_key=hush\n"
	for _, test := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"readable by the group", good, 0o640, "may be read by others (mode 0640): run 'chmod 600"},
		{"readable by all", good, 0o604, "may be read by others"},
		{"empty", "", 0o600, "holds no credentials: add some with"},
		{"no section", "aws_access_key_id=AK1\n", 0o600, "line 1: expected [name]"},
		{"open section", "[a\n", 0o600, "line 1: a section has the form [name]"},
		{"a secret without a key", "[a]\nhush\n", 0o600, "line 2: expected [name], then key = value lines"},
		{"half a pair", "[a]\naws_access_key_id=AK1\n", 0o600, "section [a] lacks"},
		{"an id twice", good + strings.Replace(good, "[a]", "[b]", 1), 0o600, "sections [a] and [b] hold the same"},
		{"a slash", strings.Replace(good, "AK1", "A/K", 1), 0o600, "holds no slash"},
		{"too large", good + strings.Repeat("# comment\n", 1<<17), 0o600, "larger than 1 MiB"},
	} {
		_, err := sigv4.LoadCredentials(writeCredentials(t, test.text, test.mode))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error shows a secret: %v", test.name, err)
		}
	}
	if _, err := sigv4.LoadCredentials(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a missing file was read")
	}
}

func TestNewAndAppendCredential(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	for _, name := range []string{"first", "second"} {
		c, err := sigv4.NewCredential(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.AccessKeyID) != 20 || len(c.SecretAccessKey) != 40 {
			t.Errorf("the pair has %d and %d characters, want 20 and 40", len(c.AccessKeyID), len(c.SecretAccessKey))
		}
		if err := sigv4.AppendCredential(path, c); err != nil {
			t.Fatal(err)
		}
		loaded, err := sigv4.LoadCredentials(path)
		if err != nil {
			t.Fatal(err)
		}
		if last := loaded[len(loaded)-1]; last != c {
			t.Errorf("appended %v, read %v", c, last)
		}
	}
	c, _ := sigv4.NewCredential("first")
	if err := sigv4.AppendCredential(path, c); err == nil || !strings.Contains(err.Error(), "already holds credentials named") {
		t.Errorf("a name twice: %v", err)
	}
	if _, err := sigv4.NewCredential("a b"); err == nil {
		t.Error("a name with a space was accepted")
	}
}

func TestPolicyOfASection(t *testing.T) {
	const policy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}}`
	for name, test := range map[string]struct {
		line, text string
		mode       os.FileMode
		want       string // of the error, "" for none
	}{
		"beside the credentials": {"policy = p.json", policy, 0o644, ""},
		"an absolute path":       {"Policy = DIR/p.json", policy, 0o600, ""},
		"no file":                {"policy = q.json", policy, 0o644, "section [app]: cannot read the policy"},
		"no name":                {"policy =", policy, 0o644, "line 4: a policy is the name of a file"},
		"a directory":            {"policy = .", policy, 0o644, "it is no file"},
		"writable by others":     {"policy = p.json", policy, 0o666, "may be changed by others (mode 0666): run 'chmod go-w"},
		"not a policy":           {"policy = p.json", `{`, 0o644, "cannot be used: This policy contains invalid Json"},
		"not a text":             {"policy = p.json", "\xff", 0o644, "it is not a text in UTF-8"},
		"too large":              {"policy = p.json", strings.Repeat(" ", 30000), 0o644, "Maximum policy size of 20480 bytes exceeded"},
	} {
		path := writeCredentials(t, "", 0o600)
		line := strings.Replace(test.line, "DIR", filepath.Dir(path), 1)
		text := "[app]\naws_access_key_id=A\naws_secret_access_key=S\n" + line + "\n[free]\naws_access_key_id=B\naws_secret_access_key=S\n"
		beside := filepath.Join(filepath.Dir(path), "p.json")
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.WriteFile(beside, []byte(test.text), 0o600), os.Chmod(beside, test.mode)); err != nil {
			t.Fatal(err)
		}
		loaded, err := sigv4.LoadCredentials(path)
		switch {
		case test.want != "":
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: got %v, want one line with %q", name, err, test.want)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case loaded[0].Policy == nil || loaded[1].Policy != nil:
			t.Errorf("%s: the policies are %v and %v", name, loaded[0].Policy, loaded[1].Policy)
		}
	}
}

func FuzzLoadCredentials(f *testing.F) {
	f.Add("[a]\naws_access_key_id=AK1\naws_secret_access_key=s\n")
	f.Add("[]\n=\n[")
	f.Fuzz(func(t *testing.T, text string) {
		credentials, err := sigv4.LoadCredentials(writeCredentials(t, text, 0o600))
		if err == nil && len(credentials) == 0 {
			t.Fatal("neither credentials nor an error")
		}
		for _, c := range credentials {
			if c.AccessKeyID == "" || c.SecretAccessKey == "" {
				t.Fatalf("half a pair: %v", c)
			}
		}
	})
}
