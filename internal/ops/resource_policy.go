package ops

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/policy"
	"stator/internal/model/table"
)

// The service lets one change of a policy follow another only after 15 seconds, and shows it some seconds late (semantics
// §17.6). Here a change is there when it is answered, and nobody waits.

// noPolicy is the ExpectedRevisionId of who expects that there is no policy.
const noPolicy = "NO_POLICY"

// policiesMax bounds the policies of a table and its streams: they stand in the table's description.
const policiesMax = 8

// PutResourcePolicy attaches a policy to a table or a stream, or replaces it. The one that is there stays under its revision.
// Whether the caller locks itself out (ConfirmRemoveSelfResourceAccess) is for the doors to ask, who know the caller.
func (o *Ops) PutResourcePolicy(ctx context.Context, in *api.PutResourcePolicyInput) (*api.PutResourcePolicyOutput, error) {
	at, err := o.policyPlace(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	text, err := keptPolicy(at.kind(), *in.Policy)
	if err != nil {
		return nil, err
	}
	t, err := o.changeTable(ctx, at.table, func(t *table.Table) (*table.Table, error) {
		if err := at.checkChange(t, in.ExpectedRevisionId); err != nil {
			return nil, err
		}
		if p, _ := t.Policy(at.label); p.Text == text {
			return t, nil
		}
		changed := withoutStalePolicies(t.WithPolicy(at.label, text, o.now().UnixMilli()))
		if len(changed.Policies) > policiesMax {
			return nil, api.NewLimitExceededException(fmt.Sprintf("A table and its streams have %d resource-based policies at most", policiesMax))
		}
		return changed, nil
	})
	if err != nil {
		return nil, err
	}
	p, _ := t.Policy(at.label)
	return &api.PutResourcePolicyOutput{RevisionId: ref(p.Revision())}, nil
}

// GetResourcePolicy shows a policy in the form in which it is kept.
func (o *Ops) GetResourcePolicy(ctx context.Context, in *api.GetResourcePolicyInput) (*api.GetResourcePolicyOutput, error) {
	at, err := o.policyPlace(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	t, err := o.current(ctx, at.table)
	if err != nil {
		return nil, err
	}
	if err := at.checkStream(t); err != nil {
		return nil, err
	}
	p, _ := t.Policy(at.label)
	if p.Text == "" {
		return nil, policyMissing(*in.ResourceArn)
	}
	return &api.GetResourcePolicyOutput{Policy: &p.Text, RevisionId: ref(p.Revision())}, nil
}

// DeleteResourcePolicy takes a policy away. It answers with the revision that was deleted; when there was none any more, with
// that of the deletion.
func (o *Ops) DeleteResourcePolicy(ctx context.Context, in *api.DeleteResourcePolicyInput) (*api.DeleteResourcePolicyOutput, error) {
	at, err := o.policyPlace(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &api.DeleteResourcePolicyOutput{}
	_, err = o.changeTable(ctx, at.table, func(t *table.Table) (*table.Table, error) {
		if err := at.checkChange(t, in.ExpectedRevisionId); err != nil {
			return nil, err
		}
		p, had := t.Policy(at.label)
		if had {
			out.RevisionId = ref(p.Revision())
		}
		if p.Text == "" {
			return t, nil
		}
		return withoutStalePolicies(t.WithPolicy(at.label, "", o.now().UnixMilli())), nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// policyPlace is where a policy is attached.
type policyPlace struct {
	table string
	label string // of the stream; "" for the table itself
}

func (p policyPlace) kind() policy.Kind {
	if p.label != "" {
		return policy.OfStream
	}
	return policy.OfTable
}

// policyPlace takes a ResourceArn apart. An index has no policy of its own: its table's speaks of it.
func (o *Ops) policyPlace(arn string) (policyPlace, error) {
	if !strings.HasPrefix(arn, "arn:") {
		return policyPlace{}, invalidValue("ARNs must start with 'arn:': " + arn)
	}
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[2] != "dynamodb" {
		return policyPlace{}, invalidValue("Provided Arn is not a DynamoDB resource arn: " + arn)
	}
	path := strings.Split(parts[5], "/")
	belongs := ""
	if len(path) == 4 {
		belongs = path[2]
	}
	switch {
	case path[0] == "table" && belongs == "index":
		return policyPlace{}, invalidValue("Invalid resource arn provided, only table or stream is accepted. Provided resource arn: " + arn)
	case path[0] != "table" || len(path) != 2 && belongs != "stream":
		return policyPlace{}, invalidValue("Provided Arn is not a DynamoDB resource arn: " + arn)
	case parts[1] != "aws" || parts[3] != o.account.Region:
		return policyPlace{}, invalidValue("Invalid resource Arn: " + arn)
	case parts[4] != o.account.Number:
		return policyPlace{}, api.NewValidationException("This action is only supported by accounts that match the resource owner’s account.")
	case belongs == "stream":
		return policyPlace{table: path[1], label: path[3]}, nil
	}
	return policyPlace{table: path[1]}, nil
}

// checkChange refuses to change the policy of what is not there, or another policy than the caller thinks it is.
func (p policyPlace) checkChange(t *table.Table, expected *string) error {
	switch t.State {
	case table.Creating:
		return nameMissing(t.Name)
	case table.Deleting:
		return tableBusy(t)
	}
	if err := p.checkStream(t); err != nil || expected == nil {
		return err
	}
	const refused = "Resource-based policy not found for the provided ResourceArn: "
	present, had := t.Policy(p.label)
	switch {
	case *expected == noPolicy && present.Text == "":
		return nil
	case *expected == noPolicy:
		return api.NewPolicyNotFoundException(refused + "Requested policy update expecting none to be present for table " + t.Name +
			", but a policy exists with revision id " + present.Revision() + ".")
	case !had:
		return api.NewPolicyNotFoundException(refused + "Requested update for policy with revision id " + *expected +
			", but table " + t.Name + " has no associated policy.")
	case *expected != present.Revision() || present.Text == "":
		return api.NewPolicyNotFoundException(refused + "Requested update for policy with revision id " + *expected +
			", but the policy associated to target table " + t.Name + " has revision id " + present.Revision() + ".")
	}
	return nil
}

// checkStream refuses a stream that the table does not have.
func (p policyPlace) checkStream(t *table.Table) error {
	if p.label == "" || hasStream(t, p.label) {
		return nil
	}
	return api.NewResourceNotFoundException("Requested resource not found: Stream: " + p.label + " not found for Table: " + t.Name)
}

// withoutStalePolicies is t without the policies of streams that are gone.
func withoutStalePolicies(t *table.Table) *table.Table {
	for label := range t.Policies {
		if label != "" && !hasStream(t, label) {
			delete(t.Policies, label) // t is the caller's own clone
		}
	}
	return t
}

// hasStream tells whether a stream of the table can be read.
func hasStream(t *table.Table, label string) bool {
	_, ok := t.StreamByLabel(label)
	return ok
}

func policyMissing(arn string) error {
	return api.NewPolicyNotFoundException("Resource-based policy not found for the provided ResourceArn: " + arn)
}

// keptPolicy checks a policy and gives it the form in which it is kept.
func keptPolicy(kind policy.Kind, text string) (string, error) {
	document, err := policy.Parse(kind, []byte(text))
	if refused, ok := errors.AsType[*policy.Error](err); ok {
		return "", api.NewValidationException(refused.Text)
	}
	if err != nil {
		return "", fmt.Errorf("reading a policy: %w", err)
	}
	return string(document.Canonical()), nil
}
