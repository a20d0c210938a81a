package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
)

// overlay is what the service does and its public model does not say. Every entry names its source.
type overlay struct {
	Errors      []overlayError
	Enums       map[string][]string
	TableNames  tableNames
	KeyedByName map[string]bool
	Limits      map[string]limit
	Bare        map[string]bool
	EchoEmpty   map[string]bool
	Missing     []missing
	Empty       map[string]string
	Misfit      map[string]string
	JSON        map[string]bool
	Yielding    map[string]bool
	Together    map[string]together
	Order       map[string][]string
	Patterns    []pattern
}

type overlayError struct {
	Name, WireType, MessageMember string
	Status                        int
}

// tableNames is the rule for members that take a table's name or ARN.
type tableNames struct {
	Shape, Member string
	Min, Max      int64
	Pattern       string
	MinOne        []string
}

// limit replaces a member's constraints; drop leaves them to the operation, optional only whether the member is there.
type limit struct {
	Target   string
	Max      *int64
	Drop     bool
	Optional bool
}

// missing is the sentence for an absent member of some operations' inputs.
type missing struct {
	Member     string
	Operations []string
	Text       string
}

// together is the order in which the failures of a structure are reported when a member is absent. With the member, the first is reported alone.
type together struct {
	Structure, Without string
	Members            []string
}

// pattern pairs a model's regular expression with a Go one, or with a function matching by hand.
type pattern struct {
	Java, Name, Go, Match string
}

// overlayFiles are the overlay's files as they are read.
type overlayFiles struct {
	errors      struct{ Errors []overlayError }
	enums       struct{ Enums []enumFile }
	constraints struct {
		TableNames    tableNames
		TableNameKeys struct{ Shapes []string }
		Members       []limit
	}
	wording struct {
		Bare      []struct{ Target string }
		EchoEmpty []struct{ Shape string }
		Missing   []missing
		Empty     []struct{ Target, Text string }
		Misfit    []struct{ Target, Text string }
		JSON      []struct{ Shape string }
		Yielding  []struct{ Target string }
		Together  []together
		Order     []orderFile
	}
	patterns struct{ Patterns []pattern }
}

type enumFile struct {
	Shape  string
	Values []string
}

type orderFile struct {
	Structure string
	Members   []string
}

func loadOverlay(files fs.FS) (*overlay, error) {
	var read overlayFiles
	targets := map[string]any{
		"errors": &read.errors, "enums": &read.enums, "constraints": &read.constraints,
		"wording": &read.wording, "patterns": &read.patterns,
	}
	for name, target := range targets {
		data, err := fs.ReadFile(files, "overlay/"+name+".json")
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, target); err != nil {
			return nil, fmt.Errorf("overlay %s: %w", name, err)
		}
	}
	return read.index(), nil
}

// index makes the entries findable by what they are about.
func (f *overlayFiles) index() *overlay {
	o := &overlay{
		Errors: f.errors.Errors, Enums: map[string][]string{},
		TableNames: f.constraints.TableNames, KeyedByName: map[string]bool{}, Limits: map[string]limit{},
		Bare: map[string]bool{}, EchoEmpty: map[string]bool{}, Missing: f.wording.Missing,
		Empty: map[string]string{}, Order: map[string][]string{}, Patterns: f.patterns.Patterns,
		Misfit: map[string]string{}, JSON: map[string]bool{}, Yielding: map[string]bool{}, Together: map[string]together{},
	}
	for _, e := range f.enums.Enums {
		o.Enums[e.Shape] = e.Values
	}
	for _, name := range f.constraints.TableNameKeys.Shapes {
		o.KeyedByName[name] = true
	}
	for _, l := range f.constraints.Members {
		o.Limits[l.Target] = l
	}
	for _, e := range f.wording.Bare {
		o.Bare[e.Target] = true
	}
	for _, e := range f.wording.EchoEmpty {
		o.EchoEmpty[e.Shape] = true
	}
	for _, e := range f.wording.Empty {
		o.Empty[e.Target] = e.Text
	}
	for _, e := range f.wording.Misfit {
		o.Misfit[e.Target] = e.Text
	}
	for _, e := range f.wording.JSON {
		o.JSON[e.Shape] = true
	}
	for _, e := range f.wording.Yielding {
		o.Yielding[e.Target] = true
	}
	for _, e := range f.wording.Together {
		o.Together[e.Structure] = e
	}
	for _, e := range f.wording.Order {
		o.Order[e.Structure] = e.Members
	}
	return o
}
