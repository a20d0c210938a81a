package rebalance

import (
	"context"
	"errors"
	"fmt"

	"stator/internal/cluster/catalog"
)

// Verb is what an operator wants.
type Verb string

// The verbs.
const (
	VerbStatus       Verb = "status"
	VerbPartitions   Verb = "partitions"
	VerbMove         Verb = "move"
	VerbTransfer     Verb = "transfer"
	VerbDecommission Verb = "decommission"
	VerbRecommission Verb = "recommission"
	VerbSet          Verb = "set"
	VerbUpgrade      Verb = "upgrade"
)

// Question is an operator's, to whichever node. The one that leads partition 1 answers it.
type Question struct {
	Verb Verb `json:"verb"`
	// Table is for partitions: "" is all tables.
	Table string `json:"table,omitempty"`
	// Partition, From and To are for move and transfer, Node for decommission and recommission.
	Partition uint64 `json:"partition,omitempty"`
	From      uint64 `json:"from,omitempty"`
	To        uint64 `json:"to,omitempty"`
	Node      uint64 `json:"node,omitempty"`
	// Replicas and ReplaceAfterSeconds are for set; 0 leaves what is.
	Replicas            uint64 `json:"replicas,omitempty"`
	ReplaceAfterSeconds uint64 `json:"replace_after_seconds,omitempty"`
}

// Answer is what comes of a question. One of its parts is set.
type Answer struct {
	// Alone tells that the node is of no cluster.
	Alone bool `json:"alone,omitempty"`
	// Refused is why what was asked for cannot be.
	Refused    string      `json:"refused,omitempty"`
	Overview   *Overview   `json:"overview,omitempty"`
	Partitions []Partition `json:"partitions,omitempty"`
	// Text says what was begun.
	Text string `json:"text,omitempty"`
}

// Answer answers an operator, where partition 1 is led. An error is one of the cluster, not of the operator.
func (j *Job) Answer(ctx context.Context, q Question) (Answer, error) {
	a, err := j.answer(ctx, q)
	if refused, ok := errors.AsType[*Refused](err); ok {
		return Answer{Refused: refused.Why}, nil
	}
	return a, err
}

func (j *Job) answer(ctx context.Context, q Question) (Answer, error) {
	switch q.Verb {
	case VerbStatus:
		o, ok := j.Overview()
		if !ok {
			return Answer{}, errNoSight
		}
		return Answer{Overview: &o}, nil
	case VerbPartitions:
		list, ok := j.Partitions(q.Table)
		if !ok {
			return Answer{}, errNoSight
		}
		if _, there := j.Catalog.Entry(q.Table); !there && len(list) == 0 {
			return Answer{}, refuse("there is no table %s", q.Table)
		}
		return Answer{Partitions: list}, nil
	case VerbMove:
		err := j.Move(ctx, catalog.Move{Partition: q.Partition, From: q.From, To: q.To})
		return Answer{Text: fmt.Sprintf("partition %d moves from node %d to node %d: 'stator cluster status' shows how far it is", q.Partition, q.From, q.To)}, err
	case VerbTransfer:
		err := j.Transfer(ctx, q.Partition, q.To)
		return Answer{Text: fmt.Sprintf("node %d was told to lead partition %d", q.To, q.Partition)}, err
	case VerbDecommission:
		return j.leave(ctx, q.Node)
	case VerbRecommission:
		return j.stay(ctx, q.Node)
	case VerbSet:
		return j.set(ctx, q)
	case VerbUpgrade:
		return j.upgrade(ctx)
	}
	return Answer{}, refuse("there is no verb %q", q.Verb)
}

// leave has a node give away all it has.
func (j *Job) leave(ctx context.Context, node uint64) (Answer, error) {
	n, ok := j.Catalog.Node(node)
	staying := j.staying(node)
	switch {
	case !ok:
		return Answer{}, refuse("there is no node %d: see 'stator cluster nodes'", node)
	case n.State == catalog.Gone:
		return Answer{}, refuse("node %d is gone already", node)
	case staying == 0:
		return Answer{}, refuse("node %d is the only one that is up: nobody could take what it has", node)
	}
	err := j.Catalog.UpdateNode(ctx, node, func(now catalog.Node) (catalog.Node, error) {
		if now.State != catalog.Gone {
			now.State = catalog.Leaving
		}
		return now, nil
	})
	if err != nil {
		return Answer{}, fmt.Errorf("decommissioning node %d: %w", node, err)
	}
	text := fmt.Sprintf("node %d is leaving: stop it once 'stator cluster nodes' says that it is gone", node)
	if cluster, ok := j.Catalog.Cluster(); ok && staying < cluster.Replicas {
		text += fmt.Sprintf(". Everything has %d replicas and %d nodes stay: what has one on each of them keeps its replica on node %d until another node joins",
			cluster.Replicas, staying, node)
	}
	return Answer{Text: text}, nil
}

// staying counts the nodes that replicas may stay on, but for one.
func (j *Job) staying(but uint64) (n int) {
	for _, other := range j.Catalog.Nodes() {
		if other.ID != but && other.State == catalog.Up {
			n++
		}
	}
	return n
}

// stay takes that back.
func (j *Job) stay(ctx context.Context, node uint64) (Answer, error) {
	if n, ok := j.Catalog.Node(node); !ok || n.State != catalog.Leaving {
		return Answer{}, refuse("node %d is not leaving", node)
	}
	err := j.Catalog.UpdateNode(ctx, node, func(now catalog.Node) (catalog.Node, error) {
		if now.State == catalog.Gone {
			return now, refuse("node %d is gone by now: start it with an empty directory, as a new node", node)
		}
		now.State = catalog.Up
		return now, nil
	})
	if err != nil {
		return Answer{}, err
	}
	return Answer{Text: fmt.Sprintf("node %d stays", node)}, nil
}

// What may be set: an even number of replicas survives no more losses than one fewer, and a node that restarts must not be
// given up meanwhile.
const (
	replicasMax            = 7
	replaceAfterSecondsMin = 30
	replaceAfterSecondsMax = 30 * 24 * 3600
)

// set changes what the layout shall be like.
func (j *Job) set(ctx context.Context, q Question) (Answer, error) {
	switch {
	case q.Replicas == 0 && q.ReplaceAfterSeconds == 0:
		return Answer{}, refuse("what is to be set? Give --replicas N, or --replace-after TIME, the silence after which a node is replaced")
	case q.Replicas > replicasMax || q.Replicas != 0 && q.Replicas%2 == 0:
		return Answer{}, refuse("the number of replicas is 1, 3, 5 or 7: an even one survives no more losses than one fewer")
	case q.ReplaceAfterSeconds != 0 && (q.ReplaceAfterSeconds < replaceAfterSecondsMin || q.ReplaceAfterSeconds > replaceAfterSecondsMax):
		return Answer{}, refuse("a node is replaced after a silence of %d seconds at least, 30 days at most", replaceAfterSecondsMin)
	}
	var now catalog.Cluster
	err := j.Catalog.UpdateCluster(ctx, func(c catalog.Cluster) (catalog.Cluster, error) {
		if q.Replicas != 0 {
			c.Replicas = int(q.Replicas)
		}
		if q.ReplaceAfterSeconds != 0 {
			c.ReplaceAfterSeconds = int(q.ReplaceAfterSeconds)
		}
		now = c
		return c, nil
	})
	if err != nil {
		return Answer{}, fmt.Errorf("setting what the cluster shall be like: %w", err)
	}
	rules := ruled(j.Rules, &now)
	text := fmt.Sprintf("everything shall have %d replicas, and a node that is silent for %v is replaced", rules.Replicas, rules.DeadAfter)
	if staying := j.staying(0); staying < rules.Replicas {
		text += fmt.Sprintf(". There are %d nodes: what has a replica on each of them waits for others to join", staying)
	}
	return Answer{Text: text}, nil
}
