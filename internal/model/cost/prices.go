package cost

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Price is what one unit of something costs, and who says so.
type Price struct {
	Price  float64 `json:"price"`
	Source string  `json:"source"`
	Date   string  `json:"date"` // when the source was read
}

// What there are prices of.
const (
	ReadRequests   = "million read request units"
	WriteRequests  = "million write request units"
	ReadHours      = "read capacity unit-hour"
	WriteHours     = "write capacity unit-hour"
	ReservedReads  = "reserved read capacity unit-hour"
	ReservedWrites = "reserved write capacity unit-hour"
	Storage        = "GB-month"
	StreamReads    = "100,000 stream read requests"
)

// Priced lists what there are prices of. A reserved unit-hour has its share of what is paid in advance in its price.
var Priced = []string{ReadRequests, WriteRequests, ReadHours, WriteHours, ReservedReads, ReservedWrites, Storage, StreamReads}

// Prices are those of one place and time. A list need not be whole: what has no price is said to have none.
type Prices struct {
	Name     string           `json:"name"`
	Currency string           `json:"currency"`
	Prices   map[string]Price `json:"prices"` // by what is priced
}

//go:embed prices/*.json
var lists embed.FS

// DefaultList is the list that is used when none is named.
const DefaultList = "us-east-1"

// List is one of the lists that come with the program, by name.
func List(name string) (Prices, bool) {
	text, err := lists.ReadFile("prices/" + name + ".json")
	if err != nil {
		return Prices{}, false
	}
	p, err := ParsePrices(text)
	return p, err == nil
}

// Lists names the lists that come with the program.
func Lists() []string {
	var names []string
	files, _ := lists.ReadDir("prices")
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".json"))
	}
	return names
}

// ParsePrices reads a list. Something that nobody asks the price of is an error: it would be a slip of the pen.
func ParsePrices(text []byte) (Prices, error) {
	var p Prices
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("reading a list of prices: %w", err)
	}
	if p.Currency == "" || len(p.Prices) == 0 {
		return p, errors.New("a list of prices names its currency and has a price at least")
	}
	for what, price := range p.Prices {
		switch {
		case !slices.Contains(Priced, what):
			return p, fmt.Errorf("the list prices %q, which nothing is billed by: there are prices of %s", what, strings.Join(Priced, "; "))
		case price.Price < 0 || price.Source == "" || price.Date == "":
			return p, fmt.Errorf("the price of a %s needs an amount that is not negative, a source and a date", what)
		}
	}
	return p, nil
}
