package rebalance

import (
	"cmp"
	"slices"

	"stator/internal/partition/command"
)

// Report is what a node says of itself, and of the partitions that it leads. It is soft: it is asked for again and again,
// and nobody keeps it.
type Report struct {
	Node    uint64 `json:"node"`
	Release string `json:"release,omitempty"`
	// Reads is the newest format of stored bytes that its process reads.
	Reads     int   `json:"reads,omitempty"`
	DiskBytes int64 `json:"disk_bytes,omitempty"`
	FreeBytes int64 `json:"free_bytes,omitempty"`
	// UsedBytes is what the store takes.
	UsedBytes int64 `json:"used_bytes,omitempty"`
	// Heat is what its hottest replicas serve, leading or not; the others serve next to nothing.
	Heat []Heat `json:"heat,omitempty"`
	// Damaged are replicas that are out of service, at most DamagedMax.
	Damaged []Damaged `json:"damaged,omitempty"`
	Leads   []Led     `json:"-"`
}

// Damaged is a replica that is out of service for so long, as it found itself to be damaged.
type Damaged struct {
	Partition uint64 `json:"p"`
	Replica   uint64 `json:"r"`
	ForMillis int64  `json:"ms"`
}

// DamagedMax bounds the damaged replicas that a node tells of: they are made anew one at a time.
const DamagedMax = 64

// Heat is what a replica serves: 1 is the most that one copy of a partition does.
type Heat struct {
	Partition uint64  `json:"p"`
	Heat      float64 `json:"h"`
}

// Of a report, only the heat of so many replicas tells anything, and of those that serve a hundredth of what they could.
const (
	heatsMax = 256
	heatMin  = 0.01
)

// Hottest keeps of some heat what is told of.
func Hottest(all []Heat) []Heat {
	all = slices.DeleteFunc(all, func(h Heat) bool { return h.Heat < heatMin })
	slices.SortFunc(all, func(a, b Heat) int { return cmp.Or(cmp.Compare(b.Heat, a.Heat), cmp.Compare(a.Partition, b.Partition)) })
	return all[:min(len(all), heatsMax)]
}

// Led is a partition as its leader knows it.
type Led struct {
	Partition uint64
	// Epoch is the leadership's: of two that claim one partition, the later one is right.
	Epoch      uint64
	Generation uint64
	Members    []Member
	Items      int64
	Bytes      int64
	// ReadBytes is how much of it was read in search of the middle at which it is to be split.
	ReadBytes int64
	// Changing tells that a change of members is half done.
	Changing bool
}

// Member is a replica, with whether its log is near the leader's.
type Member struct {
	command.Member
	Current bool
}

// on finds the replica on a node.
func (l *Led) on(node uint64) (Member, bool) {
	for _, m := range l.Members {
		if m.Node == node {
			return m, true
		}
	}
	return Member{}, false
}
