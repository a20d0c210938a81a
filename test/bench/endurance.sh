#!/usr/bin/env bash
# What a comparison of rates does not show: how fast Stator starts, what memory and disk it takes, how it reads more than fits into its
# cache, and how it writes for minutes on end. Everything it starts ends with it. The report also lands in results/.
#
#   PARTS="start size memory large long"   which parts    LARGE_ITEMS=4000000 LONG=10m   how large, how long    PORT=18750
set -euo pipefail
cd "$(dirname "$0")"
PARTS=${PARTS:-start size memory large long}
LARGE_ITEMS=${LARGE_ITEMS:-4000000}
LONG=${LONG:-10m}
PORT=${PORT:-18750}

. ./servers.sh
"$GO" -C limits build -o ../bin/hello ./hello

url=http://127.0.0.1:$PORT
admin=127.0.0.1:$((PORT + 1))
hello_url=http://127.0.0.1:$((PORT + 2))

serve() {
	start stator "$PORT" bin/stator serve --data "$work/data" --listen "127.0.0.1:$PORT" --admin "$admin"
	server=${started[-1]}
}
rss() { awk '/^VmRSS/ {printf "%.1f MiB", $2 / 1024}' "/proc/$1/status"; }
stored() { du -s -B1 "$work/data/db" | cut -f1; }
# reads ITEMS: a second client reads sampled keys.
reads() { bin/ddbload -endpoint "$url" -workload get-strong -concurrency 1 -items "$1" -duration 1s -warmup 0s; }

part_start() {
	echo "== start: exec to the first answered ListTables, empty directory, and the server that only speaks HTTP"
	bin/ddbload -coldstart -rounds 10 -endpoint "$url" -- bin/stator serve --data "$work/cold" --listen "127.0.0.1:$PORT" --admin "$admin"
	bin/ddbload -coldstart -rounds 10 -endpoint "$hello_url" -- bin/hello -kind fasthttp -addr "127.0.0.1:$((PORT + 2))"
	serve
	sleep 3
	echo "idle memory: $(rss "$server")"
	bin/ddbload -endpoint "$url" -create -load -no-run -items 100000
	bin/ddbload -endpoint "$url" -workload put -concurrency 64 -items 100000 -duration 3s
	end KILL
	echo "== start after kill -9 with 100,000 items"
	bin/ddbload -coldstart -rounds 1 -endpoint "$url" -- bin/stator serve --data "$work/data" --listen "127.0.0.1:$PORT" --admin "$admin"
	rm -rf "$work/data" "$work/cold"
}

part_size() {
	echo "== size: 100,000 items of 1 KB"
	serve
	bin/ddbload -endpoint "$url" -create -load -no-run -items 100000
	bin/ddbload -endpoint "$url" -pid "$server" -workload get,put -concurrency 64 -items 100000 -duration 5s
	echo "memory after the load: $(rss "$server"); the start said: $(grep -i memory "$work/stator.log" | tail -1)"
	end
	bin/stator inspect "$work/data" --compact >"$work/inspect" || cat "$work/inspect"
	echo "on disk after inspect --compact: $(stored) bytes for 100000 items"
	grep -iE 'bytes|size' "$work/inspect" | head -5 || true
	rm -rf "$work/data"
}

# More than the start promised, or a tenth more for a moment, fails.
part_memory() {
	echo "== memory: 100,000 items of 1 KB, a workload after the other"
	serve
	bin/ddbload -endpoint "$url" -create -load -no-run -items 100000
	local promised workload
	promised=$(awk '/^ *memory/ {for (i = 1; i < NF; i++) if ($(i + 2) == "at") print $i}' "$work/stator.log")
	for workload in get put query get query put; do
		bin/ddbload -endpoint "$url" -workload "$workload" -concurrency 64 -items 100000 -duration 5s >"$work/memory"
		awk -v after="$workload" -v promised="$promised" '/^Vm(HWM|RSS)/ {mib[$1] = $2 / 1024} END {
			printf "after %s: %.1f MiB, at most %.1f, promised %d\n", after, mib["VmRSS:"], mib["VmHWM:"], promised
			exit mib["VmRSS:"] > promised || mib["VmHWM:"] > 1.1 * promised }' "/proc/$server/status"
	done
	end
	rm -rf "$work/data"
}

part_large() {
	echo "== large: GetItem over $LARGE_ITEMS items of 1 KB, cache 64 MiB"
	serve
	bin/ddbload -endpoint "$url" -create -load -no-run -items "$LARGE_ITEMS" -load-concurrency 16
	start hello $((PORT + 2)) bin/hello -kind fasthttp -addr "127.0.0.1:$((PORT + 2))"
	bin/ddbload -compare "hello=$hello_url,stator=$url" -pid "hello=${started[-1]},stator=$server" -workload get -concurrency 64 -rounds 7 -duration 3s -items "$LARGE_ITEMS"
	echo "memory: $(rss "$server"); on disk: $(stored) bytes"
	reads "$LARGE_ITEMS"
	end
	rm -rf "$work/data"
}

part_long() {
	echo "== long: PutItem, 64 connections, $LONG"
	serve
	bin/ddbload -endpoint "$url" -create -load -no-run -items 1000000 -load-concurrency 16
	bin/ddbload -endpoint "$url" -pid "$server" -workload put -concurrency 64 -items 1000000 -duration "$LONG" >"$work/long" 2>&1 &
	local load=$! answered=0 before=0 second=0
	: >"$work/seconds"
	while kill -0 "$load" 2>/dev/null; do
		answered=$(curl -s "http://$admin/metrics" | awk '/^stator_request_duration_seconds_count.*PutItem/ {n += $2} END {printf "%d", n}')
		echo "$second $((answered - before)) $(awk '/^VmRSS/ {print $2}' "/proc/$server/status")" >>"$work/seconds"
		before=$answered second=$((second + 1))
		sleep 1
	done
	wait "$load" || true
	cat "$work/long"
	# The first line holds what came before the first look, the last ones the end of the load.
	awk 'NR > 3 {rate[++n] = $2; rss[n] = $3} END {
		n -= 3; for (i = 1; i <= n; i++) { if (rate[i] == 0) idle++; if (i <= 60) a += rate[i]; if (i > n - 60) b += rate[i]
			if (i == 60) early = rss[i]; if (rss[i] > most) most = rss[i] }
		printf "%d seconds looked at, %d without an answer; last minute / first minute = %.2f; memory after a minute %.0f MiB, at the end %.0f MiB, at most %.0f MiB\n",
			n, idle, b / a, early / 1024, rss[n] / 1024, most / 1024 }' "$work/seconds"
	reads 1000000
	end
	rm -rf "$work/data"
}

# Not through a pipe: the servers that a part has started would outlive it when it fails.
report=results/endurance-$(date -u +%Y%m%dT%H%M%SZ).txt
exec > >(tee "$report") 2>&1
for part in $PARTS; do
	"part_$part"
done
echo "report: test/bench/$report"
