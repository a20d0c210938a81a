package node

// ExpiryWhole tells whether no partition rebuilds its index of expiry.
func (n *Node) ExpiryWhole() bool {
	for _, r := range n.host.all() {
		if r.State().Expiry != nil {
			return false
		}
	}
	return true
}
