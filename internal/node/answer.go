package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"stator/internal/cluster/catalog"
	"stator/internal/cluster/rpc"
	"stator/internal/jobs/rebalance"
	"stator/internal/partition/command"
	"stator/internal/partition/multiraft"
)

// What a node that is not assembled yet answers.
var errStarting = errors.New("this node is starting")

// Raft takes a message of another node's group. One that is none, or that speaks for a third node, is passed over.
func (c *cluster) Raft(from uint64, message []byte) {
	m, err := multiraft.ParseMessage(message)
	if err == nil && m.FromNode != from {
		err = fmt.Errorf("it speaks for node %d", m.FromNode)
	}
	if err != nil {
		c.node.complain(&c.unlawful, slog.LevelWarn, "a message of another node is none", "node", from, "error", err)
		return
	}
	c.groups.Receive(m)
}

// The methods of calls between nodes. Those of the router have the numbers below. A number keeps its meaning for ever.
const (
	methodNodeReport byte = 128 + iota
	methodAskCluster
	methodConsumed
	methodShare
	methodRecall
)

// Call answers another node: mostly its router, for the partitions that are here.
func (c *cluster) Call(ctx context.Context, _ uint64, method byte, body []byte) ([]byte, error) {
	if !c.ready.Load() {
		return nil, &command.Rejected{Cause: errStarting}
	}
	switch method {
	case methodNodeReport:
		report := c.report()
		return rebalance.AppendReport(nil, &report)
	case methodAskCluster:
		return c.answerOther(ctx, body)
	case methodConsumed:
		return c.consumed(body)
	case methodShare:
		return c.shared(body)
	case methodRecall:
		return c.recalled(body)
	}
	return c.node.router.Serve(ctx, method, body)
}

// answerOther answers an operator's question that came to another node.
func (c *cluster) answerOther(ctx context.Context, body []byte) ([]byte, error) {
	var question rebalance.Question
	if err := json.Unmarshal(body, &question); err != nil {
		return nil, &command.Rejected{Cause: err}
	}
	if !c.node.leadsCatalog() {
		return nil, &command.NotLeader{}
	}
	answer, err := c.answer(ctx, question)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

// Join gives a node its place in the cluster. One that has its place is told what it needs to find the others.
func (c *cluster) Join(ctx context.Context, body []byte) ([]byte, error) {
	if !c.ready.Load() {
		return nil, fmt.Errorf("%w: %w", rpc.ErrBusy, errStarting)
	}
	var request joinRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, errors.New("a request to join that cannot be read")
	}
	if err := c.readable(request.Format); err != nil {
		return nil, err
	}
	if request.Node == 0 {
		id, err := c.admit(ctx, request)
		if err != nil {
			return nil, err
		}
		request.Node = id
	}
	answer := joinAnswer{Cluster: c.node.engine.Ident().Cluster, Node: request.Node, Nodes: c.nodes(), Format: c.inForce()}
	for _, m := range c.system() {
		answer.Members = append(answer.Members, m.Node)
	}
	return json.Marshal(answer)
}

// admit enters a new node. Its id is never given again, even if the node never comes.
func (c *cluster) admit(ctx context.Context, request joinRequest) (id uint64, err error) {
	catalogue := c.node.catalog
	if id, err = catalogue.Reserve(ctx, 1); err != nil {
		return 0, fmt.Errorf("%w: %w", rpc.ErrBusy, err)
	}
	err = catalogue.UpdateNode(ctx, id, func(n catalog.Node) (catalog.Node, error) {
		n.RPC, n.HTTP, n.Zone, n.Format, n.State = request.RPC, request.HTTP, request.Zone, request.Format, catalog.Joining
		return n, nil
	})
	if err != nil {
		return 0, fmt.Errorf("%w: %w", rpc.ErrBusy, err)
	}
	return id, nil
}

// nodes are those that the catalog knows and that are not gone.
func (c *cluster) nodes() []rosterNode {
	var list []rosterNode
	for _, n := range c.node.catalog.Nodes() {
		if n.State != catalog.Gone {
			list = append(list, rosterNode{ID: n.ID, RPC: n.RPC})
		}
	}
	return list
}
