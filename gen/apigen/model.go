package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
)

// model is one service: the facts of its public API model, in the order in which the model file lists them.
type model struct {
	file       string // the model file's base name, which is also the service's name in the registry
	Metadata   metadata
	Operations ordered[*operation]
	Shapes     ordered[*shape]
}

type metadata struct {
	TargetPrefix    string
	ContentType     string
	ErrorTypePrefix string
	SigningName     string
}

type operation struct {
	Name       string
	Input      string
	Output     string
	ReadOnly   bool
	Idempotent bool
}

// shape is one named type of a model. Which members are set depends on Type.
type shape struct {
	name      string
	Type      string // structure, list, map, string, integer, long, double, boolean, timestamp or blob
	Members   ordered[*reference]
	Required  []string
	Member    *reference
	Key       *reference
	Value     *reference
	Min       *int64
	Max       *int64
	Pattern   string
	Enum      []string
	Exception bool
	Error     struct{ HTTPStatusCode int }
}

// reference is a use of a shape: a structure's member, or a list's or map's element.
type reference struct {
	Shape string
}

// requires tells whether the structure lists member as required.
func (s *shape) requires(member string) bool {
	for _, name := range s.Required {
		if name == member {
			return true
		}
	}
	return false
}

// ordered is a JSON object whose members keep the order of the file. The order matters: constraint failures are
// reported in it, and generated code must not change from run to run.
type ordered[T any] struct {
	names []string
	by    map[string]T
}

func (o *ordered[T]) UnmarshalJSON(data []byte) error {
	o.by = map[string]T{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok {
			return fmt.Errorf("an object member is called %v", token)
		}
		var value T
		if err := decoder.Decode(&value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		o.names = append(o.names, name)
		o.by[name] = value
	}
	return nil
}

// services are the model files in the order in which their code is generated. A structure that two services share is
// generated with the first.
var services = []string{"dynamodb", "dynamodb-streams", "application-autoscaling"}

func loadModels(files fs.FS) ([]*model, error) {
	var models []*model
	for _, name := range services {
		data, err := fs.ReadFile(files, "model/"+name+".json")
		if err != nil {
			return nil, err
		}
		m := &model{file: name}
		if err := json.Unmarshal(data, m); err != nil {
			return nil, fmt.Errorf("model %s: %w", name, err)
		}
		for _, shapeName := range m.Shapes.names {
			m.Shapes.by[shapeName].name = shapeName
		}
		models = append(models, m)
	}
	return models, nil
}

// shape returns a shape that a model refers to. A dangling reference is a broken model file.
func (m *model) shape(name string) *shape {
	s, ok := m.Shapes.by[name]
	if !ok {
		panic(fmt.Sprintf("model %s has no shape %q", m.file, name))
	}
	return s
}
