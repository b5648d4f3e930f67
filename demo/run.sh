#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demonstration: an agent in the sandbox, an API outside, the refusals, and the log.
set -eu
cd "$(dirname "$0")/.."
STOCKADE=${STOCKADE:-build/src/cli/stockade}
PORT=18080 # also in demo/stockade.yaml
DEMO_API_KEY=demo-key-that-stays-outside-$$
XDG_STATE_HOME=$(mktemp -d)
export DEMO_API_KEY XDG_STATE_HOME

/usr/bin/python3 demo/api.py $PORT &
api=$!
trap 'kill $api 2>/dev/null; rm -rf "$XDG_STATE_HOME"' EXIT
i=0
until curl -s -o /dev/null "http://127.0.0.1:$PORT/" 2>/dev/null ||
	/usr/bin/python3 -c "import socket; socket.create_connection(('127.0.0.1', $PORT))" 2>/dev/null; do
	i=$((i + 1))
	[ $i -lt 50 ] || { echo "demo: nothing answers on port $PORT" >&2; exit 1; }
	sleep 0.1
done

echo '$ stockade run --policy demo/stockade.yaml -- demo/agent.sh'
"$STOCKADE" run --policy demo/stockade.yaml -- demo/agent.sh

printf '\n$ stockade log\n'
"$STOCKADE" log
printf '\n$ stockade log verify\n'
"$STOCKADE" log verify
