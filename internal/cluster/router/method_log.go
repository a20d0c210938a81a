package router

import (
	"context"
	"encoding/binary"

	"stator/internal/partition/command"
	"stator/internal/partition/replica"
)

// The methods by which change logs are read.
var (
	listingShards = &method[command.ShardPlace, []command.Shard]{
		number: methodShardsOf, leader: always[command.ShardPlace],
		answer: func(ctx context.Context, wait replica.Wait, from *replica.Replica, of *command.ShardPlace) ([]command.Shard, error) {
			return from.ShardsOf(ctx, wait, *of)
		},
		question: bytesOf[command.ShardPlace]{command.AppendShardPlace, command.ParseShardPlace},
		reply:    bytesOf[[]command.Shard]{appendShards, parseShards},
	}
	readingShard = &method[command.LogPlan, command.LogPage]{
		number: methodShardLog, leader: always[command.LogPlan],
		answer: func(ctx context.Context, wait replica.Wait, from *replica.Replica, p *command.LogPlan) (command.LogPage, error) {
			return from.ShardLog(ctx, wait, *p)
		},
		question: bytesOf[command.LogPlan]{command.AppendLogPlan, command.ParseLogPlan},
		reply:    bytesOf[command.LogPage]{command.AppendLogPage, command.ParseLogPage},
	}
	seekingShard = &method[moment, uint64]{
		number: methodShardSince, leader: always[moment],
		answer: func(ctx context.Context, wait replica.Wait, from *replica.Replica, m *moment) (uint64, error) {
			return from.ShardSince(ctx, wait, m.at, m.version)
		},
		question: bytesOf[moment]{appendMoment, parseMoment},
		reply:    bytesOf[uint64]{appendNumber, parseNumber},
	}
	readingChanges = &method[command.ChangesPlan, command.LogPage]{
		number: methodChanges, leader: func(p *command.ChangesPlan) bool { return p.Strong },
		answer: func(ctx context.Context, wait replica.Wait, from *replica.Replica, p *command.ChangesPlan) (command.LogPage, error) {
			return from.ChangesAndWait(ctx, wait, *p)
		},
		question: bytesOf[command.ChangesPlan]{command.AppendChangesPlan, command.ParseChangesPlan},
		reply:    bytesOf[command.LogPage]{command.AppendLogPage, command.ParseLogPage},
	}
)

// moment is a version that is looked for in a shard.
type moment struct {
	at      command.ShardPlace
	version uint64
}

func appendMoment(dst []byte, m *moment) []byte {
	return command.AppendShardPlace(binary.BigEndian.AppendUint64(dst, m.version), &m.at)
}

func parseMoment(b []byte) (m moment, err error) {
	if len(b) < 8 {
		return moment{}, command.ErrMalformed
	}
	m.version = binary.BigEndian.Uint64(b)
	m.at, err = command.ParseShardPlace(b[8:])
	return m, err
}

func appendShards(dst []byte, shards *[]command.Shard) []byte {
	return command.AppendShardList(dst, &command.ShardList{Shards: *shards})
}

func parseShards(b []byte) ([]command.Shard, error) {
	list, err := command.ParseShardList(b)
	return list.Shards, err
}
