package rpc

// inbox is a stream's other end: it puts the parts of parcels together again.
type inbox struct {
	// parcels are what has come of those that are not whole, by their number. The capacity of each is what it will take.
	parcels map[uint64][]byte
	bytes   int // the sum of the capacities
}

// parcelsMax bounds those under way on one stream; messageBytesMax bounds what all of them will take. A sender keeps to
// both by what its outbox holds.
const parcelsMax = messageBytesMax / partBytesMax

// receiver is the reading half of a stream, of either side.
type receiver interface{ RecvMsg(m any) error }

// receive hands out the entries that come on a stream, and says after each frame that it heard something, until the stream
// or one of the two functions fails. What had come of parcels is then forgotten.
func receive(from receiver, heard func() error, take func(*entry) error) error {
	in := inbox{parcels: map[uint64][]byte{}}
	for {
		var p packet
		if err := from.RecvMsg(&p); err != nil {
			return err
		}
		if err := in.open(p.bytes, take); err != nil {
			return err
		}
		if err := heard(); err != nil {
			return err
		}
	}
}

// open takes a frame apart.
func (in *inbox) open(frame []byte, take func(*entry) error) error {
	for len(frame) > 0 {
		e, rest, err := parseEntry(frame)
		if err != nil {
			return err
		}
		frame = rest
		switch {
		case e.parcel == 0:
			err = take(&e)
		case e.kind == kindPart:
			err = in.add(&e)
		case !in.end(&e):
			err = errFrame
		case e.kind != kindVoid:
			err = take(&e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add keeps a part, which is the first of a parcel or follows what came of it. The end of the parcel must be still to come.
func (in *inbox) add(part *entry) error {
	body, known := in.parcels[part.parcel]
	if !known {
		if len(in.parcels) == parcelsMax || part.size > uint64(messageBytesMax-in.bytes) {
			return errFrame
		}
		body = make([]byte, 0, part.size)
		in.bytes += cap(body)
	}
	if part.offset != uint64(len(body)) || part.size != uint64(cap(body)) || len(part.body) >= cap(body)-len(body) {
		return errFrame
	}
	in.parcels[part.parcel] = append(body, part.body...)
	return nil
}

// end gives the entry that ends a parcel its whole body, and lets the parcel go. It is false if that is not what was begun.
func (in *inbox) end(e *entry) bool {
	body, known := in.parcels[e.parcel]
	if !known || e.kind != kindVoid && len(e.body) != cap(body)-len(body) {
		return false
	}
	e.body = append(body, e.body...)
	delete(in.parcels, e.parcel)
	in.bytes -= cap(body)
	return true
}
