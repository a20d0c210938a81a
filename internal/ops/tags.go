package ops

import (
	"context"
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"stator/internal/model/api"
	"stator/internal/model/table"
)

// tagsMax bounds the tags of a table or stream, and those that a request takes from it, tagsPageMax those of one page of
// ListTagsOfResource (semantics §4). A stream's also have a size together.
const (
	tagsMax            = 50
	tagsPageMax        = 50
	tagKeyMax          = 128
	tagValueMax        = 256
	streamTagsBytesMax = 10 << 10
)

// TagResource adds tags to a table or a stream and replaces those it has. They are there when it returns.
func (o *Ops) TagResource(ctx context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	if len(in.Tags) == 0 {
		return nil, api.NewValidationException("Atleast one Tag needs to be provided as Input.")
	}
	err := o.retag(ctx, *in.ResourceArn, func(tags map[string]string) (map[string]string, error) { return mergedTags(tags, in.Tags) })
	if err != nil {
		return nil, err
	}
	return &api.TagResourceOutput{}, nil
}

// UntagResource takes tags from a table or a stream. Keys it does not have are ignored.
func (o *Ops) UntagResource(ctx context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, api.NewValidationException("Atleast one Tag Key needs to be provided as Input.")
	}
	if len(in.TagKeys) > tagsMax {
		return nil, tooManyTags()
	}
	err := o.retag(ctx, *in.ResourceArn, func(tags map[string]string) (map[string]string, error) {
		left := maps.Clone(tags)
		for _, key := range in.TagKeys {
			switch {
			case !tagKeyHolds(key):
				return nil, api.NewValidationException("The Tag Key provided is invalid, Key: " + key)
			case reservedTag(key):
				return nil, reservedTagKey(key)
			}
			delete(left, key)
		}
		return left, nil
	})
	if err != nil {
		return nil, err
	}
	return &api.UntagResourceOutput{}, nil
}

// ListTagsOfResource pages through the tags of a table or a stream in the order of their keys. The token is the last key of the page before.
func (o *Ops) ListTagsOfResource(ctx context.Context, in *api.ListTagsOfResourceInput) (*api.ListTagsOfResourceOutput, error) {
	t, label, err := o.tagged(ctx, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	after, err := base64.RawURLEncoding.DecodeString(value(in.NextToken))
	if err != nil {
		return nil, invalidValue("Invalid NextToken")
	}
	page, next := tagPage(t.TagsOf(label), string(after), tagsPageMax)
	out := &api.ListTagsOfResourceOutput{Tags: page}
	if next != "" {
		out.NextToken = ref(base64.RawURLEncoding.EncodeToString([]byte(next)))
	}
	return out, nil
}

// tagPage is at most limit tags whose keys follow after, and the key to go on after, "" at the end.
func tagPage(tags map[string]string, after string, limit int) (page []api.Tag, next string) {
	page = []api.Tag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		switch {
		case key <= after:
		case len(page) == limit:
			return page, *page[limit-1].Key
		default:
			page = append(page, api.Tag{Key: ref(key), Value: ref(tags[key])})
		}
	}
	return page, ""
}

// retag replaces the tags of a table or a stream by what change makes of them.
func (o *Ops) retag(ctx context.Context, arn string, change func(map[string]string) (map[string]string, error)) error {
	t, label, err := o.tagged(ctx, arn)
	if err != nil {
		return err
	}
	_, err = o.changeTable(ctx, t.Name, func(t *table.Table) (*table.Table, error) {
		if !taggable(t, label) {
			return nil, resourceMissing(arn)
		}
		tags, err := change(t.TagsOf(label))
		if err != nil {
			return nil, err
		}
		if label != "" && tagBytes(tags) > streamTagsBytesMax {
			return nil, tooManyTags()
		}
		return t.WithTags(label, tags), nil
	})
	return err
}

// tagged finds what an ARN names: a table, or with a label a stream of it.
func (o *Ops) tagged(ctx context.Context, arn string) (t *table.Table, label string, err error) {
	name, label, err := o.taggedNames(arn)
	if err != nil {
		return nil, "", err
	}
	t, ok, err := o.find(ctx, name)
	if err != nil {
		return nil, "", err
	}
	if !ok || !taggable(t, label) {
		return nil, "", resourceMissing(arn)
	}
	return t, label, nil
}

// taggable tells whether a table, or the stream with the label, can have tags: a table that is being created cannot yet (semantics §17.9).
func taggable(t *table.Table, label string) bool {
	return t.State != table.Creating && t.State != table.Deleting && (label == "" || hasStream(t, label))
}

func tagBytes(tags map[string]string) (n int) {
	for key, text := range tags {
		n += len(key) + len(text)
	}
	return n
}

// taggedNames takes a ResourceArn apart: into the name of a table and, of a stream, its label (errors.json arn-*). Another account's
// tables are behind its own policies, another region's are not here.
func (o *Ops) taggedNames(arn string) (name, label string, err error) {
	if !strings.HasPrefix(arn, "arn:") {
		return "", "", invalidValue("ARNs must start with 'arn:': " + arn)
	}
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[2] != "dynamodb" {
		return "", "", wrongResource(arn)
	}
	path := strings.Split(parts[5], "/")
	if len(path) == 4 && path[2] == "backup" {
		return "", "", invalidValue("Provided Arn is not a DynamoDB resource arn: " + arn)
	}
	isTable, isStream := len(path) == 2, len(path) == 4 && path[2] == "stream"
	if path[0] != "table" || !(isTable || isStream) {
		return "", "", invalidValue("Invalid resource arn provided, only table or stream is accepted. Provided resource arn: " + arn)
	}
	if parts[4] != o.account.Number {
		return "", "", accessDenied()
	}
	if parts[3] != o.account.Region {
		return "", "", wrongResource(arn)
	}
	if isStream {
		label = path[3]
	}
	return path[1], label, nil
}

func wrongResource(arn string) error {
	return api.NewValidationException("Invalid TableArn: Invalid ResourceArn provided as input " + arn)
}

func resourceMissing(arn string) error {
	return api.NewResourceNotFoundException("Requested resource not found: ResourceArn: " + arn + " not found")
}

// tagText is what tag keys and values may be made of.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

func tagKeyHolds(key string) bool { return key != "" && tagHolds(key, tagKeyMax) }

// tagHolds tells whether text may be a tag's. Lengths count code points.
func tagHolds(text string, most int) bool {
	return utf8.RuneCountInString(text) <= most && tagText.MatchString(text)
}

func tooManyTags() error {
	return api.NewValidationException("Number of Tags exceed the current limit for the provided ResourceArn")
}

// reservedTag tells a key that only the service gives.
func reservedTag(key string) bool { return strings.HasPrefix(strings.ToLower(key), "aws:") }

func reservedTagKey(key string) error {
	return api.NewValidationException("Tag Key cannot be prefixed with aws:, Key: " + key)
}

// mergedTags are the tags of a table or stream with those of a request (errors.json tag-*).
func mergedTags(tags map[string]string, sent []api.Tag) (map[string]string, error) {
	if len(sent) == 0 {
		return tags, nil
	}
	merged := maps.Clone(tags)
	if merged == nil {
		merged = map[string]string{}
	}
	seen := map[string]bool{}
	for _, tag := range sent {
		switch key, text := value(tag.Key), value(tag.Value); {
		case tag.Key == nil:
			return nil, api.NewValidationException("The Tag Key provided is invalid, Key: null")
		case tag.Value == nil:
			return nil, api.NewValidationException("The Tag Value provided is invalid, Value: null")
		case !tagKeyHolds(key):
			return nil, api.NewValidationException("The Tag Key provided is invalid, Key: " + key)
		case !tagHolds(text, tagValueMax):
			return nil, api.NewValidationException("The Tag Value provided is invalid, Value: " + text)
		case reservedTag(key):
			return nil, reservedTagKey(key)
		case seen[key]:
			return nil, api.NewValidationException("Duplicate Tag Keys provided as input: Duplicate Tag Key found " + key)
		default:
			merged[key], seen[key] = text, true
		}
	}
	if len(merged) > tagsMax {
		return nil, tooManyTags()
	}
	return merged, nil
}
