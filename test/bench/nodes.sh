# Sourced by the scripts that run several nodes: node n listens at PORT+n, its admin door at PORT+20+n, its peers' at PORT+40+n.
. ./servers.sh

serve() { # number flag...
	local n=$1
	shift
	start "$n" $((PORT + n)) bin/stator serve --data "$work/$n" --listen "127.0.0.1:$((PORT + n))" --admin "$(admin "$n")" "$@"
}
counted() { # counter table node...: what those nodes have counted of the table
	local counter=$1 table=$2 n
	shift 2
	for n in "$@"; do curl -sf "http://$(admin "$n")/metrics"; done |
		awk -v counter="$counter" -v table="table=\"$table\"" 'index($0, counter) == 1 && index($0, table) {sum += $2} END {printf "%.0f", sum}'
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
