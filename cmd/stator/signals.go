package main

import (
	"os"
	"os/signal"
	"syscall"
)

// exitInterrupted is the code of a process that a second signal ends without ceremony.
const exitInterrupted = 130

// catchSignals returns a channel that is closed by the first SIGTERM or SIGINT. The second ends the process at once, and
// loses nothing that was answered. SIGHUP reloads the credentials.
func catchSignals(s *server) <-chan struct{} {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	stopping := make(chan struct{})
	go func() {
		stopped := false
		for received := range signals {
			switch {
			case received == syscall.SIGHUP:
				s.reload()
			case stopped:
				os.Exit(exitInterrupted)
			default:
				stopped = true
				close(stopping)
			}
		}
	}()
	return stopping
}
