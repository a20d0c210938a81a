package scaling

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Bounds of what is remembered: of each target the newest activities, for six weeks.
const (
	activitiesMax = 50
	activityAge   = 42 * 24 * time.Hour
)

// The API's ScalingActivityStatusCode.
const (
	Successful = "Successful"
	Failed     = "Failed"
)

// Activity is one thing that was done to a target or tried. Those of a target are in order, the newest first.
type Activity struct {
	Description string `json:"description"`
	Cause       string `json:"cause"`
	StartMillis int64  `json:"startMillis"`
	EndMillis   int64  `json:"endMillis"`
	Status      string `json:"status"`
	Message     string `json:"message"`
}

// Key is a UUID that tells an activity of a target from its others.
func (a *Activity) Key(id ID) string {
	sum := md5.Sum([]byte(id.Resource() + id.Dimension() + a.Description + strconv.FormatInt(a.StartMillis, 10)))
	h := hex.EncodeToString(sum[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// rescaled is the activity that set units, or failed to for a reason.
func (id ID) rescaled(d Decision, failure string) Activity {
	a := Activity{Description: fmt.Sprintf("Setting %s to %d.", id.words(), d.Units), Cause: d.Cause, Status: Successful}
	if failure == "" {
		a.Message = fmt.Sprintf("Successfully set %s to %d. Change successfully fulfilled by dynamodb.", id.words(), d.Units)
	} else {
		a.Status, a.Message = Failed, fmt.Sprintf("Failed to set %s to %d. Reason: %s", id.words(), d.Units, failure)
	}
	return a
}

// remember adds an activity, unless it is a failure that repeats the newest one: what failed is tried again and again.
func (t *Target) remember(a Activity) bool {
	if len(t.Activities) > 0 && a.Status == Failed {
		if last := &t.Activities[0]; last.Status == Failed && last.Description == a.Description && last.Message == a.Message {
			return false
		}
	}
	t.Activities = slices.Insert(t.Activities, 0, a)
	oldest := a.StartMillis - activityAge.Milliseconds()
	t.Activities = slices.DeleteFunc(t.Activities, func(a Activity) bool { return a.StartMillis < oldest })
	t.Activities = t.Activities[:min(len(t.Activities), activitiesMax)]
	return true
}
