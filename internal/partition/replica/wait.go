package replica

import (
	"context"
	"sync"

	"stator/internal/base/trace"
	"stator/internal/partition/command"
)

// Wait blocks until something can be taken out of done, and takes it, or done is closed, or ctx ends. A simulator puts its own
// in place: it runs the world until done.
type Wait func(ctx context.Context, done <-chan struct{}) error

// WaitOnChannel is the Wait of a real process.
func WaitOnChannel(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// WriteAndWait is Write for a caller that may block. A caller that gives up does not know what became of its command.
func (r *Replica) WriteAndWait(ctx context.Context, wait Wait, c *command.Command) (command.Result, error) {
	var result command.Result
	var failed error
	done := make(chan struct{})
	_, reading := trace.Begin(ctx, trace.StorageRead)
	r.Write(c, func(got command.Result, err error) {
		result, failed = got, err
		close(done)
	})
	reading.End(nil)
	_, replication := trace.Begin(ctx, trace.Replication)
	if err := wait(ctx, done); err != nil {
		replication.End(err)
		return command.Result{}, &command.Ambiguous{Cause: err}
	}
	replication.End(failed)
	return result, failed
}

// ReadAndWait is Read for a caller that may block; it mostly does not.
func (r *Replica) ReadAndWait(ctx context.Context, wait Wait, g *command.Get) (command.GetResult, error) {
	var result command.GetResult
	var failed error
	var inline once
	within, reading := trace.Begin(ctx, trace.StorageRead)
	r.readBehind(r.blocking(within, wait), g, func(got command.GetResult, err error) {
		result, failed = got, err
		inline.end()
	})
	reading.End(nil)
	if err := inline.wait(ctx, wait); err != nil {
		return command.GetResult{}, err
	}
	return result, failed
}

// ScanAndWait is Scan for a caller that may block.
func (r *Replica) ScanAndWait(ctx context.Context, wait Wait, p *command.Plan) (command.Page, error) {
	var page command.Page
	var failed error
	var inline once
	within, reading := trace.Begin(ctx, trace.StorageRead)
	r.scanBehind(r.blocking(within, wait), p, func(got command.Page, err error) {
		page, failed = got, err
		inline.end()
	})
	reading.End(nil)
	if err := inline.wait(ctx, wait); err != nil {
		return command.Page{}, err
	}
	return page, failed
}

// ChangeAndWait runs Adopt, Split or Move for a caller that may block.
func ChangeAndWait(ctx context.Context, wait Wait, change func(done func(error))) error {
	var failed error
	done := make(chan struct{})
	change(func(err error) {
		failed = err
		close(done)
	})
	if err := wait(ctx, done); err != nil {
		return &command.Ambiguous{Cause: err}
	}
	return failed
}

// blocking is the log's barrier for a caller that may block: what comes behind it the caller does, and not whoever ends it,
// who has other partitions to see to.
func (r *Replica) blocking(ctx context.Context, wait Wait) func(done func(error)) {
	return func(done func(error)) {
		var failed error
		var inline once
		r.options.Log.Barrier(func(err error) {
			failed = err
			inline.end()
		})
		if err := inline.wait(ctx, wait); err != nil {
			done(err)
			return
		}
		done(failed)
	}
}

// once is a completion that mostly comes before anybody waits: then there is no channel.
type once struct {
	mu    sync.Mutex // guards ended and done
	ended bool
	done  chan struct{}
}

func (o *once) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	if o.done != nil {
		close(o.done)
	}
}

func (o *once) wait(ctx context.Context, wait Wait) error {
	o.mu.Lock()
	if o.ended {
		o.mu.Unlock()
		return nil
	}
	o.done = make(chan struct{})
	o.mu.Unlock()
	_, replication := trace.Begin(ctx, trace.Replication)
	err := wait(ctx, o.done)
	replication.End(err)
	return err
}
