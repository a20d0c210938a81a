#!/usr/bin/env bash
# What a stream costs: puts and updates of a table without one and of a table with NEW_AND_OLD_IMAGES, interleaved, each on a server of its
# own; then how fast the records are read, beside the rate at which 64 connections made them.
#
#   ROUNDS=7 DURATION=2s ITEMS=100000 PORT=18770
set -euo pipefail
cd "$(dirname "$0")"
ROUNDS=${ROUNDS:-7}
DURATION=${DURATION:-2s}
ITEMS=${ITEMS:-100000}
PORT=${PORT:-18770}

mkdir -p bin results
GO=${GO:-go}
CGO_ENABLED=0 "$GO" -C ../.. build -trimpath -o test/bench/bin/stator ./cmd/stator
"$GO" build -o bin/ddbload .
"$GO" build -o bin/drain ./drain

work=$(mktemp -d)
started=()
cleanup() {
	for pid in "${started[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap cleanup EXIT
serve() {
	bin/stator serve --data "$work/$1" --listen "127.0.0.1:$2" --admin 127.0.0.1:0 >"$work/$1.log" 2>&1 &
	started+=($!)
	for _ in $(seq 100); do
		(exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null && return
		sleep 0.1
	done
	cat "$work/$1.log" >&2
	exit 1
}
plain=http://127.0.0.1:$PORT streamed=http://127.0.0.1:$((PORT + 1))
serve plain "$PORT"
serve streamed $((PORT + 1))
report=results/streams-$(date -u +%Y%m%dT%H%M%SZ).txt
{
	bin/ddbload -endpoint "$plain" -create -load -no-run -items "$ITEMS"
	bin/ddbload -endpoint "$streamed" -create -stream -load -no-run -items "$ITEMS"
	bin/ddbload -compare "plain=$plain,streamed=$streamed" -pid "plain=${started[0]},streamed=${started[1]}" \
		-workload put,update-counter -concurrency 64 -rounds "$ROUNDS" -duration "$DURATION" -items "$ITEMS"
	bin/drain -endpoint "$streamed"
} 2>&1 | tee "$report"
echo "report: test/bench/$report"
