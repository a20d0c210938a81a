#!/usr/bin/env bash
# Installs the servers that Stator is compared with under the directory given, out of npm: dynoxide 1.2.1 (fsyncs) and dynalite 4.0.0 (does
# not). Prints nothing on standard output.
set -euo pipefail
into=${1:?usage: peers.sh DIRECTORY}
command -v npm >/dev/null || {
	echo "peers.sh: npm is missing" >&2
	exit 1
}
npm install --prefix "$into" --no-save --no-audit --no-fund --loglevel=error @dynoxide/linux-x64@1.2.1 dynalite@4.0.0 >&2
chmod +x "$into/node_modules/@dynoxide/linux-x64/dynoxide"
