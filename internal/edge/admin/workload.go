package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"stator/internal/model/api"
)

// workload is GET /workload?table=NAME: what was metered of a table, for whoever works out what it would cost.
func (d *Door) workload(w http.ResponseWriter, r *http.Request) {
	table := r.URL.Query().Get("table")
	if table == "" {
		http.Error(w, "which table? GET /workload?table=NAME", http.StatusBadRequest)
		return
	}
	metered, err := d.options.Operator.Workload(r.Context(), table)
	var refused *api.Error
	switch {
	case errors.As(err, &refused):
		http.Error(w, refused.Error(), http.StatusBadRequest)
		return
	case err != nil:
		d.options.Log.Error("telling what was metered failed", "table", table, "error", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(metered); err != nil {
		d.options.Log.Debug("an operator went away", "error", err)
	}
}
