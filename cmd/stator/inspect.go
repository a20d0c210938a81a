package main

import (
	"context"

	"stator/internal/node"
)

type inspectCommand struct {
	Dir     string `arg:"" placeholder:"DIR" help:"The data directory. No server may have it open."`
	Compact bool   `help:"Rewrite the store first, so that nothing deleted or overwritten takes room."`
}

// Help shows an example.
func (inspectCommand) Help() string {
	return `Prints the format, the tables with their partitions and sizes, and verifies the checksum of every block and the form of every
record. Without --compact nothing on disk is changed. Damage is reported with its file, and the exit code is 1. Copies of
a partition on several nodes that have performed as much of its log have the same checksum.

Example:

    stator inspect ./stator-data`
}

// Run prints what the directory holds.
func (c *inspectCommand) Run(s streams) error {
	report, err := node.Inspect(context.Background(), node.InspectOptions{Dir: c.Dir, Compact: c.Compact})
	if err != nil {
		return err
	}
	if _, err := report.WriteTo(s.Out); err != nil {
		return err
	}
	return report.Err()
}
