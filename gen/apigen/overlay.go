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

// limit replaces a member's constraints; drop leaves them to the operation.
type limit struct {
	Target string
	Max    *int64
	Drop   bool
}

// missing is the sentence for an absent member of some operations' inputs.
type missing struct {
	Member     string
	Operations []string
	Text       string
}

// pattern pairs a model's regular expression with a Go one, or with a function matching by hand.
type pattern struct {
	Java, Name, Go, Match string
}

func loadOverlay(files fs.FS) (*overlay, error) {
	var errors struct{ Errors []overlayError }
	var enums struct {
		Enums []struct {
			Shape  string
			Values []string
		}
	}
	var constraints struct {
		TableNames    tableNames
		TableNameKeys struct{ Shapes []string }
		Members       []limit
	}
	var wording struct {
		Bare      []struct{ Target string }
		EchoEmpty []struct{ Shape string }
		Missing   []missing
		Empty     []struct{ Target, Text string }
		Order     []struct {
			Structure string
			Members   []string
		}
	}
	var patterns struct{ Patterns []pattern }
	targets := map[string]any{
		"errors": &errors, "enums": &enums, "constraints": &constraints, "wording": &wording, "patterns": &patterns,
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
	o := &overlay{
		Errors: errors.Errors, Enums: map[string][]string{},
		TableNames: constraints.TableNames, KeyedByName: map[string]bool{}, Limits: map[string]limit{},
		Bare: map[string]bool{}, EchoEmpty: map[string]bool{}, Missing: wording.Missing,
		Empty: map[string]string{}, Order: map[string][]string{}, Patterns: patterns.Patterns,
	}
	for _, e := range enums.Enums {
		o.Enums[e.Shape] = e.Values
	}
	for _, name := range constraints.TableNameKeys.Shapes {
		o.KeyedByName[name] = true
	}
	for _, l := range constraints.Members {
		o.Limits[l.Target] = l
	}
	for _, e := range wording.Bare {
		o.Bare[e.Target] = true
	}
	for _, e := range wording.EchoEmpty {
		o.EchoEmpty[e.Shape] = true
	}
	for _, e := range wording.Empty {
		o.Empty[e.Target] = e.Text
	}
	for _, e := range wording.Order {
		o.Order[e.Structure] = e.Members
	}
	return o, nil
}
