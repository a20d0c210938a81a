package ops

import (
	"slices"
	"strings"

	"stator/internal/model/api"
	"stator/internal/model/expr"
	"stator/internal/model/table"
	"stator/internal/partition/command"
)

// selection is what a Query or Scan shows of the items that match.
type selection struct {
	kind       string // Select, "" when absent
	projection *expr.Projection
}

// checkSelect refuses a Select that does not go with the projection, or lack of one, beside it. projection names the parameter that gives
// one, "" for none. Query always wraps these refusals, Scan never does (semantics §0(a)).
func (v voice) checkSelect(kind, projection string, index *string) error {
	switch {
	case projection != "" && kind != "" && kind != api.SelectSpecificAttributes:
		chosen := kind
		if kind == api.SelectCount {
			chosen = "only the Count"
		}
		return v.refuse("Cannot specify the " + projection + " when choosing to get " + chosen)
	case projection == "" && kind == api.SelectSpecificAttributes:
		return v.refuse("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case kind == api.SelectAllProjectedAttributes && index == nil:
		return v.refuse("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	}
	return nil
}

// projectionParameter names the parameter that gives a projection, "" when there is none.
func projectionParameter(expression *string, legacy []string) string {
	switch {
	case expression != nil:
		return "ProjectionExpression"
	case legacy != nil:
		return "AttributesToGet"
	default:
		return ""
	}
}

// apply puts the selection into a plan. What a local index does not project is brought from the table (semantics §10.4).
func (sel selection) apply(s source, p *command.Plan) {
	p.Project = sel.projection
	p.Discard = sel.kind == api.SelectCount
	if s.index != nil && s.local {
		p.Fetch = sel.kind == api.SelectAllAttributes && s.index.Projection.Kind != table.All || len(sel.unprojected(s)) > 0
	}
}

// checkGlobal refuses to show what a global index does not project.
func (sel selection) checkGlobal(s source) error {
	if !s.global() || s.index.Projection.Kind == table.All {
		return nil
	}
	missing := sel.unprojected(s)
	if sel.kind == api.SelectAllAttributes {
		return api.NewValidationException("One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for " +
			"global secondary index " + s.index.Name + " because its projection type is not ALL")
	}
	if len(missing) > 0 {
		return api.NewValidationException("One or more parameter values were invalid: Global secondary index " + s.index.Name +
			" does not project [" + strings.Join(missing, ", ") + "]")
	}
	return nil
}

// unprojected lists the attributes asked for that the index does not hold.
func (sel selection) unprojected(s source) []string {
	if sel.projection == nil || s.index.Projection.Kind == table.All {
		return nil
	}
	held := s.index.Projected(s.table)
	var missing []string
	for _, name := range sel.projection.Attributes() {
		if !slices.Contains(held, name) {
			missing = append(missing, name)
		}
	}
	return missing
}
