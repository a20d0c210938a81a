package command

import (
	"encoding/binary"
	"slices"

	"stator/internal/base/wire"
)

// The fields of a transaction's part that are there, as bits; they follow in this order, behind the id.
const (
	withRecord uint64 = 1 << iota
	withHash
	withActions
	withParticipants
	withKeys
	withCommitVersion
	withPartSent
	withForgotten
	withPartEnd // the first bit that is none of them
)

func appendTransaction(dst []byte, t *Transaction) []byte {
	fields := t.fields()
	dst = binary.AppendUvarint(append(dst, t.ID[:]...), fields)
	if fields&withRecord != 0 {
		dst = appendPlace(dst, t.Record)
	}
	if fields&withHash != 0 {
		dst = append(dst, t.Hash[:]...)
	}
	if fields&withActions != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(t.Actions)))
		for _, action := range t.Actions {
			dst = appendCommand(slices.Grow(dst, headBytes+len(action.Key)+len(action.Item)), action)
		}
	}
	if fields&withParticipants != 0 {
		dst = appendPlaces(dst, t.Participants)
	}
	if fields&withKeys != 0 {
		dst = appendKeys(dst, t.Keys)
	}
	if fields&withCommitVersion != 0 {
		dst = binary.AppendUvarint(dst, t.Version)
	}
	if fields&withPartSent != 0 {
		dst = binary.AppendVarint(dst, t.SentMillis)
	}
	if fields&withForgotten != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(t.Forgotten)))
		for i := range t.Forgotten {
			dst = append(wire.AppendBytes(dst, t.Forgotten[i].Suffix), t.Forgotten[i].ID[:]...)
		}
	}
	return dst
}

func (t *Transaction) fields() (fields uint64) {
	set := func(field uint64, there bool) {
		if there {
			fields |= field
		}
	}
	set(withRecord, t.Record.Table != 0 || len(t.Record.Suffix) > 0)
	set(withHash, t.Hash != [16]byte{})
	set(withActions, len(t.Actions) > 0)
	set(withParticipants, len(t.Participants) > 0)
	set(withKeys, len(t.Keys) > 0)
	set(withCommitVersion, t.Version != 0)
	set(withPartSent, t.SentMillis != 0)
	set(withForgotten, len(t.Forgotten) > 0)
	return fields
}

func takeTransaction(r *wire.Reader) *Transaction {
	t := &Transaction{ID: takeID(r)}
	fields := r.Uvarint()
	if fields >= withPartEnd {
		r.Fail()
	}
	if fields&withRecord != 0 {
		t.Record = takePlace(r)
	}
	if fields&withHash != 0 {
		t.Hash = takeID(r)
	}
	if fields&withActions != 0 {
		t.Actions = takeActions(r)
	}
	if fields&withParticipants != 0 {
		t.Participants = takePlaces(r)
	}
	if fields&withKeys != 0 {
		t.Keys = takeKeys(r)
	}
	if fields&withCommitVersion != 0 {
		t.Version = r.Uvarint()
	}
	if fields&withPartSent != 0 {
		t.SentMillis = r.Varint()
	}
	if fields&withForgotten != 0 {
		t.Forgotten = many[Forgotten](r, 1+len(TransactionID{}))
		for i := range t.Forgotten {
			t.Forgotten[i] = Forgotten{Suffix: r.Bytes(), ID: takeID(r)}
		}
	}
	return t
}

func takeActions(r *wire.Reader) []*Command {
	backing := few[Command](r, 4)
	actions := make([]*Command, len(backing))
	for i := range backing {
		takeCommand(r, &backing[i], true)
		actions[i] = &backing[i]
	}
	return actions
}

// takeID takes an id, or a hash.
func takeID(r *wire.Reader) (id [16]byte) {
	copy(id[:], r.Take(len(id)))
	return id
}

func appendPlace(dst []byte, p Place) []byte {
	return wire.AppendBytes(binary.AppendUvarint(dst, p.Table), p.Suffix)
}

func takePlace(r *wire.Reader) Place { return Place{Table: r.Uvarint(), Suffix: r.Bytes()} }

func appendPlaces(dst []byte, places []Place) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(places)))
	for _, p := range places {
		dst = appendPlace(dst, p)
	}
	return dst
}

func takePlaces(r *wire.Reader) []Place {
	places := many[Place](r, 2)
	for i := range places {
		places[i] = takePlace(r)
	}
	return places
}
