package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is a number of bytes, written like 64MiB.
type byteSize int64

var sizeUnits = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
}

// UnmarshalText reads a size: a number, perhaps with a fraction, and a unit.
func (s *byteSize) UnmarshalText(text []byte) error {
	for _, unit := range sizeUnits {
		digits, found := strings.CutSuffix(string(text), unit.name)
		if !found {
			continue
		}
		number, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		bytes := number * unit.bytes
		if err != nil || math.IsNaN(bytes) || bytes < 0 || bytes >= math.MaxInt64 {
			break
		}
		*s = byteSize(bytes)
		return nil
	}
	return fmt.Errorf("%q is no size: write it like 64MiB or 1.5GiB", text)
}

// String writes the size in the largest unit that it fills.
func (s byteSize) String() string {
	for i := 3; i >= 0; i-- {
		if unit := sizeUnits[i]; float64(s) >= unit.bytes {
			return strconv.FormatFloat(math.Round(float64(s)/unit.bytes*10)/10, 'f', -1, 64) + " " + unit.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + " B"
}
