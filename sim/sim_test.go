package sim_test

import (
	"io"
	"testing"
	"time"

	"stator/sim"
	"stator/sim/seeds"
)

var simulator = seeds.Simulator[sim.Result]{
	Package: "./sim", First: 1, Seeds: 30, Time: time.Hour, Shows: 30,
	Run: func(seed uint64, log io.Writer) (sim.Result, error) {
		return sim.Run(sim.Options{Seed: seed, Log: log})
	},
}

func TestSeeds(t *testing.T)        { simulator.Many(t) }
func TestASeedReplays(t *testing.T) { simulator.Replays(t, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) }
