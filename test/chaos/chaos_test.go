package chaos_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	chaosTime = flag.Duration("chaos", 0, "how long TestChaos goes on; 0 passes it over")
	chaosSeed = flag.Uint64("seed", 0, "the seed of TestChaos's faults; 0 draws one")
)

// workload is what the clients of all kinds share.
type workload struct {
	*fleet
	begun time.Time
	tags  atomic.Int64
	// done and unknown count deeds by kind.
	mu            sync.Mutex // guards what follows
	done, unknown map[string]int
}

func (l *workload) now() int64 { return int64(time.Since(l.begun)) }
func (l *workload) tag() int64 { return l.tags.Add(1) }

const (
	deedMax    = 5 * time.Second
	deedPause  = 5 * time.Millisecond
	errorPause = 50 * time.Millisecond
)

// client makes one deed after the other until ctx ends.
func (l *workload) client(ctx context.Context, kind string, number int, step func(ctx context.Context, number int) error) {
	for ctx.Err() == nil {
		one, cancel := context.WithTimeout(context.Background(), deedMax)
		err := step(one, number)
		cancel()
		l.mu.Lock()
		l.done[kind]++
		if err != nil {
			l.unknown[kind]++
		}
		l.mu.Unlock()
		if err != nil {
			time.Sleep(errorPause)
		}
		time.Sleep(deedPause)
	}
}

const (
	chaosNodes      = 4
	registerClients = 6
	bankClients     = 3
	writerClients   = 4
	healMax         = 3 * time.Minute
	nemesisEvery    = 4 * time.Second
	nemesisLasts    = 5 * time.Second
	clockEvery      = 15 * time.Second
	clockLasts      = 10 * time.Second
	layoutEvery     = 2 * time.Second
	// calmTries are made of each request before and after the trouble: a machine that is busy otherwise must not look like a loss.
	calmTries = 20
)

// Whatever happens to nodes, to the network between them, to their clocks and to the layout, what clients were told holds: items are
// linearizable, transactions serialisable, nothing that was acknowledged is lost, indexes, streams and replicas agree.
func TestChaos(t *testing.T) {
	if *chaosTime == 0 {
		t.Skip("it wants the machine for itself: make chaos")
	}
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("to see these faults again: -run TestChaos -chaos %v -seed %d", *chaosTime, seed)
	f := newFleet(t, chaosNodes)
	l := &workload{fleet: f, begun: time.Now(), done: map[string]int{}, unknown: map[string]int{}}
	c := client{Client: patient("http://"+f.all()[0].api, calmTries), t: t}
	items, money, texts := newRegisters(l), &bank{workload: l}, newScribes(l, c, writerClients)
	for _, kind := range []interface{ create(client) }{items, money, texts} {
		kind.create(c)
	}
	if err := f.whole(healMax); err != nil {
		t.Fatal(err)
	}
	history := l.trouble(seed, func(ctx context.Context, running *sync.WaitGroup) {
		for kind, clients := range map[string]struct {
			count int
			step  func(context.Context, int) error
		}{"registers": {registerClients, items.step}, "bank": {bankClients, money.step}, "writers": {writerClients, texts.step}} {
			for number := range clients.count {
				running.Go(func() { l.client(ctx, kind, number, clients.step) })
			}
		}
	})
	t.Log(history)
	if !t.Failed() {
		l.atRest(items, money, texts)
	}
}

// trouble runs the clients under all nemeses, then mends everything. It returns the history of the faults.
func (l *workload) trouble(seed uint64, clients func(context.Context, *sync.WaitGroup)) string {
	var mu sync.Mutex
	var history strings.Builder
	note := func(family string) func(string, ...any) {
		return func(format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(&history, "  %8.3f %s: %s\n", time.Since(l.begun).Seconds(), family, fmt.Sprintf(format, args...))
		}
	}
	nemeses := []*nemesis{
		{family: "process", faults: processFaults, every: nemesisEvery, lasts: nemesisLasts},
		{family: "network", faults: networkFaults, every: nemesisEvery, lasts: nemesisLasts},
		{family: "clock", faults: clockFaults, every: clockEvery, lasts: clockLasts},
		{family: "layout", faults: layoutFaults, every: layoutEvery, lasts: layoutEvery},
	}
	ctx, cancel := context.WithTimeout(context.Background(), *chaosTime)
	defer cancel()
	loaded, unload := context.WithCancel(context.Background())
	var running, troubling sync.WaitGroup
	clients(loaded, &running)
	for i, n := range nemeses {
		n.fleet, n.done, n.note = l.fleet, map[string]int{}, note(n.family)
		n.random = rand.New(rand.NewPCG(seed, uint64(i)))
		troubling.Go(func() { n.run(ctx) })
	}
	troubling.Wait()
	l.heal()
	if err := nemeses[0].reviveAll(); err != nil {
		l.t.Error(err)
	}
	note("end")("all is mended")
	if err := l.whole(healMax); err != nil {
		l.t.Error(err)
	}
	note("end")("all is whole")
	unload()
	running.Wait()
	faults := 0
	for _, n := range nemeses {
		for _, name := range slices.Sorted(maps.Keys(n.counts())) {
			faults += n.counts()[name]
			l.t.Logf("%s: %d times %s", n.family, n.counts()[name], name)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(l.done)) {
		l.t.Logf("%s: %d deeds, of which %d were not answered", kind, l.done[kind], l.unknown[kind])
	}
	l.t.Logf("%d faults in %v", faults, *chaosTime)
	return "the faults, by the second:\n" + history.String()
}

// atRest checks everything once nobody writes any more.
func (l *workload) atRest(items *registers, money *bank, texts *scribes) {
	t, endpoint := l.t, "http://"+l.all()[0].api
	at := client{Client: patient(endpoint, calmTries), t: t}
	l.mu.Lock()
	for _, kind := range []string{"registers", "bank", "writers"} {
		if l.done[kind]-l.unknown[kind] < 10 {
			t.Errorf("%s: only %d deeds were answered: the run shows nothing", kind, l.done[kind]-l.unknown[kind])
		}
	}
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), settleMax)
	defer cancel()
	for money.audits = 0; money.audits == 0 && ctx.Err() == nil; {
		_ = money.audit(ctx, 0) // asked again until it is answered
	}
	if money.audits == 0 {
		t.Errorf("the bank cannot be audited within %v", settleMax)
	}
	for key := range items.deeds {
		if err := items.read(ctx, at.Client, 0, key); err != nil {
			t.Errorf("reading %s at rest: %v", key, err)
		}
	}
	for _, complaint := range slices.Concat(items.check(), money.check()) {
		t.Error(complaint)
	}
	texts.check(at, endpoint)
	l.sameSums()
}
