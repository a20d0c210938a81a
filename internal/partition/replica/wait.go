package replica

import (
	"context"

	"stator/internal/partition/command"
)

// Wait blocks until done is closed or ctx ends. A simulator puts its own in place: it runs the world until done.
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
	r.Write(c, func(got command.Result, err error) {
		result, failed = got, err
		close(done)
	})
	if err := wait(ctx, done); err != nil {
		return command.Result{}, &command.Ambiguous{Cause: err}
	}
	return result, failed
}

// ReadAndWait is Read for a caller that may block; it mostly does not.
func (r *Replica) ReadAndWait(ctx context.Context, wait Wait, g *command.Get) (command.GetResult, error) {
	var result command.GetResult
	var failed error
	inline, done := newOnce()
	r.Read(g, func(got command.GetResult, err error) {
		result, failed = got, err
		done()
	})
	if err := inline.wait(ctx, wait); err != nil {
		return command.GetResult{}, err
	}
	return result, failed
}

// ScanAndWait is Scan for a caller that may block.
func (r *Replica) ScanAndWait(ctx context.Context, wait Wait, p *command.Plan) (command.Page, error) {
	var page command.Page
	var failed error
	inline, done := newOnce()
	r.Scan(p, func(got command.Page, err error) {
		page, failed = got, err
		done()
	})
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

// once is a completion that mostly comes before anybody waits.
type once struct{ done chan struct{} }

func newOnce() (*once, func()) {
	o := &once{done: make(chan struct{})}
	return o, func() { close(o.done) }
}

func (o *once) wait(ctx context.Context, wait Wait) error {
	select {
	case <-o.done:
		return nil
	default:
		return wait(ctx, o.done)
	}
}
