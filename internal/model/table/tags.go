package table

import "maps"

// TagsOf are the table's tags, or with a label those of its stream. A stream has none of its table's.
func (t *Table) TagsOf(label string) map[string]string {
	if label == "" {
		return t.Tags
	}
	return t.StreamTags[label]
}

// WithTags is t with tags of itself or of the stream with the label, in place of those there were. What streams had that are gone goes.
func (t *Table) WithTags(label string, tags map[string]string) *Table {
	c := t.Clone()
	if label == "" {
		c.Tags = tags
		return c
	}
	if c.StreamTags == nil {
		c.StreamTags = map[string]map[string]string{}
	}
	c.StreamTags[label] = tags
	maps.DeleteFunc(c.StreamTags, func(label string, tags map[string]string) bool {
		_, ok := c.StreamByLabel(label)
		return !ok || len(tags) == 0
	})
	return c
}
