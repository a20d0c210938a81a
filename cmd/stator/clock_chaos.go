//go:build chaos

package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"stator/internal/base/clock"
)

// shifted is the machine's clock, as far off as it was told to be.
type shifted struct{ by atomic.Int64 }

// Now implements clock.Clock.
func (s *shifted) Now() time.Time { return time.Now().Add(time.Duration(s.by.Load())) }

// ServeHTTP sets the clock: POST /clock?by=-60s.
func (s *shifted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	by, err := time.ParseDuration(r.URL.Query().Get("by"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.by.Store(int64(by))
	fmt.Fprintln(w, "the clock is off by", by)
}

func timeOfDay() (clock.Clock, map[string]http.Handler) {
	c := &shifted{}
	return c, map[string]http.Handler{"POST /clock": c}
}
