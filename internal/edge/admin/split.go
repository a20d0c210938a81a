package admin

import (
	"errors"
	"fmt"
	"net/http"

	"stator/internal/model/api"
)

// split is POST /split?table=NAME&at=KEY. The content type must be application/json although there is no body: a web
// page cannot send it without asking first.
func (d *Door) split(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "send 'Content-Type: application/json'", http.StatusUnsupportedMediaType)
		return
	}
	query := r.URL.Query()
	table := query.Get("table")
	if table == "" {
		http.Error(w, "which table? POST /split?table=NAME", http.StatusBadRequest)
		return
	}
	var at []byte
	if key := query.Get("at"); key != "" {
		at = []byte(key)
	}
	text, err := d.options.Operator.Split(r.Context(), table, at)
	var refused *api.Error
	switch {
	case err == nil:
		d.options.Log.Info("split", "table", table, "result", text)
		fmt.Fprintln(w, text)
	case errors.As(err, &refused):
		http.Error(w, refused.Error(), http.StatusBadRequest)
	default:
		d.options.Log.Error("split failed", "table", table, "error", err)
		code := http.StatusInternalServerError
		if d.options.Cluster != nil {
			code = http.StatusServiceUnavailable // most of what fails there is a node out of reach
		}
		http.Error(w, err.Error(), code)
	}
}
