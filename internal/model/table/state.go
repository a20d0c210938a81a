package table

import "fmt"

// State is a table's place in its life: Creating → Active ⇄ Updating → Deleting → gone (semantics §17.1).
type State byte

// The states of a table; zero is no state.
const (
	Creating State = iota + 1
	Active
	Updating
	Deleting
)

var stateNames = []string{"", "CREATING", "ACTIVE", "UPDATING", "DELETING"}

// String is the API's TableStatus.
func (s State) String() string { return nameOf(stateNames, byte(s)) }

// MarshalText writes the API's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *State) UnmarshalText(b []byte) error { return byName(stateNames, b, (*byte)(s)) }

// IndexStatus is an index's place in its life: Creating → Active ⇄ Updating → Deleting → gone.
type IndexStatus byte

// The states of an index; zero is no state.
const (
	IndexCreating IndexStatus = iota + 1
	IndexActive
	IndexUpdating
	IndexDeleting
)

// String is the API's IndexStatus.
func (s IndexStatus) String() string { return nameOf(stateNames, byte(s)) }

// MarshalText writes the API's name.
func (s IndexStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *IndexStatus) UnmarshalText(b []byte) error { return byName(stateNames, b, (*byte)(s)) }

// ProjectionKind says which attributes of an item an index holds.
type ProjectionKind byte

// The projections; zero is no projection.
const (
	KeysOnly ProjectionKind = iota + 1
	Include
	All
)

var projectionNames = []string{"", "KEYS_ONLY", "INCLUDE", "ALL"}

// String is the API's ProjectionType.
func (k ProjectionKind) String() string { return nameOf(projectionNames, byte(k)) }

// MarshalText writes the API's name.
func (k ProjectionKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *ProjectionKind) UnmarshalText(b []byte) error {
	return byName(projectionNames, b, (*byte)(k))
}

// Billing is a table's billing mode.
type Billing byte

// The billing modes; zero is no mode.
const (
	Provisioned Billing = iota + 1
	OnDemandBilling
)

var billingNames = []string{"", "PROVISIONED", "PAY_PER_REQUEST"}

// String is the API's BillingMode.
func (b Billing) String() string { return nameOf(billingNames, byte(b)) }

// MarshalText writes the API's name.
func (b Billing) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (b *Billing) UnmarshalText(text []byte) error { return byName(billingNames, text, (*byte)(b)) }

// nameOf is the name at n, or "" for a value that has none.
func nameOf(names []string, n byte) string {
	if int(n) < len(names) {
		return names[n]
	}
	return ""
}

// byName sets n to the place of text among names. The empty name stands for zero, so that a value never set survives a round trip.
func byName(names []string, text []byte, n *byte) error {
	for i, name := range names {
		if name == string(text) {
			*n = byte(i)
			return nil
		}
	}
	return fmt.Errorf("unknown name %q, want one of %q", text, names[1:])
}
