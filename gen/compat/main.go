// Command compat writes docs/compatibility.md: what of the API is built, what is accepted without effect or refused, and
// how the public suite fares. It does not know how to run the suite; test/suite/run.sh does.
package main

//go:generate go run . -docs ../../docs

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	docs := flag.String("docs", "docs", "directory of the documents")
	report := flag.String("report", "", "a report of test/suite/reporter.mjs, to be summed up into compatibility.json first")
	revision := flag.String("revision", "unknown", "the revision of the suite that the report speaks of")
	flag.Parse()
	if err := run(*docs, *report, *revision); err != nil {
		fmt.Fprintln(os.Stderr, "compat:", err)
		os.Exit(1)
	}
}

// The documents.
const (
	pageName    = "compatibility.md"
	resultsName = "compatibility.json"
)

func run(docs, report, revision string) error {
	if report != "" {
		text, err := os.ReadFile(report)
		if err != nil {
			return err
		}
		results, err := sumUp(text, revision)
		if err != nil {
			return fmt.Errorf("reading %s: %w", report, err)
		}
		if err := os.WriteFile(filepath.Join(docs, resultsName), results.encode(), 0o644); err != nil {
			return err
		}
	}
	results, err := loadResults(filepath.Join(docs, resultsName))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, pageName), page(results), 0o644)
}
