package cluster_test

import (
	"flag"
	"testing"

	"stator/sim/planted"
)

var (
	plantedNames = flag.String("planted", "", "plant the bugs of testdata/planted whose names match, and count the seeds that it takes to find each")
	plantedSeeds = flag.Int("planted-seeds", 200, "how many seeds a planted bug may take")
)

// The simulator must be able to fail:
//
//	go test ./sim/cluster -run TestPlanted -planted . -v -timeout 4h
func TestPlanted(t *testing.T) { planted.Find(t, *plantedNames, *plantedSeeds) }
