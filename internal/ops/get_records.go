package ops

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"stator/internal/model/api"
	"stator/internal/partition/command"
	"stator/internal/storage/record"
)

// What one GetRecords answers with at most (semantics §4); a single record may be larger. No more is read of the change log
// either, where every change holds the item before and after whatever the view.
const (
	recordsPageMax      = 1000
	recordsPageBytesMax = 1 << 20
)

// GetRecords reads on in a shard. A shard that goes on has a next iterator even when nothing is new.
func (o *Ops) GetRecords(ctx context.Context, in *api.GetRecordsInput) (*api.GetRecordsOutput, error) {
	limit := recordsPageMax
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	var (
		s  openStream
		it iterator
	)
	page, err := confirmed(ctx, o, func() (page command.LogPage, err error) {
		if s, it, err = o.openIterator(*in.ShardIterator); err != nil {
			return page, err
		}
		return o.recordsAfter(ctx, s, it, limit)
	})
	if err != nil {
		return nil, err
	}
	out := &api.GetRecordsOutput{Records: make([]api.Record, 0, len(page.Changes))}
	shown := o.newRecordView(s, it.shard.Partition)
	bytes := int64(0)
	for i := range page.Changes {
		r := shown.show(&page.Changes[i])
		if bytes += *r.Dynamodb.SizeBytes; bytes > recordsPageBytesMax && i > 0 {
			break
		}
		out.Records = append(out.Records, r)
		it.next = page.Changes[i].Sequence + 1
	}
	if page.Shard.Open || it.next <= page.Shard.Last {
		it.madeMillis = o.now().UnixMilli()
		out.NextShardIterator = ref(it.encode(s))
	}
	return out, nil
}

// recordsAfter reads the changes of a shard that an iterator stands before.
func (o *Ops) recordsAfter(ctx context.Context, s openStream, it iterator, limit int) (command.LogPage, error) {
	page, err := o.router.Changes(ctx, command.LogPlan{
		ShardPlace: s.place(it.shard), First: it.next, Limit: limit, Bytes: recordsPageBytesMax,
	})
	switch {
	case err != nil:
		return page, fmt.Errorf("reading shard %s of %s: %w", shardID(it.shard), s.arn, err)
	case page.Trimmed:
		return page, dataTrimmed()
	}
	return page, nil
}

// recordView is how the changes of one page are shown: what all their records have in common.
type recordView struct {
	openStream
	keys []string
	// mark makes an id unlike those of every other table: together with partition and sequence it names one change for ever.
	mark      [16]byte
	partition uint64

	view, version, source, region *string
}

func (o *Ops) newRecordView(s openStream, partition uint64) *recordView {
	v := &recordView{
		openStream: s, keys: s.table.Key.Names(), partition: partition,
		view: ref(s.stream.View.String()), version: ref("1.1"), source: ref("aws:dynamodb"), region: &o.account.Region,
	}
	// An id that is no UUID marks nothing, which harms nobody.
	_, _ = hex.Decode(v.mark[:], []byte(strings.ReplaceAll(s.table.UUID, "-", "")))
	return v
}

// show writes a change's record (semantics §14.3 to 14.5).
func (v *recordView) show(c *record.Change) api.Record {
	name, item := api.OperationTypeModify, c.After
	switch {
	case len(c.Before) == 0:
		name = api.OperationTypeInsert
	case len(c.After) == 0:
		name, item = api.OperationTypeRemove, c.Before
	}
	r := &api.StreamRecord{
		ApproximateCreationDateTime: ref(float64(command.MillisOf(c.Version) / 1000)),
		Keys:                        item.Only(v.keys...),
		SequenceNumber:              ref(sequenceNumber(c.Sequence)),
		StreamViewType:              v.view,
	}
	size := int64(r.Keys.Size())
	if v.stream.View.News() && len(c.After) > 0 {
		r.NewImage = c.After
		size += int64(c.After.Size())
	}
	if v.stream.View.Olds() && len(c.Before) > 0 {
		r.OldImage = c.Before
		size += int64(c.Before.Size())
	}
	r.SizeBytes = &size
	shown := api.Record{
		EventID: ref(v.id(c.Sequence)), EventName: &name, EventVersion: v.version, EventSource: v.source, AwsRegion: v.region, Dynamodb: r,
	}
	if c.Kind == command.ByExpiry {
		shown.UserIdentity = &api.Identity{PrincipalId: ref("dynamodb.amazonaws.com"), Type: ref("Service")}
	}
	return shown
}

// id is a change's event id.
func (v *recordView) id(sequence uint64) string {
	b := v.mark
	binary.BigEndian.PutUint64(b[:8], binary.BigEndian.Uint64(b[:8])^v.partition)
	binary.BigEndian.PutUint64(b[8:], binary.BigEndian.Uint64(b[8:])^sequence)
	return hex.EncodeToString(b[:])
}
