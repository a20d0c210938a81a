package iam

import (
	"strings"
	"sync"

	"stator/internal/model/policy"
)

// documentsMax bounds the parsed policies of resources that are remembered. When it is reached all are forgotten, which costs
// each a parse.
const documentsMax = 256

// documents remembers policies by their text.
type documents struct {
	mu     sync.RWMutex // guards parsed
	parsed map[string]*policy.Document
}

func (d *documents) get(kind policy.Kind, text string) (*policy.Document, error) {
	d.mu.RLock()
	document, ok := d.parsed[text]
	d.mu.RUnlock()
	if ok {
		return document, nil
	}
	document, err := policy.Parse(kind, []byte(text))
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.parsed == nil || len(d.parsed) >= documentsMax {
		d.parsed = map[string]*policy.Document{}
	}
	d.parsed[strings.Clone(text)] = document
	return document, nil
}
