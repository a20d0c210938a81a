package sigv4

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"stator/internal/model/policy"
)

// loadPolicy reads the policy that the credential's section names. Its file is looked for beside the credentials.
func (c *Credential) loadPolicy(credentials string) error {
	if c.policyFile == "" {
		return nil
	}
	path := c.policyFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(credentials), path)
	}
	text, err := readPolicy(path)
	if err != nil {
		return err
	}
	if c.Policy, err = policy.Parse(policy.Identity, text); err != nil {
		return fmt.Errorf("the policy %s cannot be used: %w", path, err)
	}
	return nil
}

// readPolicy refuses a file that others may change: whoever can write a policy can do what it lets.
func readPolicy(path string) ([]byte, error) {
	about, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the policy: %w", err)
	}
	if !about.Mode().IsRegular() {
		return nil, fmt.Errorf("the policy %s cannot be used: it is no file", path)
	}
	if mode := about.Mode().Perm(); mode&0o022 != 0 {
		return nil, fmt.Errorf("the policy %s may be changed by others (mode %04o): run 'chmod go-w %s'", path, mode, path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the policy: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, policy.BytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the policy: %w", err)
	}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("the policy %s cannot be used: it is not a text in UTF-8", path)
	}
	return text, nil
}
