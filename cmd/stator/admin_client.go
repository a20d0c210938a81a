package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	adminTimeout     = time.Minute
	adminTextMax     = 256 << 20
	tokenBytesMax    = 4 << 10
	tokenHint        = "make one with 'umask 077; openssl rand -hex 32 > %s'"
	adminAddressHint = "is 'stator serve' running, and is this its --admin address?"
)

// adminFlags say which server is asked.
type adminFlags struct {
	Admin      string `default:"127.0.0.1:8001" placeholder:"ADDR" help:"The admin address of the server (${default})."`
	AdminToken string `placeholder:"FILE" help:"The file with the token that the server asks for."`
}

// ask sends a verb with its parameters to the server's admin door, and returns the text of its answer.
func (f *adminFlags) ask(method, verb string, query url.Values) ([]byte, error) {
	text, code, err := f.exchange(method, verb, query)
	if err != nil {
		return nil, err
	}
	if code != http.StatusOK {
		return nil, fmt.Errorf("the server refused: %s", strings.TrimSpace(string(text)))
	}
	return text, nil
}

// tell asks about a table, and reads the answer.
func (f *adminFlags) tell(verb, table string, answer any) error {
	text, err := f.ask(http.MethodGet, verb, url.Values{"table": {table}})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	return nil
}

// exchange is ask for those who know what to do with another status.
func (f *adminFlags) exchange(method, verb string, query url.Values) (text []byte, code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	// The banner of 'stator serve' shows the address as a URL.
	address := strings.TrimSuffix(strings.TrimPrefix(f.Admin, "http://"), "/")
	r, err := http.NewRequestWithContext(ctx, method, "http://"+address+verb+"?"+query.Encode(), nil)
	if err != nil {
		return nil, 0, fmt.Errorf("%q is no address: write it like 127.0.0.1:8001", f.Admin)
	}
	r.Header.Set("Content-Type", "application/json")
	if f.AdminToken != "" {
		token, err := readToken(f.AdminToken)
		if err != nil {
			return nil, 0, err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil, 0, fmt.Errorf("nothing answers at %s: %s", f.Admin, adminAddressHint)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("asking %s: %w", f.Admin, err)
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(io.LimitReader(answer.Body, adminTextMax))
	if err != nil {
		return nil, 0, fmt.Errorf("asking %s: %w", f.Admin, err)
	}
	if answer.StatusCode == http.StatusUnauthorized {
		return nil, 0, fmt.Errorf("%s wants the token that its 'stator serve' was given: name the file with --admin-token FILE", f.Admin)
	}
	return text, answer.StatusCode, nil
}

// readToken reads the file of a token. One that others may read is refused.
func readToken(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cannot read the admin token: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("cannot read the admin token: %w", err)
	}
	if info.IsDir() {
		return "", fmt.Errorf("%s is a directory: name the file with the token", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("%s may be read by others (mode %04o): run 'chmod 600 %s'", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(file, tokenBytesMax))
	if err != nil {
		return "", fmt.Errorf("cannot read the admin token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%s must hold a token of one word: "+tokenHint, path, path)
	}
	return token, nil
}
