package cluster_test

import (
	"testing"
	"time"

	"stator/sim/cluster"
	"stator/sim/planted"
	"stator/sim/seeds"
)

var simulator = seeds.Simulator[cluster.Result]{
	Package: "./sim/cluster", Seeds: 12, Time: 45 * time.Second, Shows: 10, Run: cluster.Run,
}

func TestSeeds(t *testing.T)        { simulator.Many(t) }
func TestKeptSeeds(t *testing.T)    { simulator.Kept(t, 1795990859) }
func TestASeedReplays(t *testing.T) { simulator.Replays(t, 1, 2) }

// The simulator must be able to fail:
//
//	go test ./sim/cluster -run TestPlanted -planted . -v -timeout 4h
func TestPlanted(t *testing.T) { planted.Find(t, 200) }
