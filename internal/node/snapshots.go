package node

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"stator/internal/partition/multiraft"
)

// sendSnapshot is asked for by a worker, which must not wait.
func (c *cluster) sendSnapshot(node uint64, header []byte, source *multiraft.Outgoing) {
	c.ship(func(ctx context.Context) {
		err := c.peers.SendSnapshot(ctx, node, header, source.Next)
		if err != nil {
			c.node.complain(&c.unsent, slog.LevelWarn, "a snapshot did not get to a node and will be sent again", "node", node, "error", err)
		}
		source.Done(err)
	})
}

// Snapshot takes what another node sends, and answers once this one holds it as its own.
func (c *cluster) Snapshot(ctx context.Context, from uint64, header []byte, next func() ([]byte, error)) error {
	began := time.Now()
	in, err := c.groups.Incoming(header)
	if err != nil {
		return err
	}
	bytes, err := receive(in, next)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	in.Close(func(failed error) {
		err = failed
		close(done)
	})
	if failed := c.node.options.Wait(ctx, done); failed != nil {
		return failed
	}
	if err == nil {
		c.node.options.Log.Info("a snapshot came", "node", from, "bytes", bytes, "took", time.Since(began).Round(time.Millisecond))
	}
	return err
}

// receive writes down what comes. Unless all of it has come nothing is left of it, also where whoever steps the node ends it
// between two chunks.
func receive(in *multiraft.Incoming, next func() ([]byte, error)) (bytes int, err error) {
	whole := false
	defer func() {
		if !whole {
			err = errors.Join(err, in.Abort())
		}
	}()
	for {
		chunk, err := next()
		if errors.Is(err, io.EOF) {
			whole = true
			return bytes, nil
		}
		if err == nil {
			err = in.Write(chunk)
		}
		if err != nil {
			return bytes, err
		}
		bytes += len(chunk)
	}
}
