package multiraft

import (
	"fmt"

	"go.etcd.io/raft/v3"

	"stator/internal/base/must"
)

// logger hears what the raft library says. What it tells on its way is dropped: Status tells the same. What it would end
// the process for is a broken invariant of one copy.
type logger struct{}

var _ raft.Logger = logger{}

func (logger) Debug(...any)            {}
func (logger) Debugf(string, ...any)   {}
func (logger) Info(...any)             {}
func (logger) Infof(string, ...any)    {}
func (logger) Warning(...any)          {}
func (logger) Warningf(string, ...any) {}
func (logger) Error(...any)            {}
func (logger) Errorf(string, ...any)   {}

func (logger) Fatal(v ...any)                 { must.That(false, "%s", fmt.Sprint(v...)) }
func (logger) Fatalf(format string, v ...any) { must.That(false, format, v...) }
func (logger) Panic(v ...any)                 { must.That(false, "%s", fmt.Sprint(v...)) }
func (logger) Panicf(format string, v ...any) { must.That(false, format, v...) }
