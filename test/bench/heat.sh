#!/usr/bin/env bash
# What heat does to real servers: three nodes that enforce limits, and tables of four partitions of which one has nearly all the load, a single
# item collection. Where that is more than a partition serves, it is split until its parts serve it; where it is less, the partition has the
# units that the others leave. Draws the heat of both tables, and tells why requests to them were throttled, in results/.
#
#   SPLIT_SECONDS=200 BORROW_SECONDS=60 PORT=18950
set -euo pipefail
cd "$(dirname "$0")"
SPLIT_SECONDS=${SPLIT_SECONDS:-200}
BORROW_SECONDS=${BORROW_SECONDS:-60}
PORT=${PORT:-18950}

. ./nodes.sh
partitions() { bin/stator cluster partitions "$1" --admin "$(admin 1)" | awk 'NR > 1' | wc -l; }
# Puts of items that cost four units, more than nine tenths of them in one collection, through all nodes.
press() { # table rate seconds
	local n pids=()
	for n in 1 2 3; do
		bin/ddbload -endpoint "$(at "$n")" -table "$1" -workload put -items 8000 -partition 2000 -key-dist hot -hot-keys 2000 \
			-value-bytes 3900 -concurrency 8 -rate $(($2 / 3)) -warmup 1ms -duration "${3}s" >"$work/press.$n" &
		pids+=($!)
	done
	wait "${pids[@]}"
}
# A row about every ten seconds of a load: the units a second that were served since the last one, the requests that were refused, and the
# partitions that there are. The last one is left in rate, short and parts.
watched() { # table rate seconds
	local served refused now began before=0 last=0 then
	press "$@" &
	began=$(date +%s%3N)
	then=$began
	while sleep 10 && [ $(($(date +%s%3N) - began)) -lt $(($3 * 1000)) ]; do
		served=$(counted stator_consumed_write_capacity_units_total "$1" 1 2 3)
		now=$(date +%s%3N)
		refused=$(counted stator_write_throttle_events_total "$1" 1 2 3)
		rate=$(((served - before) * 1000 / (now - then))) short=$((refused - last)) parts=$(partitions "$1")
		printf '%-6s %4d s: %5d units a second served, %5d requests refused; %d partitions\n' "$1" $(((now - began) / 1000)) "$rate" "$short" "$parts"
		before=$served last=$refused then=$now
	done
	wait $!
}
expect() { # test-expression...
	[ "$@" ] && return
	echo "expected $*" >&2
	exit 1
}
told() { # table
	bin/stator heat "$1" --admin "$(admin 2)" --svg "results/heat-$1.svg"
	bin/stator heat "$1" --admin "$(admin 2)" | tee "results/heat-$1.txt"
	bin/stator explain throttle "$1" --admin "$(admin 3)" | tee "results/explain-$1.txt"
}

three_nodes --capacity enforce --partitions 4
table 1 split 4000
echo "a table of 4,000 units is asked for 2,400 of one partition, which serves 1,000"
watched split 600 "$SPLIT_SECONDS"
expect "$parts" -gt 4
expect "$rate" -gt 2200
expect "$short" -eq 0
table 1 borrow 800
echo "a table of 800 units, 200 for each partition, is asked for 720 of one"
watched borrow 180 "$BORROW_SECONDS"
expect "$parts" -eq 4
expect "$rate" -gt 650
expect "$short" -eq 0
told split
told borrow
