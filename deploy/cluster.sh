#!/usr/bin/env bash
# A cluster of three nodes on this machine, until Ctrl-C. Their data stays in DIR: the next run goes on with it.
# usage: deploy/cluster.sh [DIR]   with STATOR=./stator, the binary; BASE=8000, the first of the nine ports
set -uo pipefail
dir=${1:-./stator-cluster}
stator=${STATOR:-./stator}
base=${BASE:-8000}
mkdir -p "$dir"

pids=()
stop() {
	trap - INT TERM EXIT
	kill -TERM "${pids[@]}" 2>/dev/null
	wait "${pids[@]}" 2>/dev/null
}
trap stop INT TERM EXIT

for i in 1 2 3; do
	port=$((base + 10 * (i - 1)))
	place=(--join "127.0.0.1:$((base + 2))")
	[ "$i" -ne 1 ] || place=(--cluster-init)
	"$stator" serve --data "$dir/n$i" --zone "zone-$i" --rpc "127.0.0.1:$((port + 2))" "${place[@]}" \
		--listen "127.0.0.1:$port" --admin "127.0.0.1:$((port + 1))" >"$dir/n$i.out" 2>"$dir/n$i.log" &
	pids+=($!)
done

for i in 1 2 3; do
	until grep -q '^  try' "$dir/n$i.out" 2>/dev/null; do
		if ! kill -0 "${pids[$((i - 1))]}" 2>/dev/null; then
			echo "node $i did not start:"
			tail -5 "$dir/n$i.log"
			exit 1
		fi
		sleep 0.1
	done
done
echo "three nodes serve DynamoDB at http://127.0.0.1:$base, :$((base + 10)) and :$((base + 20)); their logs are in $dir. To paste:"
echo "  aws dynamodb list-tables --region us-east-1 --endpoint-url http://127.0.0.1:$((base + 10))"
wait "${pids[@]}"
