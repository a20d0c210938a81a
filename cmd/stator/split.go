package main

import (
	"context"
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
	splitTimeout     = time.Minute
	adminTextMax     = 64 << 10
	tokenBytesMax    = 4 << 10
	adminAddressHint = "is 'stator serve' running, and is this its --admin address?"
)

type splitCommand struct {
	Table      string `arg:"" help:"Which table."`
	At         string `placeholder:"KEY" help:"Split where this key is, a primary key as DynamoDB JSON. Without it the largest partition is split in its middle."`
	Admin      string `default:"127.0.0.1:8001" placeholder:"ADDR" help:"The admin address of the server."`
	AdminToken string `placeholder:"FILE" help:"The file with the token that the server asks for."`
}

// Help shows examples.
func (splitCommand) Help() string {
	return `Example:

    stator split cities
    stator split cities --at '{"id": {"N": "2950159"}}'`
}

// Run asks the server for the split.
func (c *splitCommand) Run(s streams) error {
	ctx, cancel := context.WithTimeout(context.Background(), splitTimeout)
	defer cancel()
	query := url.Values{"table": {c.Table}}
	if c.At != "" {
		query.Set("at", c.At)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.Admin+"/split?"+query.Encode(), nil)
	if err != nil {
		return fmt.Errorf("%q is no address: write it like 127.0.0.1:8001", c.Admin)
	}
	r.Header.Set("Content-Type", "application/json")
	if c.AdminToken != "" {
		token, err := readToken(c.AdminToken)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing answers at %s: %s", c.Admin, adminAddressHint)
	}
	if err != nil {
		return fmt.Errorf("asking %s: %w", c.Admin, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, adminTextMax))
	if err != nil {
		return fmt.Errorf("asking %s: %w", c.Admin, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server refused: %s", strings.TrimSpace(string(text)))
	}
	_, err = s.Out.Write(text)
	return err
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
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("%s may be read by others (mode %04o): run 'chmod 600 %s'", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(file, tokenBytesMax))
	if err != nil {
		return "", fmt.Errorf("cannot read the admin token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%s must hold a token of one word: make one with 'openssl rand -hex 32 > %s'", path, path)
	}
	return token, nil
}
