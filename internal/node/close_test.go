package node_test

import (
	"testing"

	"stator/internal/node"
)

// What a job writes as the node ends is made durable: it may be what nobody can give up any more, such as a reserved split.
func TestWorkEndsBeforeCore(t *testing.T) {
	n, err := node.Open(t.Context(), node.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	wrote := n.Behindhand()
	closed(t, n)
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}
