package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"stator/internal/jobs/rebalance"
)

// clusterRoutes are the verbs that concern more than one node. Any node takes them; what is only looked at is a GET.
func (d *Door) clusterRoutes(mux *http.ServeMux) {
	for _, verb := range []rebalance.Verb{rebalance.VerbStatus, rebalance.VerbPartitions} {
		mux.Handle("GET /cluster/"+string(verb), d.guarded(d.cluster(verb)))
	}
	for _, verb := range []rebalance.Verb{
		rebalance.VerbMove, rebalance.VerbTransfer, rebalance.VerbDecommission, rebalance.VerbRecommission, rebalance.VerbSet,
		rebalance.VerbUpgrade,
	} {
		mux.Handle("POST /cluster/"+string(verb), d.guarded(d.cluster(verb)))
	}
}

// numbers are the parameters that each verb needs, such as POST /cluster/move?partition=102&from=1&to=4.
var numbers = map[rebalance.Verb][]string{
	rebalance.VerbMove:         {"partition", "from", "to"},
	rebalance.VerbTransfer:     {"partition", "to"},
	rebalance.VerbDecommission: {"node"},
	rebalance.VerbRecommission: {"node"},
	rebalance.VerbSet:          {"replicas", "replace_after_seconds"},
}

// cluster answers one verb in JSON. As with split, a web page cannot send the content type of a verb that changes
// something without asking first.
func (d *Door) cluster(verb rebalance.Verb) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "send 'Content-Type: application/json'", http.StatusUnsupportedMediaType)
			return
		}
		question, err := parseQuestion(verb, r.URL.Query())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer := rebalance.Answer{Alone: true}
		if d.options.Cluster != nil {
			if answer, err = d.options.Cluster.AskCluster(r.Context(), question); err != nil {
				d.options.Log.Error("a question about the cluster failed", "verb", verb, "error", err)
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
		}
		if r.Method == http.MethodPost {
			d.options.Log.Info("operator", "verb", verb, "query", r.URL.RawQuery, "result", answer.Text+answer.Refused)
		}
		w.Header().Set("Content-Type", "application/json")
		if answer.Refused != "" {
			w.WriteHeader(http.StatusConflict)
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			d.options.Log.Debug("an operator went away", "error", err)
		}
	})
}

func parseQuestion(verb rebalance.Verb, query url.Values) (rebalance.Question, error) {
	q := rebalance.Question{Verb: verb, Table: query.Get("table")}
	into := map[string]*uint64{
		"partition": &q.Partition, "from": &q.From, "to": &q.To, "node": &q.Node,
		"replicas": &q.Replicas, "replace_after_seconds": &q.ReplaceAfterSeconds,
	}
	for _, name := range numbers[verb] {
		text := query.Get(name)
		if text == "" && verb == rebalance.VerbSet {
			continue // each of them may be left as it is
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || n == 0 {
			return q, fmt.Errorf("which %s? %s takes numbers: %v", name, verb, numbers[verb])
		}
		*into[name] = n
	}
	return q, nil
}
