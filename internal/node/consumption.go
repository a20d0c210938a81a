package node

import (
	"context"
	"encoding/json"
	"fmt"

	"stator/internal/cluster/budget"
	"stator/internal/partition/command"
)

// span is a question of another node for the books here: the minutes [From, To).
type span struct{ From, To int64 }

// Consumption is what the requests to all living nodes consumed in the minutes [from, to) since the epoch.
func (n *Node) Consumption(ctx context.Context, from, to int64) (map[int64]budget.Minute, error) {
	sum, silent, err := n.consumption(ctx, from, to)
	if err == nil {
		err = unanswered(silent)
	}
	if err != nil {
		return nil, fmt.Errorf("what was consumed: %w", err)
	}
	return sum, nil
}

// consumption is what those consumed that answered.
func (n *Node) consumption(ctx context.Context, from, to int64) (sum map[int64]budget.Minute, silent []silence, err error) {
	if sum, err = n.Consumed(from, to); err != nil {
		return nil, nil, err
	}
	silent = askAll(ctx, n.cluster, question{methodConsumed, span{from, to}}, func(node uint64, answer map[int64][]byte) error {
		if err := addAll(sum, answer); err != nil {
			return fmt.Errorf("what node %d answered: %w", node, err)
		}
		return nil
	})
	return sum, silent, nil
}

// consumed answers another node.
func (c *cluster) consumed(body []byte) ([]byte, error) {
	var q span
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, &command.Rejected{Cause: err}
	}
	minutes, err := c.node.Consumed(q.From, q.To)
	if err != nil {
		return nil, err
	}
	bytes := make(map[int64][]byte, len(minutes))
	for at, m := range minutes {
		bytes[at] = m.Append(nil)
	}
	return json.Marshal(bytes)
}

// addAll adds what another node answered.
func addAll(sum map[int64]budget.Minute, answer map[int64][]byte) error {
	for at, b := range answer {
		m, err := budget.ParseMinute(b)
		if err != nil {
			return err
		}
		if sum[at] == nil {
			sum[at] = budget.Minute{}
		}
		sum[at].Add(m)
	}
	return nil
}

// warm looks for new peaks, where the catalog is led.
func (n *Node) warm(ctx context.Context) error {
	if !n.leadsCatalog() {
		return nil
	}
	return n.jobs.warm.Step(ctx)
}
