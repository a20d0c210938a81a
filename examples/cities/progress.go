package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const barWidth = 40

// progress shows how far the load is: a bar that redraws itself on a terminal, a line every tenth elsewhere.
type progress struct {
	total    int
	began    time.Time
	terminal bool

	mu    sync.Mutex // guards the rest
	done  int
	shown int // what of: hundredths on a terminal, tenths elsewhere
}

func newProgress(total int) *progress {
	status, err := os.Stderr.Stat()
	return &progress{total: total, began: time.Now(), terminal: err == nil && status.Mode()&os.ModeCharDevice != 0, shown: -1}
}

func (p *progress) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	steps := 10
	if p.terminal {
		steps = 100
	}
	if step := p.done * steps / p.total; step != p.shown {
		p.shown = step
		p.draw()
	}
}

// draw writes the bar's present state. The caller holds mu.
func (p *progress) draw() {
	full := barWidth * p.done / p.total
	bar := strings.Repeat("#", full) + strings.Repeat(".", barWidth-full)
	line := fmt.Sprintf("[%s] %3d %%  %d of %d  %.0f items/s", bar, 100*p.done/p.total, p.done, p.total, p.rate())
	if p.terminal {
		fmt.Fprintf(os.Stderr, "\r%s\x1b[K", line)
		return
	}
	fmt.Fprintln(os.Stderr, line)
}

func (p *progress) rate() float64 {
	return float64(p.done) / max(time.Since(p.began).Seconds(), 0.001)
}

// finish leaves the bar behind and says what the load took.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		fmt.Fprintln(os.Stderr)
	}
	fmt.Printf("Loaded %d of %d places in %s (%.0f items/s).\n", p.done, p.total, seconds(time.Since(p.began)), p.rate())
}
