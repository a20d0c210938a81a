package sigv4

import (
	"bufio"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"stator/internal/model/policy"
)

const (
	credentialsBytesMax = 1 << 20
	namePattern         = `^[A-Za-z0-9_.-]{1,64}$`
)

var nameExpression = regexp.MustCompile(namePattern)

// Credential is one section of a shared-credentials file.
type Credential struct {
	Caller
	AccessKeyID     string
	SecretAccessKey string
	policyFile      string // as the section names it; "" for none
}

// Caller is who a signature speaks for.
type Caller struct {
	Name string
	// Policy is what the caller may do, nil if its section names none.
	Policy *policy.Document
}

// Section is the credential as it stands in a shared-credentials file.
func (c Credential) Section() string {
	return fmt.Sprintf("[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", c.Name, c.AccessKeyID, c.SecretAccessKey)
}

// NewCredential makes a fresh pair, of the lengths that AWS gives its own. The name is refused unless it consists of 1
// to 64 letters, digits, dots, dashes and underscores.
func NewCredential(name string) (Credential, error) {
	if !nameExpression.MatchString(name) {
		return Credential{}, fmt.Errorf("the name %q does not match %s", name, namePattern)
	}
	var id [10]byte
	var secret [30]byte
	rand.Read(id[:]) // never fails, see crypto/rand
	rand.Read(secret[:])
	return Credential{
		Caller:          Caller{Name: name},
		AccessKeyID:     "AKIA" + base32.StdEncoding.EncodeToString(id[:]),
		SecretAccessKey: base64.StdEncoding.EncodeToString(secret[:]),
	}, nil
}

// LoadCredentials reads a shared-credentials file of AWS. A file that group or others may read is refused: the secrets
// in it are as good as the data. So is one without any credential, since nobody could sign in, and one that names a policy
// which cannot be used: without it the caller could do anything.
func LoadCredentials(path string) ([]Credential, error) {
	credentials, err := readCredentials(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%w: make some with 'stator credentials new NAME --credentials %s'", err, path)
	case err != nil:
		return nil, err
	case len(credentials) == 0:
		return nil, fmt.Errorf("%s holds no credentials: add some with 'stator credentials new NAME --credentials %s'", path, path)
	}
	for i := range credentials {
		if err := credentials[i].loadPolicy(path); err != nil {
			return nil, fmt.Errorf("%s: section [%s]: %w", path, credentials[i].Name, err)
		}
	}
	return credentials, nil
}

// AppendCredential adds a section to the file, which is made (readable by its owner only) if there is none. A name that
// the file already holds is refused.
func AppendCredential(path string, c Credential) error {
	present, err := readCredentials(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, other := range present {
		if other.Name == c.Name {
			return fmt.Errorf("%s already holds credentials named %q: take another name", path, c.Name)
		}
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write the credentials: %w", err)
	}
	// The line break in front keeps the section apart from a last line that has none.
	_, err = file.WriteString("\n" + c.Section())
	return errors.Join(err, file.Close())
}

func readCredentials(path string) ([]Credential, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the credentials: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read the credentials: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a directory: name the file with the credentials", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others (mode %04o): run 'chmod 600 %s'", path, mode, path)
	}
	credentials, err := parseCredentials(io.LimitReader(file, credentialsBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return credentials, nil
}

// parseCredentials reads the INI form: [name] lines, then key = value lines. Keys it does not know are skipped, as the
// AWS tools do: such files also hold settings of theirs.
func parseCredentials(r io.Reader) ([]Credential, error) {
	var credentials []Credential
	lines := bufio.NewScanner(r)
	bytesRead, number := 0, 0
	for lines.Scan() {
		number++
		if bytesRead += len(lines.Bytes()) + 1; bytesRead > credentialsBytesMax {
			return nil, errors.New("the file is larger than 1 MiB")
		}
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			if !strings.HasSuffix(line, "]") {
				return nil, fmt.Errorf("line %d: a section has the form [name]", number)
			}
			credentials = append(credentials, Credential{Caller: Caller{Name: strings.TrimSpace(line[1 : len(line)-1])}})
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if !found || len(credentials) == 0 {
			// The line is not shown: it may hold a secret.
			return nil, fmt.Errorf("line %d: expected [name], then key = value lines", number)
		}
		c := &credentials[len(credentials)-1]
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "aws_access_key_id":
			c.AccessKeyID = strings.TrimSpace(value)
		case "aws_secret_access_key":
			c.SecretAccessKey = strings.TrimSpace(value)
		case "policy":
			if c.policyFile = strings.TrimSpace(value); c.policyFile == "" {
				return nil, fmt.Errorf("line %d: a policy is the name of a file", number)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", number+1, err)
	}
	return credentials, checkCredentials(credentials)
}

func checkCredentials(credentials []Credential) error {
	nameOf := map[string]string{}
	for _, c := range credentials {
		if c.AccessKeyID == "" || c.SecretAccessKey == "" {
			return fmt.Errorf("section [%s] lacks aws_access_key_id or aws_secret_access_key", c.Name)
		}
		if strings.ContainsAny(c.AccessKeyID, "/, ") {
			return fmt.Errorf("section [%s]: an access key id holds no slash, comma or space", c.Name)
		}
		if other, taken := nameOf[c.AccessKeyID]; taken {
			return fmt.Errorf("sections [%s] and [%s] hold the same aws_access_key_id", other, c.Name)
		}
		nameOf[c.AccessKeyID] = c.Name
	}
	return nil
}
