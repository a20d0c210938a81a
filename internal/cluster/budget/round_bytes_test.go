package budget_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"testing"

	"stator/internal/cluster/budget"
	"stator/internal/model/capacity"
)

func FuzzParseQuestion(f *testing.F) {
	f.Add(budget.AppendQuestion(nil, &budget.Question{PayerID: 300, Asks: [capacity.Kinds]budget.Ask{
		{Spent: -2.5, Wanted: 100, Saved: 7, Known: true}, {Spent: 1},
	}}))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := budget.ParseQuestion(b)
		if err != nil {
			if !errors.Is(err, budget.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		for _, a := range q.Asks {
			if math.IsNaN(a.Spent+a.Wanted+a.Saved) || a.Wanted < 0 {
				t.Fatalf("read %+v", a)
			}
		}
		again := budget.AppendQuestion(nil, &q)
		if back, err := budget.ParseQuestion(again); err != nil || back != q {
			t.Fatalf("%+v reads back as %+v, %v", q, back, err)
		}
	})
}

func FuzzParseAnswers(f *testing.F) {
	f.Add(budget.AppendAnswers(nil, &budget.Answers{{Given: 12.5, Saved: -3}, {Saved: 1}}))
	f.Add([]byte{1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		answers, err := budget.ParseAnswers(b)
		if err != nil {
			if !errors.Is(err, budget.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if again := budget.AppendAnswers(nil, &answers); !bytes.Equal(again, b) {
			t.Fatalf("% x reads as %+v and is written as % x", b, answers, again)
		}
	})
}

func TestMalformedRounds(t *testing.T) {
	question := budget.AppendQuestion(nil, &budget.Question{PayerID: 1, Asks: [capacity.Kinds]budget.Ask{{Wanted: math.Inf(1)}}})
	if _, err := budget.ParseQuestion(question); !errors.Is(err, budget.ErrMalformed) {
		t.Errorf("endless units: %v", err)
	}
	for _, a := range []budget.Answer{{Given: math.NaN()}, {Given: -1}, {Saved: math.Inf(-1)}} {
		if _, err := budget.ParseAnswers(budget.AppendAnswers(nil, &budget.Answers{a})); !errors.Is(err, budget.ErrMalformed) {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

func FuzzParseMinute(f *testing.F) {
	var tally capacity.Tally
	tally.Consumed[capacity.Writes], tally.Refused[capacity.Reads][capacity.AccountLimit] = 12.5, 300
	f.Add(budget.Minute{7: tally, 300: {}}.Append(nil))
	f.Add([]byte{1, 200})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := budget.ParseMinute(b)
		if err != nil {
			if !errors.Is(err, budget.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if back, err := budget.ParseMinute(m.Append(nil)); err != nil || !reflect.DeepEqual(back, m) {
			t.Fatalf("%+v reads back as %+v, %v", m, back, err)
		}
	})
}
