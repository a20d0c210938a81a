package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"stator/internal/jobs/rebalance"
)

// clusterServer is the node that is asked: any node of the cluster will do.
type clusterServer struct {
	JSON bool `name:"json" help:"Answer in JSON."`

	Server adminFlags `embed:""`
}

// aloneText is the answer of a node that is of no cluster.
const aloneText = "this node is alone, it is of no cluster. To make one of it, start it with --rpc ADDR --cluster-init"

// A look is made again while nobody leads the catalog, as after the death of the node that did.
const (
	looksMax  = 12
	lookPause = 500 * time.Millisecond
)

// errNotNow is the answer of a cluster that may give another one in a moment.
type errNotNow struct{ text string }

func (e *errNotNow) Error() string { return "the server cannot tell: " + e.text }

// look asks for what any node knows. A node that is alone is no mistake: the answer says so and nil is returned.
func (c *clusterServer) look(s streams, verb rebalance.Verb, query url.Values) (*rebalance.Answer, error) {
	answer, text, err := c.question(http.MethodGet, verb, query)
	for tries := 1; tries < looksMax; tries++ {
		if _, again := errors.AsType[*errNotNow](err); !again {
			break
		}
		time.Sleep(lookPause)
		answer, text, err = c.question(http.MethodGet, verb, query)
	}
	switch {
	case err != nil:
		return nil, err
	case c.JSON:
		_, err = s.Out.Write(text)
		return nil, err
	case answer.Alone:
		fmt.Fprintln(s.Out, aloneText)
		return nil, nil
	}
	return answer, nil
}

// do asks for something to be done, and says what was begun.
func (c *clusterServer) do(s streams, verb rebalance.Verb, query url.Values) error {
	answer, text, err := c.question(http.MethodPost, verb, query)
	switch {
	case err != nil:
		return err
	case answer.Alone:
		return errors.New(aloneText)
	case c.JSON:
		_, err = s.Out.Write(text)
		return err
	}
	fmt.Fprintln(s.Out, answer.Text)
	return nil
}

// question sends one, and returns the answer as it is and as it was sent. A refusal is an error.
func (c *clusterServer) question(method string, verb rebalance.Verb, query url.Values) (*rebalance.Answer, []byte, error) {
	text, code, err := c.Server.exchange(method, "/cluster/"+string(verb), query)
	if err != nil {
		return nil, nil, err
	}
	switch code {
	case http.StatusOK, http.StatusConflict:
	case http.StatusServiceUnavailable:
		return nil, nil, &errNotNow{strings.TrimSpace(string(text))}
	case http.StatusNotFound:
		return nil, nil, errors.New("the server is of a release that knows no clusters")
	default:
		return nil, nil, fmt.Errorf("the server refused: %s", strings.TrimSpace(string(text)))
	}
	var answer rebalance.Answer
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, nil, fmt.Errorf("the server's answer cannot be read: %w", err)
	}
	if answer.Refused != "" {
		return nil, nil, errors.New(answer.Refused)
	}
	return &answer, text, nil
}

func numberOf(n uint64) string { return strconv.FormatUint(n, 10) }

type clusterMoveCommand struct {
	Partition uint64 `arg:"" help:"Which partition, by the number that 'stator cluster partitions' shows."`
	From      uint64 `required:"" placeholder:"NODE" help:"The node that has the replica."`
	To        uint64 `required:"" placeholder:"NODE" help:"The node that shall have it."`

	clusterServer `embed:""`
}

// Help shows an example.
func (clusterMoveCommand) Help() string {
	return `The replica is made on the new node, catches up, and takes the old one's place in one step: the partition has all its
replicas at every moment. The command comes back at once, and 'stator cluster status' shows how far it is. It is let go of
if NODE leaves before it takes the replica. The cluster may move it on later, if its nodes are uneven.

Example:

    stator cluster move 102 --from 1 --to 4`
}

// Run asks for the move.
func (c *clusterMoveCommand) Run(s streams) error {
	return c.do(s, rebalance.VerbMove, url.Values{
		"partition": {numberOf(c.Partition)}, "from": {numberOf(c.From)}, "to": {numberOf(c.To)},
	})
}

type clusterTransferCommand struct {
	Partition uint64 `arg:"" help:"Which partition, by the number that 'stator cluster partitions' shows."`
	To        uint64 `required:"" placeholder:"NODE" help:"The node that shall lead it: one that has a replica."`

	clusterServer `embed:""`
}

// Help shows an example.
func (clusterTransferCommand) Help() string {
	return `Example:

    stator cluster transfer 102 --to 2`
}

// Run asks for the transfer.
func (c *clusterTransferCommand) Run(s streams) error {
	return c.do(s, rebalance.VerbTransfer, url.Values{"partition": {numberOf(c.Partition)}, "to": {numberOf(c.To)}})
}

type clusterDecommissionCommand struct {
	Node   uint64 `arg:"" help:"Which node, by the number that 'stator cluster nodes' shows."`
	Cancel bool   `help:"Let the node stay after all."`

	clusterServer `embed:""`
}

// Help shows an example.
func (clusterDecommissionCommand) Help() string {
	return `The node hands over what it leads, and its replicas are made anew on others. Once 'stator cluster nodes' says that it is
gone it can be stopped; it never comes back under this number. A node that died is decommissioned in the same way, so
that nobody waits for it any longer.

Example:

    stator cluster decommission 3`
}

// Run asks for it.
func (c *clusterDecommissionCommand) Run(s streams) error {
	verb := rebalance.VerbDecommission
	if c.Cancel {
		verb = rebalance.VerbRecommission
	}
	return c.do(s, verb, url.Values{"node": {numberOf(c.Node)}})
}

// clusterSetCommand takes no variables: STATOR_REPLICAS is what a new cluster begins with, not what this one shall have by now.
type clusterSetCommand struct {
	Replicas     uint64        `env:"-" placeholder:"N" help:"How many replicas everything shall have: 1, 3, 5 or 7."`
	ReplaceAfter time.Duration `env:"-" placeholder:"TIME" help:"How long a node may be silent before its replicas are made anew on others, like 10m."`

	clusterServer `embed:""`
}

// Help shows an example.
func (clusterSetCommand) Help() string {
	return `Replicas are made or removed one after the other from then on. There are never more of a partition than nodes.

Example:

    stator cluster set --replicas 5
    stator cluster set --replace-after 10m`
}

// Run asks for it.
func (c *clusterSetCommand) Run(s streams) error {
	query := url.Values{}
	if c.Replicas != 0 {
		query.Set("replicas", numberOf(c.Replicas))
	}
	if c.ReplaceAfter != 0 {
		query.Set("replace_after_seconds", numberOf(uint64(max(c.ReplaceAfter, time.Second)/time.Second)))
	}
	return c.do(s, rebalance.VerbSet, query)
}

type clusterUpgradeCommand struct {
	clusterServer `embed:""`
}

// Help shows an example.
func (clusterUpgradeCommand) Help() string {
	return `Nodes of a newer release go on writing the format of the one before until this is said, so that any of them can be put
back to it. Say it once all nodes run the newer release and you are content with it: there is no way back. It is refused
while a node is silent. 'stator cluster status' shows whether there is a newer format.

Example:

    stator cluster upgrade`
}

// Run asks for it.
func (c *clusterUpgradeCommand) Run(s streams) error { return c.do(s, rebalance.VerbUpgrade, nil) }
