package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"stator/internal/storage/engine"
)

type inspectCommand struct {
	Dir     string `arg:"" placeholder:"DIR" help:"The data directory. No server may have it open."`
	Compact bool   `help:"Rewrite the store first, so that nothing deleted or overwritten takes room."`
}

// Help shows an example.
func (inspectCommand) Help() string {
	return `Prints the format, the tables with their partitions and sizes, and verifies the checksum of every block. Without --compact
nothing on disk is changed. Damage is reported with its file, and the exit code is 1.

Example:

    stator inspect ./stator-data`
}

// Run prints what the directory holds.
func (c *inspectCommand) Run(s streams) error {
	store, err := engine.Open(engine.Options{Dir: c.Dir, ReadOnly: !c.Compact, ReserveBytes: -1})
	if err != nil {
		return err
	}
	err = c.inspect(context.Background(), store, s)
	return errors.Join(err, store.Close())
}

func (c *inspectCommand) inspect(ctx context.Context, store *engine.Engine, s streams) error {
	if c.Compact {
		if err := store.Compact(ctx); err != nil {
			return err
		}
	}
	format, err := os.ReadFile(filepath.Join(c.Dir, "FORMAT"))
	if err != nil {
		return fmt.Errorf("reading the format: %w", err)
	}
	metrics, ident := store.Metrics(), store.Ident()
	out := tabwriter.NewWriter(s.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(out, "directory\t%s\n", c.Dir)
	fmt.Fprintf(out, "format\t%s\n", strings.Join(strings.Fields(string(format)), " "))
	fmt.Fprintf(out, "store\tcluster %s, node %d\n", ident.Cluster, ident.Node)
	fmt.Fprintf(out, "on disk\t%v (%d tables of the store %v, its log %v)\n", byteSize(metrics.DiskBytes),
		metrics.Tables, byteSize(metrics.TableBytes), byteSize(metrics.LogBytes))
	tables, err := takeInventory(store)
	if err != nil {
		return errors.Join(out.Flush(), err)
	}
	for _, t := range tables {
		fmt.Fprintf(out, "\ntable %s\t%s\t%d items\t%v\n", t.name, t.state, t.items, byteSize(t.bytes))
		for _, p := range t.partitions {
			fmt.Fprintf(out, "  partition %d\tfrom %s\t%d items\t%v\ton disk %v\tlog %v\n",
				p.id, p.from, p.items, byteSize(p.bytes), byteSize(p.diskBytes), byteSize(p.logBytes))
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := store.VerifyChecksums(ctx); err != nil {
		return err
	}
	fmt.Fprintln(s.Out, "\nevery checksum is right")
	return nil
}
