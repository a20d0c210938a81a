package replication_test

import (
	"testing"
	"time"

	"stator/sim/planted"
	"stator/sim/replication"
	"stator/sim/seeds"
)

var simulator = seeds.Simulator[replication.Result]{
	Package: "./sim/replication", Seeds: 200, Time: 5 * time.Minute, Shows: 20, Run: replication.Run,
}

// kept are seeds that found something once.
var kept = []uint64{
	3507807892975130, // a learner that came late was never settled by the simulator: nothing could be split or moved any more
	3507807892976643, // a copy went while its node stood still, and the simulator asked it to hand over
}

func TestSeeds(t *testing.T)        { simulator.Many(t) }
func TestKeptSeeds(t *testing.T)    { simulator.Kept(t, kept...) }
func TestASeedReplays(t *testing.T) { simulator.Replays(t, 1, 2, 3) }

// The simulator must be able to fail:
//
//	go test ./sim/replication -run TestPlanted -planted . -v -timeout 2h
func TestPlanted(t *testing.T) { planted.Find(t, 1000) }
