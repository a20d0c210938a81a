package rpc

// attendants are goroutines that have answered a call and wait for the next one, which finds a stack that has grown
// already: on a new one growing it costs more than all else that rpc does for a call.
type attendants struct {
	calls   chan attendance
	waiting chan struct{} // holds a place for each that waits
	done    chan struct{} // closed when the server has closed
}

// attendance is a call with where it came from.
type attendance struct {
	in   *inbound
	call entry
}

// attendantsMax bounds those that wait: more calls than that at once have goroutines of their own.
const attendantsMax = 64

func newAttendants() *attendants {
	return &attendants{calls: make(chan attendance), waiting: make(chan struct{}, attendantsMax), done: make(chan struct{})}
}

// serve has a call answered, by one that waits if there is one.
func (a *attendants) serve(in *inbound, e entry) {
	to := attendance{in, e}
	select {
	case a.calls <- to:
	default:
		go a.attend(to)
	}
}

func (a *attendants) attend(to attendance) {
	for {
		to.in.serve(to.call)
		to = attendance{}
		select {
		case a.waiting <- struct{}{}:
		default:
			return
		}
		select {
		case to = <-a.calls:
			<-a.waiting
		case <-a.done:
			<-a.waiting
			return
		}
	}
}
