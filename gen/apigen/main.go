// Command apigen writes internal/model/api from the service models and the overlay beside it. It does not know what an
// operation means, only the shape of what goes in and comes out.
package main

import (
	"embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed model/*.json overlay/*.json
var files embed.FS

func main() {
	dir := flag.String("out", "internal/model/api", "directory of package api")
	flag.Parse()
	if err := run(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "apigen:", err)
		os.Exit(1)
	}
}

// run replaces all generated files of the directory.
func run(dir string) error {
	sources, err := generate(files)
	if err != nil {
		return err
	}
	stale, err := filepath.Glob(filepath.Join(dir, "*"+generatedSuffix))
	if err != nil {
		return err
	}
	for _, path := range stale {
		if _, kept := sources[filepath.Base(path)]; kept {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for name, text := range sources {
		if !strings.HasSuffix(name, generatedSuffix) {
			return fmt.Errorf("file %s lacks the suffix %s", name, generatedSuffix)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

const generatedSuffix = "_gen.go"
