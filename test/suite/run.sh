#!/usr/bin/env bash
# Runs the public suite nubo-db/dynamodb-conformance and writes its results to docs/compatibility.json and docs/compatibility.md.
#
#   test/suite/run.sh DIR [ENDPOINT] [REVISION]
#
# DIR is a checkout of the suite after `npm install`; it is not part of this repository. Without ENDPOINT a server is built and
# started over an empty directory. REVISION names the checkout; without it git is asked.
set -euo pipefail
[ $# -ge 1 ] || {
	sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
suite=$(cd "$1" && pwd)
endpoint=${2:-}
revision=${3:-$(git -C "$suite" rev-parse --short HEAD 2>/dev/null || echo unknown)}
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
server=
finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	[ -z "$server" ] || wait "$server" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

if [ -z "$endpoint" ]; then
	(cd "$root" && ${GO:-go} build -o "$work/stator" ./cmd/stator)
	"$work/stator" serve --data "$work/data" --listen 127.0.0.1:0 --admin 127.0.0.1:0 >"$work/banner" 2>"$work/log" &
	server=$!
	for _ in $(seq 100); do
		endpoint=$(sed -n 's/^stator .* serves DynamoDB at //p' "$work/banner")
		[ -z "$endpoint" ] || break
		sleep 0.1
	done
	[ -n "$endpoint" ] || {
		cat "$work/log" >&2
		exit 1
	}
fi

# The suite's own exit status says that some test failed: the report says which.
(cd "$suite" && DYNAMODB_ENDPOINT=$endpoint SUITE_REPORT=$work/report.json AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=secret \
	npx vitest run --reporter="$root/test/suite/reporter.mjs") || true
[ -s "$work/report.json" ] || {
	echo "the suite left no report" >&2
	exit 1
}
cd "$root" && ${GO:-go} run ./gen/compat -report "$work/report.json" -revision "$revision"
