package httpapi

import "testing"

// Nodes are listed by their hosts, with ports only where they differ.
func TestNodesAreListed(t *testing.T) {
	for _, step := range []struct {
		addresses []string
		want      string
	}{
		{nil, `[]`},
		{[]string{"10.0.0.1:8000"}, `["10.0.0.1"]`},
		{[]string{"10.0.0.1:8000", "[::1]:8000"}, `["10.0.0.1","::1"]`},
		{[]string{"127.0.0.1:8000", "127.0.0.1:8010"}, `["127.0.0.1:8000","127.0.0.1:8010"]`},
		{[]string{"10.0.0.1:8000", "somewhere"}, `["10.0.0.1:8000","somewhere"]`},
	} {
		if got := string(appendNodes(nil, step.addresses)); got != step.want {
			t.Errorf("%v are listed as %s, want %s", step.addresses, got, step.want)
		}
	}
	for target, want := range map[string]bool{"/localnodes": true, "/localnodes?dc=a": true, "/": false, "/localnodes/x": false, "": false} {
		if got := pathOf(target) == localNodesPath; got != want {
			t.Errorf("%q names the list: %t", target, got)
		}
	}
}
