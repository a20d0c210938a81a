package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

const configBytesMax = 64 << 10

// configFile holds the values of a --config file by the names of their flags.
type configFile struct {
	values map[string]string
	lines  map[string]int
}

// readConfig reads "name: value" lines. Empty lines and those that begin with # are skipped; a value may stand in double
// quotes. This is as much of YAML as flags need.
func readConfig(r io.Reader) (kong.Resolver, error) {
	c := &configFile{values: map[string]string{}, lines: map[string]int{}}
	lines := bufio.NewScanner(io.LimitReader(r, configBytesMax+1))
	read, number := 0, 0
	for lines.Scan() {
		number++
		if read += len(lines.Bytes()) + 1; read > configBytesMax {
			return nil, errors.New("the config file is larger than 64 KiB")
		}
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !found || name == "" || strings.ContainsAny(name, " ="):
			return nil, fmt.Errorf("config file, line %d: expected 'name: value'", number)
		case c.lines[name] > 0:
			return nil, fmt.Errorf("config file, line %d: %s stands in line %d already", number, name, c.lines[name])
		}
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		c.values[name], c.lines[name] = value, number
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("config file, line %d: %w", number+1, err)
	}
	return c, nil
}

// Validate implements kong.Resolver: a name that no command has is a mistake. One that another command has is not, so
// that a file may serve all of them.
func (c *configFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, flag := range flagsOf(app.Node) {
		known[flag.Name] = flag.Name != "help" && flag.Name != "config"
	}
	for name, line := range c.lines {
		if !known[name] {
			return fmt.Errorf("config file, line %d: no command has a flag --%s", line, name)
		}
	}
	return nil
}

// flagsOf are the flags of a command and of those below it.
func flagsOf(node *kong.Node) []*kong.Flag {
	flags := slices.Clone(node.Flags)
	for _, child := range node.Children {
		flags = append(flags, flagsOf(child)...)
	}
	return flags
}

// Resolve implements kong.Resolver. A variable of the environment comes before the file. What no variable may set, the file may not.
func (c *configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if len(flag.Envs) == 0 {
		return nil, nil
	}
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	if value, found := c.values[flag.Name]; found {
		return value, nil
	}
	return nil, nil
}
