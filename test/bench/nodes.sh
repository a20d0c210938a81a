# Sourced by the scripts that run several nodes: builds Stator and the load generator, starts nodes in $work, ends what was started.
# Node n listens at PORT+n, its admin door at PORT+20+n, its peers' at PORT+40+n.
mkdir -p bin results
GO=${GO:-go}
CGO_ENABLED=0 "$GO" -C ../.. build -trimpath -o test/bench/bin/stator ./cmd/stator
"$GO" build -o bin/ddbload .

work=$(mktemp -d)
started=()
cleanup() {
	for pid in "${started[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	started=()
	rm -rf "${work:?}"/*
}
trap 'cleanup; rmdir "$work"' EXIT

serve() { # number flag...
	local n=$1
	shift
	bin/stator serve --data "$work/$n" --listen "127.0.0.1:$((PORT + n))" --admin "127.0.0.1:$((PORT + 20 + n))" "$@" >"$work/$n.log" 2>&1 &
	started+=($!)
	for _ in $(seq 100); do
		(exec 3<>"/dev/tcp/127.0.0.1/$((PORT + n))") 2>/dev/null && return
		sleep 0.1
	done
	cat "$work/$n.log" >&2
	exit 1
}
rpc() { echo "127.0.0.1:$((PORT + 40 + $1))"; }
admin() { echo "127.0.0.1:$((PORT + 20 + $1))"; }
at() { echo "http://127.0.0.1:$((PORT + $1))"; }
three_nodes() { # flag...
	serve 1 --rpc "$(rpc 1)" --cluster-init "$@"
	serve 2 --rpc "$(rpc 2)" --join "$(rpc 1)" "$@"
	serve 3 --rpc "$(rpc 3)" --join "$(rpc 1)" "$@"
	until bin/stator cluster status --admin "$(admin 1)" | grep -q ' 1 whole'; do sleep 0.3; done
}
table() { # node name units
	curl -sS --fail-with-body "$(at "$1")" -H 'Content-Type: application/x-amz-json-1.0' -H 'X-Amz-Target: DynamoDB_20120810.CreateTable' \
		-H 'X-Amz-Date: 20260101T000000Z' -H 'Authorization: AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0' -d "{
		\"TableName\": \"$2\", \"BillingMode\": \"PROVISIONED\", \"ProvisionedThroughput\": {\"ReadCapacityUnits\": 1, \"WriteCapacityUnits\": $3},
		\"AttributeDefinitions\": [{\"AttributeName\": \"pk\", \"AttributeType\": \"S\"}, {\"AttributeName\": \"sk\", \"AttributeType\": \"S\"}],
		\"KeySchema\": [{\"AttributeName\": \"pk\", \"KeyType\": \"HASH\"}, {\"AttributeName\": \"sk\", \"KeyType\": \"RANGE\"}]}" >/dev/null
}
