package node

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What a step panics with ends the process also where a request makes the step and recovers: the partition would be stepped by
// nobody any more.
func TestAFaultInALentStepEndsTheProcess(t *testing.T) {
	const asked = "STATOR_TEST_FAULTY_STEP"
	if os.Getenv(asked) != "" {
		x := newExecutors()
		x.lent = true
		defer func() { _ = recover() }()
		(&task{pool: x}).queued() // without a replica
		return
	}
	again := exec.Command(os.Args[0], "-test.run=^TestAFaultInALentStepEndsTheProcess$")
	again.Env = append(os.Environ(), asked+"=1")
	said, err := again.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "in a step") || !strings.Contains(string(said), "(*Replica).Step") {
		t.Errorf("it goes on: %v, %s", err, said)
	}
}
