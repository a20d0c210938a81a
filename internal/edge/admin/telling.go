package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"stator/internal/model/api"
)

// telling answers a GET about the table that its parameter table names, in JSON.
func telling[A any](d *Door, tell func(ctx context.Context, table string) (A, error)) http.Handler {
	return d.guarded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		table := r.URL.Query().Get("table")
		if table == "" {
			http.Error(w, fmt.Sprintf("which table? GET %s?table=NAME", r.URL.Path), http.StatusBadRequest)
			return
		}
		answer, err := tell(r.Context(), table)
		var refused *api.Error
		switch {
		case errors.As(err, &refused):
			http.Error(w, refused.Error(), http.StatusBadRequest)
			return
		case err != nil:
			d.options.Log.Error("telling about a table failed", "path", r.URL.Path, "table", table, "error", err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			d.options.Log.Debug("an operator went away", "error", err)
		}
	}))
}
