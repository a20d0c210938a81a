package routertest

import (
	"context"
	"errors"

	"stator/internal/cluster/router"
	"stator/internal/cluster/rpc"
	"stator/internal/partition/command"
)

var errUnreachable = errors.New("the network is cut")

// Call brings a call to a node as bytes, and its answer, or the bytes of its error, back.
func (c *Cluster) Call(ctx context.Context, node uint64, method byte, body []byte) ([]byte, error) {
	c.mu.Lock()
	c.calls++
	down, mute := c.down[node], c.mute[node]
	c.mu.Unlock()
	if down {
		return nil, &rpc.Unreachable{Node: node, Cause: errUnreachable}
	}
	// Who gives up waiting does not stop what is under way.
	answer, err := c.Node(node).serve(context.WithoutCancel(ctx), method, body)
	if mute {
		<-ctx.Done()
	}
	switch {
	case ctx.Err() != nil:
		return nil, &rpc.Unreachable{Node: node, Sent: true, Cause: ctx.Err()}
	case err != nil:
		return nil, command.ParseError(command.AppendError(nil, err))
	}
	return answer, nil
}

// serve answers a call from the copies here. It takes no map to do so.
func (n *Node) serve(ctx context.Context, method byte, body []byte) ([]byte, error) {
	return router.New(n.Options(nil)).Serve(ctx, method, body)
}
