#!/usr/bin/env bash
# Three nodes of a cluster beside one node that is alone, on this machine: puts and gets, interleaved; strong gets and puts while partitions
# split; what a thousand partitions cost that nobody uses; how fast an empty node takes over half of what another one holds.
#
#   ROUNDS=7 DURATION=2s ITEMS=20000 IDLE=1000 LARGE=2000000 PORT=18800 PARTS="rates splits idle join"
set -euo pipefail
cd "$(dirname "$0")"
ROUNDS=${ROUNDS:-7}
DURATION=${DURATION:-2s}
ITEMS=${ITEMS:-20000}
IDLE=${IDLE:-1000}
LARGE=${LARGE:-2000000}
PORT=${PORT:-18800}
PARTS=${PARTS:-rates splits idle join}

. ./nodes.sh
measure() { bin/ddbload -compare "$1" -workload "$2" -concurrency "$3" -rounds "$4" -duration "$5" -items "$ITEMS"; }

rates() {
	serve 0
	three_nodes
	local both
	both="single=$(at 0),three=$(at 1)"
	bin/ddbload -compare "$both" -create -load -no-run -items "$ITEMS"
	measure "$both" put,get-strong,get 64 "$ROUNDS" "$DURATION"
}
splits() {
	three_nodes
	bin/ddbload -compare "three=$(at 2)" -create -load -no-run -items "$ITEMS"
	for workload in get-strong put; do
		for what in before during after; do
			echo "$workload $what three splits"
			if [ $what = during ]; then
				(for _ in 1 2 3; do sleep 1.5; bin/stator split ddbload --admin "$(admin 3)"; done) &
			fi
			measure "three=$(at 2)" $workload 16 1 6s
		done
	done
}
ticks() { for pid in "${started[@]}"; do awk '{print $14+$15}' "/proc/$pid/stat"; done | paste -sd' '; }
idle() {
	three_nodes --partitions "$IDLE"
	bin/ddbload -compare "three=$(at 1)" -create -no-run
	sleep 15
	echo "hundredths of a second of CPU by then, by node: $(ticks)"
	sleep 20
	echo "20 s later: $(ticks)"
	ps -o rss,args -p "$(echo "${started[@]}" | tr ' ' ,)" | cut -c1-60
}
join() {
	serve 1 --rpc "$(rpc 1)" --cluster-init --replicas 1 --partitions 16
	bin/ddbload -compare "one=$(at 1)" -create -load -load-concurrency 32 -no-run -items "$LARGE"
	local began=$SECONDS still=0
	serve 2 --rpc "$(rpc 2)" --join "$(rpc 1)"
	while [ $still -lt 6 ]; do
		sleep 1
		if bin/stator cluster status --admin "$(admin 2)" | grep -q '^moving *none'; then still=$((still + 1)); else still=0; fi
	done
	echo "at rest after $((SECONDS - began - 6)) s"
	bin/stator cluster nodes --admin "$(admin 2)"
}

# Not through a pipe: the nodes that a part has started would outlive it when it fails.
report=results/cluster-$(date -u +%Y%m%dT%H%M%SZ).txt
exec > >(tee "$report") 2>&1
for part in $PARTS; do
	"$part"
	cleanup
done
echo "report: test/bench/$report"
