# Sourced by the scripts that start servers: builds Stator and the load generator, starts servers in $work, ends what was started.
mkdir -p bin results
GO=${GO:-go}
CGO_ENABLED=0 "$GO" -C ../.. build -trimpath -o test/bench/bin/stator ./cmd/stator
"$GO" build -o bin/ddbload .

work=$(mktemp -d)
started=()
end() { # signal
	for pid in "${started[@]}"; do
		kill "-${1:-TERM}" "$pid" 2>/dev/null || true
	done
	for pid in "${started[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	started=()
}
cleanup() {
	end
	rm -rf "${work:?}"/*
}
trap 'cleanup; rmdir "$work"' EXIT

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; } # port
start() { # name port command...: in the background; returns once it takes connections
	local name=$1 port=$2
	shift 2
	if answers "$port"; then
		echo "something else answers on port $port: set PORT" >&2
		exit 1
	fi
	"$@" >"$work/$name.log" 2>&1 &
	started+=($!)
	for _ in $(seq 300); do
		answers "$port" && return
		kill -0 "$!" 2>/dev/null || break
		sleep 0.1
	done
	echo "$name does not answer on port $port:" >&2
	cat "$work/$name.log" >&2
	exit 1
}
