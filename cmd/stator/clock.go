//go:build !chaos

package main

import (
	"net/http"

	"stator/internal/base/clock"
)

// timeOfDay is the machine's. A build for the chaos tests has a clock that an operator sets, in clock_chaos.go.
func timeOfDay() (clock.Clock, map[string]http.Handler) { return clock.System{}, nil }
