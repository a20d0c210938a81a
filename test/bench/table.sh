#!/usr/bin/env bash
# Turns reports of compare.sh into the rows of a Markdown table: a row for each workload and number of connections, with Stator's median
# rate, its spread, and its ratios to the others of the same run.
#
#   table.sh results/REPORT.txt ...
set -euo pipefail
echo "| workload | connections | ops/s (min..max) | × hello | × dynoxide | × dynalite | µs of server CPU | p99, ms | hello's p99 | errors |"
echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
awk '
	function ratio(other) { return (key SUBSEP other) in rate && rate[key, other] > 0 ? sprintf("%.2f", rate[key, "stator"] / rate[key, other]) : "" }
	# workload conc name ops/s min..max ratio p50 p90 p99 p99.9 max srv cores gen other RSS errors
	NF >= 17 && $2 ~ /^[0-9]+$/ && $5 ~ /\.\./ {
		key = $1 " | " $2
		if (!(key in seen)) { seen[key] = 1; order[++n] = key }
		rate[key, $3] = $4; spread[key, $3] = $5; p99[key, $3] = $9; cpu[key, $3] = $12; errors[key, $3] = $17
	}
	END {
		for (i = 1; i <= n; i++) {
			key = order[i]
			if (!((key, "stator") in rate)) continue
			hello = (key SUBSEP "hello") in p99 && rate[key, "hello"] > 0 ? sprintf("%.1f", p99[key, "hello"] / 1000) : ""
			printf "| %s | %s (%s) | %s | %s | %s | %s | %.1f | %s | %s |\n", key, rate[key, "stator"], spread[key, "stator"],
				ratio("hello"), ratio("dynoxide"), ratio("dynalite"), cpu[key, "stator"], p99[key, "stator"] / 1000, hello, errors[key, "stator"]
		}
	}' "$@"
