#!/usr/bin/env bash
# One interleaved comparison of Stator, on disk and synced, with a server that only speaks HTTP, and with PEERS=1 with dynoxide and
# dynalite, on disk too. Every server is started on a directory of its own, which goes afterwards. The report also lands in results/.
#
#   ROUNDS=7 DURATION=2s CONNECTIONS=64 ITEMS=100000 PEERS= ARGS= PORT=18700   ARGS are further flags of `stator serve`
#   HELLO_WORKLOADS  compared with hello too      SERVER_WORKLOADS  compared among databases only
#   VARIANTS=1 compares with Stator under --auth sigv4, --durability relaxed and --in-memory too
set -euo pipefail
cd "$(dirname "$0")"
ROUNDS=${ROUNDS:-7}
DURATION=${DURATION:-2s}
CONNECTIONS=${CONNECTIONS:-64}
ITEMS=${ITEMS:-100000}
HELLO_WORKLOADS=${HELLO_WORKLOADS:-get,get-strong,put,update-counter,mixed-ycsb-a,mixed-ycsb-b}
SERVER_WORKLOADS=${SERVER_WORKLOADS:-query}
BATCH_CONNECTIONS=${BATCH_CONNECTIONS:-16}
PORT=${PORT:-18700}

. ./servers.sh
"$GO" -C limits build -o ../bin/hello ./hello

# Starts a server that is compared under its name.
compared() { # name port command...
	start "$@"
	pids=${pids:+$pids,}$1=${started[-1]}
	endpoints=${endpoints:+$endpoints,}$1=http://127.0.0.1:$2
}

mkdir -p "$work/stator" "$work/dynalite"
# shellcheck disable=SC2086
compared stator $((PORT + 1)) bin/stator serve --data "$work/stator" --listen "127.0.0.1:$((PORT + 1))" --admin "127.0.0.1:$((PORT + 4))" ${ARGS:-}
variant() {
	local name=$1 port=$2
	shift 2
	compared "$name" "$port" bin/stator serve --data "$work/$name" --listen "127.0.0.1:$port" --admin 127.0.0.1:0 "$@"
}
if [ -n "${VARIANTS:-}" ]; then
	(umask 077 && printf '[bench]\naws_access_key_id = ddbload\naws_secret_access_key = ddbload-secret\n' >"$work/credentials")
	variant sigv4 $((PORT + 5)) --auth sigv4 --credentials "$work/credentials"
	variant relaxed $((PORT + 6)) --durability relaxed
	variant memory $((PORT + 7)) --in-memory
fi
if [ -n "${PEERS:-}" ]; then
	./peers.sh "$work/peers"
	compared dynoxide $((PORT + 2)) "$work/peers/node_modules/@dynoxide/linux-x64/dynoxide" serve --port $((PORT + 2)) --db-path "$work/dynoxide.db"
	compared dynalite $((PORT + 3)) node "$work/peers/node_modules/dynalite/cli.js" --host 127.0.0.1 --port $((PORT + 3)) --path "$work/dynalite"
fi
databases=$endpoints
database_pids=$pids
# hello is named first: ratios are to the first.
endpoints="" pids=""
compared hello "$PORT" bin/hello -kind fasthttp -addr "127.0.0.1:$PORT"
endpoints=$endpoints,$databases
pids=$pids,$database_pids

report=results/$(date -u +%Y%m%dT%H%M%SZ).txt
{
	uname -srm
	nproc | sed 's/$/ cores/'
	bin/ddbload -compare "$databases" -create -load -no-run -items "$ITEMS"
	bin/ddbload -compare "$endpoints" -pid "$pids" -workload "$HELLO_WORKLOADS" -concurrency "$CONNECTIONS" -rounds "$ROUNDS" -duration "$DURATION" -items "$ITEMS"
	bin/ddbload -compare "$databases" -pid "$database_pids" -workload "$SERVER_WORKLOADS" -concurrency "$CONNECTIONS" -rounds "$ROUNDS" -duration "$DURATION" -items "$ITEMS"
	bin/ddbload -compare "$databases" -pid "$database_pids" -workload batchwrite -concurrency "$BATCH_CONNECTIONS" -rounds "$ROUNDS" -duration "$DURATION" -items "$ITEMS"
	echo "a second client reads sampled keys:"
	bin/ddbload -compare "$databases" -workload get-strong -concurrency 1 -rounds 1 -duration 1s -warmup 0s -items "$ITEMS"
} 2>&1 | tee "$report"
echo "report: test/bench/$report"
