package budget

import "stator/internal/model/capacity"

// Round is what a node asks the keeper of one payer's budgets.
type Round struct {
	capacity.Payer
	Asks [capacity.Kinds]Ask
}

// Due begins all rounds for which it is time. Each has to be ended, by Answered or Unanswered.
func (b *Budget) Due() []Round {
	var rounds []Round
	if b.options.Nodes == nil {
		return nil
	}
	now := b.options.Now()
	for _, a := range *b.accounts.Load() {
		a.mu.Lock()
		due := false
		for kind := range capacity.Kinds {
			due = due || a.purses[kind].due(now)
		}
		if due {
			round := Round{Payer: a.payer}
			for kind := range capacity.Kinds {
				round.Asks[kind] = a.purses[kind].ask(now)
			}
			rounds = append(rounds, round)
		}
		a.mu.Unlock()
	}
	return rounds
}

// Answered ends a round with what the keeper gave.
func (b *Budget) Answered(r Round, answers Answers) {
	a := b.account(r.Payer)
	a.mu.Lock()
	defer a.mu.Unlock()
	for kind := range capacity.Kinds {
		a.purses[kind].answered(r.Asks[kind], answers[kind], b.options.Now())
	}
}

// Unanswered ends a round that found no keeper.
func (b *Budget) Unanswered(r Round) {
	a := b.account(r.Payer)
	a.mu.Lock()
	defer a.mu.Unlock()
	for kind := range capacity.Kinds {
		a.purses[kind].unanswered()
	}
}
