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
	w := writers.Get().(*writer)
	_, reading := trace.Begin(ctx, trace.StorageRead)
	r.Write(c, w.tell)
	reading.End(nil)
	_, replication := trace.Begin(ctx, trace.Replication)
	if err := wait(ctx, w.done); err != nil {
		replication.End(err)
		return command.Result{}, &command.Ambiguous{Cause: err} // w is left to the answer that may still come
	}
	result, failed := w.result, w.failed
	w.result, w.failed = command.Result{}, nil
	writers.Put(w)
	replication.End(failed)
	return result, failed
}

// writer is one who waits for what becomes of a command, which it is told once. It is used again only when it was told:
// whoever gives up is told later, and its writer must be nobody else's by then.
type writer struct {
	tell   func(command.Result, error) // take, made a function once and not for every command
	done   chan struct{}               // has room for one, so that nobody waits for a writer that gave up
	result command.Result
	failed error
}

var writers = sync.Pool{New: func() any {
	w := &writer{done: make(chan struct{}, 1)}
	w.tell = w.take
	return w
}}

func (w *writer) take(result command.Result, err error) {
	w.result, w.failed = result, err
	w.done <- struct{}{}
}

// ReadAndWait is Read for a caller that may block; it mostly does not.
func (r *Replica) ReadAndWait(ctx context.Context, wait Wait, g *command.Get) (command.GetResult, error) {
	var a answer[command.GetResult]
	within, reading := trace.Begin(ctx, trace.StorageRead)
	r.readBehind(r.blocking(within, wait), g, a.take)
	reading.End(nil)
	return a.get(ctx, wait)
}

// ScanAndWait is Scan for a caller that may block.
func (r *Replica) ScanAndWait(ctx context.Context, wait Wait, p *command.Plan) (command.Page, error) {
	var a answer[command.Page]
	within, reading := trace.Begin(ctx, trace.StorageRead)
	r.scanBehind(r.blocking(within, wait), p, a.take)
	reading.End(nil)
	return a.get(ctx, wait)
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
		var a answer[struct{}]
		r.options.Log.Barrier(func(err error) { a.take(struct{}{}, err) })
		_, err := a.get(ctx, wait)
		done(err)
	}
}

// answer is what a read comes to.
type answer[T any] struct {
	once
	value  T
	failed error
}

func (a *answer[T]) take(value T, err error) {
	a.value, a.failed = value, err
	a.end()
}

// get waits for the answer. Without one there is no value either: it may come yet, and is not to be looked at meanwhile.
func (a *answer[T]) get(ctx context.Context, wait Wait) (T, error) {
	if err := a.wait(ctx, wait); err != nil {
		var none T
		return none, err
	}
	return a.value, a.failed
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
