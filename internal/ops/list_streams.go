package ops

import (
	"context"

	"stator/internal/model/api"
	"stator/internal/model/table"
)

// streamsPageMax bounds a page of ListStreams.
const streamsPageMax = 100

// ListStreams pages through all streams that can be read, or those of one table, by table name and then by age. The start
// is only a place in that order: the stream it names may be gone (semantics §14.9).
func (o *Ops) ListStreams(ctx context.Context, in *api.ListStreamsInput) (*api.ListStreamsOutput, error) {
	var afterTable, afterLabel string
	if in.ExclusiveStartStreamArn != nil {
		var err error
		if afterTable, afterLabel, err = o.splitStreamARN(*in.ExclusiveStartStreamArn); err != nil {
			return nil, err
		}
	}
	limit := streamsPageMax
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	out := &api.ListStreamsOutput{Streams: []api.Stream{}}
	for _, name := range o.streamTables(ctx, in.TableName) {
		t, ok := o.catalog.Table(name)
		if !ok || t.State == table.Deleting || name < afterTable {
			continue
		}
		for i := range t.Streams {
			s := &t.Streams[i]
			label := s.Label()
			if name == afterTable && label <= afterLabel {
				continue
			}
			if len(out.Streams) == limit {
				out.LastEvaluatedStreamArn = out.Streams[limit-1].StreamArn
				return out, nil
			}
			out.Streams = append(out.Streams, api.Stream{StreamArn: ref(o.streamARN(t, s)), TableName: &t.Name, StreamLabel: &label})
		}
	}
	return out, nil
}

// streamTables lists the tables to look at. One that is not there has no streams.
func (o *Ops) streamTables(ctx context.Context, only *string) []string {
	if only != nil {
		_ = o.catalog.Sync(ctx)
		return []string{o.tableName(*only)}
	}
	return o.names(ctx)
}
