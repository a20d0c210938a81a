package sim_test

import (
	"flag"
	"testing"

	"stator/sim"
)

var bankRounds = flag.Int("bank-rounds", 1, "how often the tests of banks are repeated, with other seeds")

// A transaction is whole or absent, whatever happens between any two of its steps, and no lock is left.
func TestEveryStepOfATransaction(t *testing.T) {
	for _, fault := range []sim.Fault{sim.Crash, sim.Die, sim.Split} {
		t.Run(string(fault), func(t *testing.T) {
			for seed := range uint64(4 * *bankRounds) {
				steps := 0
				for at := 1; at == 1 || at <= steps; at++ {
					result, err := sim.Run(sim.Options{
						Seed: seed, Operations: 2, Crashes: -1, Calm: true,
						Bank: &sim.Bank{Accounts: 4, Clients: 1, Partitions: 4, FaultAt: at, Fault: fault},
					})
					if err != nil {
						t.Fatalf("at step %d: %v", at, err)
					}
					steps = max(steps, result.Bank.Passes)
				}
				if steps < 4 {
					t.Errorf("seed %d: a transaction had only %d steps", seed, steps)
				}
			}
		})
	}
}

// The same for a crash at every sync, before it and after it.
func TestEverySyncOfATransaction(t *testing.T) {
	for at := 1; ; at++ {
		syncs := 0
		for _, after := range []bool{false, true} {
			result, err := sim.Run(sim.Options{
				Seed: uint64(at), Operations: 3, Crashes: -1, Calm: true, CrashAtSync: at, AfterSync: after,
				Bank: &sim.Bank{Accounts: 4, Clients: 1, Partitions: 4},
			})
			if err != nil {
				t.Fatalf("at sync %d, after it %t: %v", at, after, err)
			}
			syncs = max(syncs, result.Crashes)
		}
		if syncs == 0 {
			t.Logf("%d syncs", at-1)
			return
		}
	}
}

// Many short histories: whatever the clients saw has an order.
func TestBankHasAnOrder(t *testing.T) {
	runBanks(t, 40, func(seed uint64) sim.Options {
		return sim.Options{Seed: seed, Operations: 240, Bank: &sim.Bank{Accounts: 10, Clients: 8, Partitions: 1 + int(seed%5)}}
	})
}

// Long ones: 32 clients, 100 accounts, and the money stays.
func TestBankKeepsItsMoney(t *testing.T) {
	runBanks(t, 3, func(seed uint64) sim.Options {
		return sim.Options{Seed: 1000 + seed, Operations: 4000, Crashes: 4, Bank: &sim.Bank{Accounts: 100, Clients: 32, Partitions: 4}}
	})
}

func runBanks(t *testing.T, seeds int, options func(seed uint64) sim.Options) {
	t.Helper()
	var sum sim.Result
	for seed := range uint64(seeds * *bankRounds) {
		result, err := sim.Run(options(seed))
		if err != nil {
			t.Fatal(err)
		}
		sum.Committed += result.Committed
		sum.Transactions += result.Transactions
		sum.Crashes += result.Crashes
		sum.Splits += result.Splits
		sum.Bank.Audits += result.Bank.Audits
	}
	t.Logf("%d transactions of which %d were performed, %d audits, %d crashes, %d splits",
		sum.Transactions, sum.Committed, sum.Bank.Audits, sum.Crashes, sum.Splits)
}
