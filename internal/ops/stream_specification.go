package ops

import (
	"stator/internal/model/api"
	"stator/internal/model/table"
)

// checkCreateStream makes the checks of a StreamSpecification that need only the request to create a table.
func checkCreateStream(s *api.StreamSpecification) error {
	if s == nil {
		return nil
	}
	switch enabled := value(s.StreamEnabled); {
	case enabled && s.StreamViewType == nil:
		return invalidValue("Table is being created with a stream enabled, UpdateViewType is required")
	case !enabled && s.StreamViewType != nil:
		return invalidValue("Table is being created with a stream disabled, UpdateViewType should not be specified")
	}
	return nil
}

// checkUpdateStream is checkCreateStream for a request to change a table.
func checkUpdateStream(s *api.StreamSpecification) error {
	if s == nil {
		return nil
	}
	switch enabled := value(s.StreamEnabled); {
	case enabled && s.StreamViewType == nil:
		return invalidValue("If stream is being enabled then UpdateViewType is required")
	case !enabled && s.StreamViewType != nil:
		return invalidValue("If stream is being disabled, then UpdateViewType must not be specified")
	}
	return nil
}

// streamed is t with the stream that a lawful specification asks for.
func (o *Ops) streamed(t *table.Table, s *api.StreamSpecification) (*table.Table, error) {
	if s == nil || !value(s.StreamEnabled) {
		return t, nil
	}
	view, err := table.ViewOf(*s.StreamViewType)
	if err != nil {
		return nil, err
	}
	c, err := t.BeginStream(view, o.now().UnixMilli())
	if err != nil {
		return nil, api.NewLimitExceededException("Subscriber limit exceeded: " + err.Error())
	}
	return c, nil
}

// restreamed is a copy of t with its stream begun or ended, if that is asked for. The partitions have to learn of it.
func (o *Ops) restreamed(t *table.Table, s *api.StreamSpecification) (*table.Table, error) {
	if s == nil {
		return t.Clone(), nil
	}
	_, goes := t.Stream()
	switch enabled := value(s.StreamEnabled); {
	case enabled && goes:
		return nil, api.NewValidationException("Table already has an enabled stream: TableName: " + t.Name)
	case !enabled && !goes:
		return nil, api.NewValidationException("Table has no stream to disable: TableName: " + t.Name)
	case !enabled:
		c := t.EndStream(o.now().UnixMilli())
		c.State = table.Updating
		return c, nil
	}
	c, err := o.streamed(t, s)
	if err != nil {
		return nil, err
	}
	c.State = table.Updating
	return c, nil
}

// describeStream fills in the stream that goes on, and the latest one that can be read.
func (o *Ops) describeStream(d *api.TableDescription, t *table.Table) {
	if s, ok := t.Stream(); ok {
		d.StreamSpecification = &api.StreamSpecification{StreamEnabled: ref(true), StreamViewType: ref(s.View.String())}
	}
	if s, ok := t.LatestStream(); ok {
		d.LatestStreamArn, d.LatestStreamLabel = ref(o.streamARN(t, s)), ref(s.Label())
	}
}
