package main

import (
	"context"
	"testing"

	"stator"
)

// open gives a test a database of its own, in memory, gone with the test.
func open(t *testing.T) Visits {
	t.Helper()
	db, err := stator.Open(context.Background(), stator.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	visits := Visits{Client: Client(db), Table: "visits"}
	if err := visits.Create(context.Background()); err != nil {
		t.Fatal(err)
	}
	return visits
}

func TestVisitsAreCounted(t *testing.T) {
	t.Parallel()
	visits := open(t)
	for want := 1; want <= 3; want++ {
		got, err := visits.Count(context.Background(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("visit %d counts as %d", want, got)
		}
	}
}

// Every test starts from nothing, whatever runs beside it.
func TestVisitsStartFromNothing(t *testing.T) {
	t.Parallel()
	got, err := open(t).Count(context.Background(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if got != 1 {
		t.Errorf("the first visit counts as %d", got)
	}
}

func TestTheProgramKeepsItsCountOnDisk(t *testing.T) {
	if err := run(context.Background()); err != nil {
		t.Fatal(err)
	}
}
