package node

import "context"

// ExpiryWhole tells whether no partition rebuilds its index of expiry.
func (n *Node) ExpiryWhole() bool {
	for _, r := range n.host.all() {
		if r.State().Expiry != nil {
			return false
		}
	}
	return true
}

// Trim makes a step of the job that otherwise comes every trimEvery: a test is over before.
func (n *Node) Trim(ctx context.Context) error { return n.jobs.trim.Step(ctx) }

// Copies counts the replicas that are here.
func (n *Node) Copies() int { return len(n.host.all()) }
