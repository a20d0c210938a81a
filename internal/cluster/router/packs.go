package router

import (
	"context"
	"slices"

	"stator/internal/base/trace"
)

// pack is what one partition is brought of a request that names several keys: those at some places.
type pack struct {
	aim
	at []int
	// err is why there is no copy to bring them to, and then what became of them.
	err error
}

// packs cuts the keys at some places by the partition that holds them, in the order in which they first name one: the same
// request goes the same way twice. n counts the tries of the request.
func (r *Router) packs(ctx context.Context, at []int, n int, key func(place int) (tableID uint64, suffix []byte)) []pack {
	_, span := trace.Begin(ctx, trace.Lookup)
	defer span.End(nil)
	var all []pack
	for _, i := range at {
		p, err := r.locate(key(i))
		if err != nil {
			all = append(all, pack{err: err, at: []int{i}})
			continue
		}
		same := slices.IndexFunc(all, func(b pack) bool { return b.partition == p.ID })
		if same < 0 {
			same = len(all)
			to, err := r.aim(p, true, n)
			to.partition = p.ID
			all = append(all, pack{aim: to, err: err})
		}
		all[same].at = append(all[same].at, i)
	}
	return all
}

// bring calls with every pack, those that go far side by side, unless there is one that cannot be brought anywhere.
func (r *Router) bring(packs []pack, with func(p *pack) error) error {
	if err := firstFailure(packs); err != nil {
		return err
	}
	r.sideBySide(len(packs), func(i int) bool { return packs[i].node != 0 }, func(i int) { packs[i].err = with(&packs[i]) })
	return firstFailure(packs)
}

// firstFailure is the first error of some packs.
func firstFailure(packs []pack) error {
	for i := range packs {
		if packs[i].err != nil {
			return packs[i].err
		}
	}
	return nil
}
