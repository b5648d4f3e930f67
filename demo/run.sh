#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demonstration: an agent in the sandbox, an API outside, the refusals, and the log.
set -eu
cd "$(dirname "$0")/.."
STOCKADE=${STOCKADE:-build/src/cli/stockade}
PORT=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
DEMO_API_KEY=demo-key-that-stays-outside-$$
XDG_STATE_HOME=$(mktemp -d)
export DEMO_API_KEY XDG_STATE_HOME
policy=$XDG_STATE_HOME/demo.yaml # the policy, with the port that is free just now
sed "s/:18080/:$PORT/" demo/stockade.yaml >"$policy"

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
"$STOCKADE" run --policy "$policy" -- demo/agent.sh

printf '\n$ stockade log\n'
"$STOCKADE" log
printf '\n$ stockade log verify\n'
"$STOCKADE" log verify
