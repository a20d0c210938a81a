package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

const packageDir = "../../internal/model/api"

// The committed files are what the generator makes of the model and overlay files, no more and no less.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	sources, err := generate(files)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range sources {
		got, err := os.ReadFile(filepath.Join(packageDir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not current: run go generate ./internal/model/api", name)
		}
	}
	present, err := filepath.Glob(filepath.Join(packageDir, "*"+generatedSuffix))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range present {
		if _, ok := sources[filepath.Base(path)]; !ok {
			t.Errorf("%s is no longer generated", path)
		}
	}
}

func TestCamel(t *testing.T) {
	for value, want := range map[string]string{
		"ALL_OLD": "AllOld", "S": "S", "PAY_PER_REQUEST": "PayPerRequest", "AES256": "Aes256", "StepScaling": "StepScaling",
		"dynamodb:table:ReadCapacityUnits": "DynamodbTableReadCapacityUnits", "custom-resource": "CustomResource",
	} {
		if got := camel(value); got != want {
			t.Errorf("camel(%q) is %q, not %q", value, got, want)
		}
	}
}

// An overlay entry that names something the models do not have is a mistake that would otherwise pass in silence.
func TestOverlayTargetsExist(t *testing.T) {
	models, err := loadModels(files)
	if err != nil {
		t.Fatal(err)
	}
	o, err := loadOverlay(files)
	if err != nil {
		t.Fatal(err)
	}
	m := models[0]
	members := map[string]bool{}
	for _, each := range models {
		for _, name := range each.Shapes.names {
			for _, member := range each.shape(name).Members.names {
				members[name+"."+member] = true
			}
		}
	}
	var targets []string
	for target := range o.Limits {
		targets = append(targets, target)
	}
	for target := range o.Bare {
		targets = append(targets, target)
	}
	for _, named := range []map[string]string{o.Empty, o.Misfit} {
		for target := range named {
			targets = append(targets, target)
		}
	}
	for target := range o.Yielding {
		targets = append(targets, target)
	}
	for structure, t := range o.Together {
		for _, member := range append(t.Members, t.Without) {
			targets = append(targets, structure+"."+member)
		}
	}
	for structure, order := range o.Order {
		for _, member := range order {
			targets = append(targets, structure+"."+member)
		}
	}
	for _, structure := range o.TableNames.MinOne {
		targets = append(targets, structure+"."+o.TableNames.Member)
	}
	for _, missing := range o.Missing {
		for _, name := range missing.Operations {
			if m.Operations.by[name] == nil {
				t.Errorf("no operation %s", name)
				continue
			}
			targets = append(targets, m.Operations.by[name].Input+"."+missing.Member)
		}
	}
	for _, target := range targets {
		if !members[target] {
			t.Errorf("no member %s", target)
		}
	}
	for _, shapes := range []map[string]bool{o.EchoEmpty, o.KeyedByName, o.JSON} {
		for name := range shapes {
			m.shape(name)
		}
	}
	for name := range o.Enums {
		m.shape(name)
	}
}
