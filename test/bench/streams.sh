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

. ./nodes.sh
"$GO" build -o bin/drain ./drain

plain=$(at 0) streamed=$(at 1)
serve 0
serve 1
report=results/streams-$(date -u +%Y%m%dT%H%M%SZ).txt
{
	bin/ddbload -endpoint "$plain" -create -load -no-run -items "$ITEMS"
	bin/ddbload -endpoint "$streamed" -create -stream -load -no-run -items "$ITEMS"
	bin/ddbload -compare "plain=$plain,streamed=$streamed" -pid "plain=${started[0]},streamed=${started[1]}" \
		-workload put,update-counter -concurrency 64 -rounds "$ROUNDS" -duration "$DURATION" -items "$ITEMS"
	bin/drain -endpoint "$streamed"
} 2>&1 | tee "$report"
echo "report: test/bench/$report"
