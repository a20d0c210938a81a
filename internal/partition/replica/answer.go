package replica

import (
	"sync"

	"stator/internal/partition/command"
	"stator/internal/partition/machine"
)

// decided are the commands of a pass with what was decided about them: each is answered once, when its batch has ended.
//
// Where logs are ordered, an accepted step of a transaction is answered earlier: as soon as the log has its batch. Whatever
// its coordinator asks for next is appended behind it, wherever that is, and so becomes durable after it; and only the last
// of a transaction's commands, which is no step, shows anything to anybody. A refusal waits: it is the end.
type decided struct {
	taken   []pending
	answers []machine.Answer
	ordered bool
	steps   sync.Once
}

// answer tells everybody what became of the batch.
func (d *decided) answer(outcome Outcome) {
	d.answerSteps(outcome)
	for i := range d.taken {
		if !d.isStep(i) {
			d.tell(i, outcome)
		}
	}
}

// answerSteps tells whoever asked for a step. The log may have ended the batch before it says that it has it.
func (d *decided) answerSteps(outcome Outcome) {
	if !d.ordered {
		return
	}
	d.steps.Do(func() {
		for i := range d.taken {
			if d.isStep(i) {
				d.tell(i, outcome)
			}
		}
	})
}

func (d *decided) isStep(i int) bool {
	a := &d.answers[i]
	return d.ordered && a.Err == nil && a.Result.Refusal == command.Accepted && d.taken[i].command.IsStep()
}

func (d *decided) tell(i int, outcome Outcome) {
	done, answer := d.taken[i].done, &d.answers[i]
	switch {
	case answer.Err != nil:
		done(command.Result{}, answer.Err)
	case outcome == Performed:
		done(answer.Result, nil)
	case outcome == Rejected:
		done(command.Result{}, &command.Rejected{Cause: errLogFailed})
	default:
		done(command.Result{}, &command.Ambiguous{Cause: errLogFailed})
	}
}
