package rebalance

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"stator/internal/base/wire"
	"stator/internal/partition/command"
)

var errMalformed = errors.New("what a node says of itself cannot be read")

// A member's marks.
const (
	markLearner = 1 << iota
	markCurrent
)

// AppendReport appends a report's bytes to dst: the node's own part as JSON, which later releases may add to ‖ the count of
// partitions ‖ each. Those are many, and every node tells of them every two seconds: in JSON they take nine times as much.
func AppendReport(dst []byte, r *Report) ([]byte, error) {
	own, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("writing what this node says of itself: %w", err)
	}
	dst = binary.AppendUvarint(wire.AppendBytes(dst, own), uint64(len(r.Leads)))
	for i := range r.Leads {
		dst = appendLed(dst, &r.Leads[i])
	}
	return dst, nil
}

// appendLed appends partition ‖ epoch ‖ generation ‖ items ‖ bytes ‖ bytes read ‖ whether its members change ‖ their count ‖ of
// each its marks, replica and node.
func appendLed(dst []byte, l *Led) []byte {
	dst = binary.AppendUvarint(dst, l.Partition)
	dst = binary.AppendUvarint(dst, l.Epoch)
	dst = binary.AppendUvarint(dst, l.Generation)
	dst = binary.AppendVarint(dst, l.Items)
	dst = binary.AppendVarint(dst, l.Bytes)
	dst = binary.AppendVarint(dst, l.ReadBytes)
	dst = binary.AppendUvarint(wire.AppendBool(dst, l.Changing), uint64(len(l.Members)))
	for _, m := range l.Members {
		marks := byte(0)
		if m.Learner {
			marks |= markLearner
		}
		if m.Current {
			marks |= markCurrent
		}
		dst = binary.AppendUvarint(append(dst, marks), m.Replica)
		dst = binary.AppendUvarint(dst, m.Node)
	}
	return dst
}

// The least that a partition and a member take.
const (
	ledBytesMin    = 8
	memberBytesMin = 3
)

// ParseReport reads what AppendReport wrote.
func ParseReport(b []byte) (Report, error) {
	r := wire.NewReader(b)
	var report Report
	if err := json.Unmarshal(r.Part(), &report); err != nil {
		return Report{}, errMalformed
	}
	if count := r.Count(ledBytesMin); count > 0 {
		report.Leads = make([]Led, count)
	}
	for i := range report.Leads {
		report.Leads[i] = takeLed(&r)
	}
	if !r.Whole() {
		return Report{}, errMalformed
	}
	return report, nil
}

func takeLed(r *wire.Reader) Led {
	l := Led{
		Partition: r.Uvarint(), Epoch: r.Uvarint(), Generation: r.Uvarint(), Items: r.Varint(), Bytes: r.Varint(),
		ReadBytes: r.Varint(), Changing: r.Bool(),
	}
	if count := r.Count(memberBytesMin); count > 0 {
		l.Members = make([]Member, count)
	}
	for i := range l.Members {
		marks := r.Byte()
		l.Members[i] = Member{
			Member:  command.Member{Learner: marks&markLearner != 0, Replica: r.Uvarint(), Node: r.Uvarint()},
			Current: marks&markCurrent != 0,
		}
	}
	return l
}
