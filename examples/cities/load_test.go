package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// reluctant is a database that stores cities by id, and takes only half of what each batch asks for the first time it sees a place.
type reluctant struct {
	mu     sync.Mutex // guards the rest
	seen   map[string]bool
	stored map[string]bool
}

func (r *reluctant) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	var in struct {
		RequestItems map[string][]struct {
			PutRequest struct {
				Item map[string]map[string]any
			}
		}
	}
	body, _ := io.ReadAll(request.Body)
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	unprocessed := map[string]any{}
	var left []any
	for i, put := range in.RequestItems["cities"] {
		id := put.PutRequest.Item["id"]["N"].(string)
		if i%2 == 1 && !r.seen[id] {
			left = append(left, put)
		} else {
			r.stored[id] = true
		}
		r.seen[id] = true
	}
	if len(left) > 0 {
		unprocessed["cities"] = left
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(map[string]any{"UnprocessedItems": unprocessed})
}

func TestLoadSendsUnprocessedItemsAgain(t *testing.T) {
	database := &reluctant{seen: map[string]bool{}, stored: map[string]bool{}}
	server := httptest.NewServer(database)
	defer server.Close()
	cities := make([]city, 2*batchItems+7)
	for i := range cities {
		cities[i] = city{ID: int64(i + 1), Name: fmt.Sprint("place ", i), Country: "AX", OtherCountries: []string{"FI"}}
	}
	tb := &table{client: connect(server.URL), name: "cities"}
	if err := tb.load(context.Background(), cities, 3); err != nil {
		t.Fatal(err)
	}
	if len(database.stored) != len(cities) {
		t.Errorf("%d of %d places were stored", len(database.stored), len(cities))
	}
}

func TestLoadStopsAtARefusal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException","message":"no"}`)
	}))
	defer server.Close()
	tb := &table{client: connect(server.URL), name: "cities"}
	if err := tb.load(context.Background(), make([]city, 1000), 4); err == nil {
		t.Error("a load that was refused reports no error")
	}
}
