package table

import "fmt"

// Check is the text against a global index in a request with these definitions on a table of this billing mode, "" when it is lawful.
func (w *IndexWish) Check(definitions Definitions, billing Billing) string {
	if text := w.checkThroughput(billing); text != "" {
		return text
	}
	if text := definitions.checkDefined(w.Schema); text != "" {
		return text
	}
	if text := checkGlobal(w.Schema); text != "" {
		return text
	}
	return w.Projection.check()
}

func (w *IndexWish) checkThroughput(billing Billing) string {
	if billing == OnDemandBilling {
		if w.Throughput != nil {
			return invalid + "ProvisionedThroughput should not be specified for index: " + w.Name + " when BillingMode is PAY_PER_REQUEST"
		}
	} else {
		if w.Throughput == nil {
			return invalid + "ProvisionedThroughput is not specified for index: " + w.Name
		}
		if text := w.Throughput.Check(" for index " + w.Name); text != "" {
			return text
		}
	}
	if text := w.OnDemand.CheckInitial(billing, w.Name); text != "" {
		return text
	}
	var units Throughput
	if w.Throughput != nil {
		units = *w.Throughput
	}
	return w.Warm.CheckInitial(billing, units, "index "+w.Name)
}

// index makes a lawful wish's index. It has no id yet.
func (w *IndexWish) index(definitions Definitions, billing Billing) Index {
	ix := Index{
		Name: w.Name, Key: definitions.key(w.Schema), Projection: w.Projection, Status: IndexCreating,
		OnDemand: OnDemand{}.Merged(w.OnDemand),
	}
	if w.Throughput != nil {
		ix.Throughput = *w.Throughput
	}
	ix.Warm = w.Warm.Raised(ix.Throughput.Warm())
	if billing == OnDemandBilling {
		ix.Warm = ix.Warm.Raised(WarmOnDemand)
	}
	return ix
}

// check holds NonKeyAttributes to the projection type.
func (p Projection) check() string {
	switch {
	case p.Kind == 0:
		return invalid + "Unknown ProjectionType: null"
	case p.Kind != Include && p.NonKey != nil:
		return invalid + "ProjectionType is " + p.Kind.String() + ", but NonKeyAttributes is specified"
	case p.Kind == Include && len(p.NonKey) == 0:
		return invalid + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"
	}
	seen := map[string]bool{}
	for _, name := range p.NonKey {
		if seen[name] {
			return invalid + "Duplicate element in NonKeyAttributes: " + name
		}
		seen[name] = true
	}
	return ""
}

// checkNonKey bounds the NonKeyAttributes of all indexes of a table. The service's own words are not known.
func checkNonKey(count int) string {
	if count <= nonKeyMax {
		return ""
	}
	return fmt.Sprintf("%sNumber of NonKeyAttributes of all secondary indexes exceeds the per-table limit of %d", invalid, nonKeyMax)
}
