// Package iam decides whether a caller may do what it asks for, by the policies of the caller and of the resource. It does
// not know how a caller proved who it is, nor what an operation does.
package iam

import (
	"errors"
	"fmt"
	"net"

	"stator/internal/base/clock"
	"stator/internal/edge/sigv4"
	"stator/internal/model/api"
	"stator/internal/model/policy"
	"stator/internal/model/table"
)

// Tables is what the guard asks of the catalog.
type Tables interface {
	// Table finds a table in any state by its name.
	Table(name string) (*table.Table, bool)
}

// Options are a guard's surroundings. All but Required must be set.
type Options struct {
	Tables          Tables
	Region, Account string
	Clock           clock.Clock
	// Required: a caller without a policy may do nothing, rather than everything.
	Required bool
}

// Guard asks the policies. It is safe for concurrent use.
type Guard struct {
	Options
	documents documents
}

// New returns a guard.
func New(o Options) *Guard { return &Guard{Options: o} }

// Request is what a caller asks for.
type Request struct {
	// Caller is nil when nobody knows who it is.
	Caller *sigv4.Caller
	// Action is the operation's, with its service: dynamodb:Query. What is needed may be another one.
	Action string
	Input  api.Input
	Remote net.Addr // where the request came from, nil when it came over no network
	Secure bool     // whether it came over TLS
}

// Authorize returns nil if the caller may, an AccessDeniedException if not. A caller that no policy binds may do anything.
// Of a batch of statements the caller may have some done: the others are marked in the input, and the operation skips them.
func (g *Guard) Authorize(r Request) error {
	if r.Caller == nil {
		r.Caller = &sigv4.Caller{}
	}
	if r.Caller.Policy == nil && !g.Required {
		return nil
	}
	needs, err := g.needs(&r)
	if err != nil {
		return err
	}
	for i := range needs {
		n := &needs[i]
		err := g.check(&r, n)
		if refused, ok := errors.AsType[*api.Error](err); ok && n.denied != nil {
			*n.denied = refused
		} else if err != nil {
			return err
		}
	}
	return g.checkLockout(&r)
}

// check judges one thing that the request needs.
func (g *Guard) check(r *Request, n *need) error {
	resource, err := g.resourcePolicy(n)
	if err != nil {
		return err
	}
	switch g.judge(r, n, resource) {
	case policy.Granted:
		return nil
	case policy.DeniedByIdentity:
		return g.denied(r, n, " with an explicit deny in an identity-based policy")
	case policy.DeniedByResource:
		return g.denied(r, n, " with an explicit deny in a resource-based policy")
	default:
		return g.denied(r, n, " because no identity-based policy allows the "+n.action+" action")
	}
}

func (g *Guard) judge(r *Request, n *need, resource *policy.Document) policy.Verdict {
	return policy.Judge(r.Caller.Policy, resource, &policy.Request{
		Action: n.action, Resource: n.resource, Facts: &facts{guard: g, request: r, need: n},
	})
}

// denied words the refusal as IAM does (errors.json access-denied).
func (g *Guard) denied(r *Request, n *need, why string) error {
	return api.NewAccessDeniedException("User: " + g.callerARN(r.Caller) + " is not authorized to perform: " + n.action +
		" on resource: " + n.resource + why)
}

func (g *Guard) callerARN(c *sigv4.Caller) string {
	return "arn:aws:iam::" + g.Account + ":user/" + c.Name
}

// resourcePolicy is the policy of what is needed, nil when it has none. An index is its table's matter.
func (g *Guard) resourcePolicy(n *need) (*policy.Document, error) {
	if n.table == nil {
		return nil, nil
	}
	kept, _ := n.table.Policy(n.stream)
	if kept.Text == "" {
		return nil, nil
	}
	kind := policy.OfTable
	if n.stream != "" {
		kind = policy.OfStream
	}
	document, err := g.documents.get(kind, kept.Text)
	if err != nil {
		// Whatever the policy says, it is not followed: nobody gets past it.
		return nil, fmt.Errorf("reading the policy of %s: %w", n.resource, err)
	}
	return document, nil
}

// checkLockout refuses a policy under which the caller could not change the policy again, unless that is what it wants.
func (g *Guard) checkLockout(r *Request) error {
	in, ok := r.Input.(*api.PutResourcePolicyInput)
	if !ok || in.ConfirmRemoveSelfResourceAccess != nil && *in.ConfirmRemoveSelfResourceAccess {
		return nil
	}
	n := g.onResource(r.Action, *in.ResourceArn)
	kind := policy.OfTable
	if n.stream != "" {
		kind = policy.OfStream
	}
	wanted, err := policy.Parse(kind, []byte(*in.Policy))
	if err != nil {
		return nil //nolint:nilerr // the operation says what is wrong with it
	}
	if g.judge(r, &n, wanted) != policy.Granted {
		return api.NewAccessDeniedException("The new resource policy will not allow you to update the resource policy in the future.")
	}
	return nil
}
