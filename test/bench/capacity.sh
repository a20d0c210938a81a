#!/usr/bin/env bash
# What the limits of tables are worth on real servers: how exactly a table's setting is kept, by one node and by three; what was saved up
# while nobody asked; what admission costs a put; what a quiet table notices of a neighbour at ten times its limit.
#
#   UNITS=500 SECONDS_HELD=60 ROUNDS=10 DURATION=3s PORT=18900 PARTS="limit cluster burst cost neighbour"
set -euo pipefail
cd "$(dirname "$0")"
UNITS=${UNITS:-500}
SECONDS_HELD=${SECONDS_HELD:-60}
ROUNDS=${ROUNDS:-10}
DURATION=${DURATION:-3s}
PORT=${PORT:-18900}
PARTS=${PARTS:-limit cluster burst cost neighbour}

. ./nodes.sh
enforcing() { serve "$@" --capacity enforce; }
consumed() { counted stator_consumed_write_capacity_units_total "$@"; } # table node...
# Puts of items that cost one unit, at twice the setting, through the nodes named.
press() { # table seconds rate node...
	local name=$1 seconds=$2 rate=$3 n pids=()
	shift 3
	for n in "$@"; do
		bin/ddbload -endpoint "$(at "$n")" -table "$name" -workload put -items 20000 -value-bytes 400 -concurrency 8 \
			-rate $((rate / $#)) -warmup 1ms -duration "${seconds}s" >"$work/press.$n" &
		pids+=($!)
	done
	wait "${pids[@]}"
}
# What a table gave in a time, beside what it should have given.
held() { # name milliseconds expected from to
	awk -v name="$1" -v millis="$2" -v expected="$3" -v units="$(($5 - $4))" \
		'BEGIN {printf "%-28s %8.0f units in %5.1f s, %8.0f expected: %+.2f %%\n", name, units, millis / 1000, expected, 100 * (units / expected - 1)}'
}
millis() { date +%s%3N; }
hold() { # name table node...
	local name=$1 t=$2 from to began millis
	shift 2
	press "$t" 5 $((2 * UNITS)) "$@"
	press "$t" $((SECONDS_HELD + 10)) $((2 * UNITS)) "$@" &
	sleep 3
	began=$(millis)
	from=$(consumed "$t" "$@")
	sleep "$SECONDS_HELD"
	millis=$(($(millis) - began))
	to=$(consumed "$t" "$@")
	wait $!
	held "$name" $millis $((UNITS * millis / 1000)) "$from" "$to"
}
limit() {
	enforcing 0
	table 0 held "$UNITS"
	hold "one node" held 0
}
cluster() {
	three_nodes --capacity enforce
	table 1 held "$UNITS"
	sleep 3
	hold "three, all asked" held 1 2 3
	hold "three, one asked" held 3
	hold "three, two asked" held 1 2
}
burst() {
	enforcing 0
	local units=$((UNITS / 5)) from to
	table 0 burst "$units"
	echo "waiting for 300 s to be saved up"
	sleep 305
	from=$(consumed burst 0)
	press burst 60 $((20 * units)) 0
	to=$(consumed burst 0)
	held "300 s saved, and 60 s" 60000 $((360 * units)) "$from" "$to"
}
cost() {
	serve 0 --capacity off
	enforcing 1
	local both="off=$(at 0),enforce=$(at 1)" pids="off=${started[0]},enforce=${started[1]}"
	local spec="-billing PROVISIONED -value-bytes 400 -items 20000" # 40,000 units: more than either serves
	bin/ddbload -compare "$both" -create -load -no-run $spec
	bin/ddbload -compare "$both" -pid "$pids" $spec -workload put,get -concurrency 64 -rounds "$ROUNDS" -duration "$DURATION"
}
neighbour() {
	enforcing 0
	local quiet=${QUIET:-} loud
	if [ -z "$quiet" ]; then # a fifth of what the node does
		quiet=$(bin/ddbload -endpoint "$(at 0)" -table calibrate -create -billing PROVISIONED -workload put -items 20000 -value-bytes 400 -concurrency 16 -duration "$DURATION" -json |
			sed -n 's/.*"ops_per_sec": *\([0-9]*\).*/\1/p' | awk '{print int($1 / 5)}')
	fi
	loud=$((quiet / 4))
	table 0 quiet $((4 * quiet))
	table 0 loud "$loud"
	press quiet 3 "$quiet" 0
	echo "the quiet table is asked for $quiet puts a second, the loud one has $loud units and is asked for $((10 * loud))"
	for _ in $(seq "$ROUNDS"); do
		for beside in alone loud; do
			local load=
			if [ $beside = loud ]; then
				bin/ddbload -endpoint "$(at 0)" -table loud -workload put -items 20000 -value-bytes 400 -concurrency 8 -rate $((10 * loud)) -duration 8s >/dev/null &
				load=$!
			fi
			bin/ddbload -endpoint "$(at 0)" -table quiet -workload put -items 20000 -value-bytes 400 -concurrency 8 -rate "$quiet" -duration 5s |
				awk -v beside=$beside '$1 == "put" {print beside, $9, $NF}'
			[ -z "$load" ] || wait "$load"
		done
	done | tee "$work/rounds" | sed 's/^/p99 in µs, errors: /'
	for beside in alone loud; do
		awk -v beside=$beside '$1 == beside {print $2}' "$work/rounds" | sort -n | awk '{v[NR] = $1} END {print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2}'
	done | awk '{p[NR] = $1} END {printf "p99 of the quiet table: %.1f ms alone, %.1f ms beside the loud one: %.2f times\n", p[1] / 1000, p[2] / 1000, p[2] / p[1]}'
}

for part in $PARTS; do
	cleanup
	"$part"
done
