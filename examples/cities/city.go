package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// city is one place of GeoNames: a line of the data file, an item of the table.
type city struct {
	ID             int64    `json:"id"`
	Name           string   `json:"name"`
	Country        string   `json:"country"` // ISO 3166, two letters
	Population     int64    `json:"population"`
	Feature        string   `json:"feature"` // GeoNames' feature code: PPLC is a capital, PPLA the seat of a region
	Region         string   `json:"region"`
	Latitude       float64  `json:"latitude"`  // degrees north
	Longitude      float64  `json:"longitude"` // degrees east
	OtherCountries []string `json:"otherCountries"`
}

type item = map[string]types.AttributeValue

func readCities(path string) ([]city, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var cities []city
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var c city
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, len(cities)+1, err)
		}
		cities = append(cities, c)
	}
	return cities, lines.Err()
}

func (c city) key() item { return item{"id": number(c.ID)} }

func (c city) item() item {
	it := item{
		"id":         number(c.ID),
		"name":       text(c.Name),
		"country":    text(c.Country),
		"population": number(c.Population),
		"feature":    text(c.Feature),
		"location": &types.AttributeValueMemberM{Value: item{
			"latitude":  decimal(c.Latitude),
			"longitude": decimal(c.Longitude),
		}},
	}
	if c.Region != "" {
		it["region"] = text(c.Region)
	}
	if len(c.OtherCountries) > 0 {
		it["otherCountries"] = &types.AttributeValueMemberSS{Value: c.OtherCountries}
	}
	return it
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func decimal(f float64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatFloat(f, 'f', -1, 64)}
}

// textOf is the string under name, or "" where there is none.
func textOf(it item, name string) string {
	if s, ok := it[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// numberOf is the whole number under name, or -1, which no place has, where there is none.
func numberOf(it item, name string) int64 {
	if n, ok := it[name].(*types.AttributeValueMemberN); ok {
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			return i
		}
	}
	return -1
}
