package rpc

import "slices"

// parcel is an entry on its way that is too large for one frame. Its body goes in parts, one a frame, between which pings
// and smaller entries leave, and the entry itself comes last, with the end of the body: what it says of the time that is
// left is then true, and a call that is given up until then was certainly not made.
//
// Parcels take turns, so that the smaller one arrives first whichever was begun first.
type parcel struct {
	entry
	number uint64
	sent   int // of the body
	// behind are later entries of the parcel's lane.
	behind []entry
}

// begin makes a parcel of an entry.
func (o *outbox) begin(e *entry) {
	o.begun++
	o.parcels = append(o.parcels, &parcel{entry: *e, number: o.begun})
}

// ahead is the parcel that an entry of a lane has to wait for.
func (o *outbox) ahead(lane uint64) *parcel {
	if lane == 0 {
		return nil
	}
	for _, p := range o.parcels {
		if p.lane == lane {
			return p
		}
	}
	return nil
}

// nextPart takes some of the parcel whose turn it is. It is false if no parcel has anything to send.
func (o *outbox) nextPart() (entry, bool) {
	for len(o.parcels) > 0 {
		p := o.parcels[0]
		o.parcels = slices.Delete(o.parcels, 0, 1)
		rest := p.body[p.sent:]
		if len(rest) > o.partBytes && (p.call == nil || !p.call.withdrawn()) {
			part := entry{kind: kindPart, parcel: p.number, offset: uint64(p.sent), size: uint64(len(p.body)), body: rest[:o.partBytes]}
			p.sent += o.partBytes
			o.parcels = append(o.parcels, p)
			return part, true
		}
		o.waiting = slices.Insert(o.waiting, 0, p.behind...)
		o.leaves(&p.entry)
		if p.call == nil || p.call.claim() {
			p.entry.parcel, p.entry.body = p.number, rest
			return p.entry, true
		}
		if p.sent > 0 {
			return entry{kind: kindVoid, parcel: p.number}, true
		}
	}
	return entry{}, false
}
