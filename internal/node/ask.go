package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"stator/internal/cluster/insight"
)

// answerMax is how long one node may take to answer another's question about itself.
const answerMax = 5 * time.Second

// question is what one node asks another about itself. Its words are JSON: such questions are few.
type question struct {
	method byte
	words  any
}

func (c *cluster) ask(ctx context.Context, node uint64, q question, answer any) error {
	body, err := json.Marshal(q.words)
	if err == nil {
		body, err = c.peers.Call(ctx, node, q.method, body)
	}
	if err == nil {
		err = json.Unmarshal(body, answer)
	}
	if err != nil {
		return fmt.Errorf("asking node %d: %w", node, err)
	}
	return nil
}

// silence is a node that did not answer.
type silence struct {
	node  uint64
	cause error
}

var errUnheard = errors.New("it has not been heard of lately")

// askAll asks all the other nodes that live, of which one that is alone has none, has their answers taken, and tells which nodes gave none.
func askAll[A any](ctx context.Context, c *cluster, q question, take func(node uint64, answer A) error) (silent []silence) {
	if c == nil {
		return nil
	}
	one := func(node uint64) error {
		ctx, end := c.node.options.Within(ctx, answerMax)
		defer end()
		var answer A
		if err := c.ask(ctx, node, q, &answer); err != nil {
			return err
		}
		return take(node, answer)
	}
	for _, other := range c.nodes() {
		if other.ID == c.self {
			continue
		}
		err := errUnheard
		if c.alive(other.ID) {
			err = one(other.ID)
		}
		if err != nil {
			silent = append(silent, silence{other.ID, err})
		}
	}
	return silent
}

// unanswered is why not all nodes that live have answered: for whoever would draw wrong conclusions without one.
func unanswered(silent []silence) error {
	for _, s := range silent {
		if !errors.Is(s.cause, errUnheard) {
			return s.cause
		}
	}
	return nil
}

// missing names the nodes of which an answer tells nothing.
func missing(silent []silence) (named []insight.Missing) {
	for _, s := range silent {
		named = append(named, insight.Missing{Node: s.node, Cause: s.cause.Error()})
	}
	return named
}
