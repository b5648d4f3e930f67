#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claude Code runs a turn with a Bash call inside the sandbox, in three ways of reaching its API, and
# uses a key that is nowhere inside.  The API is a stand-in on loopback that demands the real key.
. "$(dirname "$0")/../equipment/lib.sh"

# Installed outside of the test's namespaces, which have no network.
if [ "${STOCKADE_WORLD:-}" != 1 ]; then
	CLAUDE_DIR=$("$TEST_DIR/install-claude") ||
		skip_all "the pinned client cannot be installed (no package registry?)"
	export CLAUDE_DIR
fi
enter_world "$0" "$@"
setup
make_certs
certs_leaf "$T/certs" claude api.anthropic.com
KEY=CANARYKEY-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

# The client where the ordinary user can read it too: one executable of its platform's package.
CLIENT=$(find "$CLAUDE_DIR/node_modules/@anthropic-ai" -maxdepth 2 -name claude -type f -perm -100 |
	head -n1)
[ -n "$CLIENT" ] || skip_all "no client for this platform in $CLAUDE_DIR"
mkdir -p "$T/client" && cp "$CLIENT" "$T/client/claude" && chmod -R a+rX "$T/client"

# What the agent's Bash call runs: everything that is readable inside is searched for the key.
scan_command() {
	cp "$REPO/tests/attacks/attempts/files.py" "$W/scan.py"
	chmod 644 "$W/scan.py"
	echo "echo TOOL-RAN \$((6 * 7)); $PYTHON scan.py scan; env | sort | sed 's/^/ENV /'; id -u"
}

write_policy() { # MORE NETWORK LINES on stdin
	{
		echo "extends: claude-code"
		echo "workspace: { path: \"$W\", mode: rw }"
		echo "filesystem: { read: [\"$T/client\", \"$T/certs/ca.pem\"] }"
		echo "network:"
		echo "  allow:"
		echo "    - { host: api.anthropic.com, credential: anthropic, upstream: \"127.0.0.1:$PORT\" }"
		sed 's/^/  /'
		echo "credentials:"
		echo "  anthropic: { from: \"env:REAL_KEY\", header: \"x-api-key: {}\","
		echo "               placeholder_env: ANTHROPIC_API_KEY }"
	} >"$T/$1.yaml"
	chmod 644 "$T/$1.yaml"
}

api_requests() { # FILTER: Python expression over entry e
	"$PYTHON" - "$T/$NAME.requests" "$1" <<-'PY'
		import json, sys
		with open(sys.argv[1]) as file:
		    print(sum(bool(eval(sys.argv[2], {"e": json.loads(line)})) for line in file))
	PY
}

turn() { # NAME TITLE ENVIRONMENT...; policy lines on stdin
	NAME=$1 TITLE="$2 [$RUN_AS]"
	shift 2
	new_session "$NAME"
	: >"$T/$NAME.requests"
	STANDIN_KEY=$KEY start_server "api" "$PYTHON" "$TEST_DIR/messages_api.py" \
		--cert "$T/certs/claude.pem" --log "$T/$NAME.requests" --port-file "$T/$NAME.port" \
		--command "$(scan_command)" --answer "the turn is over"
	wait_for test -s "$T/$NAME.port" || return 1
	PORT=$(cat "$T/$NAME.port")
	write_policy "$NAME"
	OUT=$(export REAL_KEY=$KEY
		stockade run --quiet --policy "$T/$NAME.yaml" -- /usr/bin/env "$@" \
			CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 IS_SANDBOX=1 \
			timeout 90 "$T/client/claude" -p --allowedTools Bash -- "run it" 2>&1 </dev/null)
	STATUS=$?
	stop_server api
	local result
	result=$("$PYTHON" - "$T/$NAME.requests" <<-'PY'
		import json, sys
		for line in open(sys.argv[1]):
		    if json.loads(line).get("tool_result"):
		        print(json.loads(line)["tool_result"])
	PY
	)
	is "$STATUS" 0 "$TITLE: exit code"
	like "$OUT" "the turn is over" "$TITLE: the agent printed the API's answer"
	like "$result" "TOOL-RAN 42" "$TITLE: the Bash call ran and its output reached the API"
	like "$result" "VERDICT DENIED [1-9]" "$TITLE: the key is nowhere inside (environment, argv, /proc, files, memory)"
	unlike "$result" "CANARYKEY-[0-9a-f]{32}" "$TITLE: the tool saw no key"
	is "$(api_requests "e['path'].startswith('/v1/messages') and e['headers'].get('x-api-key') == ['$KEY']")" \
		"$(api_requests "e['path'].startswith('/v1/messages')")" "$TITLE: every message carried the real key, once"
	is "$(api_requests "e['path'].startswith('/v1/messages') and e['tls']" | grep -c '^[2-9]')" 1 \
		"$TITLE: two requests or more, over TLS"
	is "$(api_requests "any('stockade' in v for vs in e['headers'].values() for v in vs)")" 0 \
		"$TITLE: no placeholder left the gateway"
	like "$(log_count event=request verdict=allow host=api.anthropic.com credential=anthropic)" \
		"^[2-9]" "$TITLE: the log has the requests"
	unlike "$(find "$S" -type f -exec cat {} +)" "$KEY" "$TITLE: the log has no key"
	is "$(leftovers)" "" "$TITLE: nothing is left behind"
	[ "$STATUS" = 0 ] || diag "$OUT"
}

users=root
can_be_user && users="root user"
for RUN_AS in $users; do
	turn "transparent-$RUN_AS" "base URL, transparent" -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY \
		-u http_proxy -u https_proxy -u all_proxy \
		ANTHROPIC_BASE_URL=http://api.anthropic.com <<-'YAML'
			proxy_env: false
		YAML
	turn "proxy-$RUN_AS" "HTTP proxy" HTTP_PROXY=http://198.18.0.1:3128 \
		ANTHROPIC_BASE_URL=http://api.anthropic.com <<-'YAML'
			proxy_env: true
		YAML
	turn "unix-$RUN_AS" "Unix socket" -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY -u http_proxy \
		-u https_proxy -u all_proxy ANTHROPIC_UNIX_SOCKET=/run/stockade/gateway.sock \
		ANTHROPIC_BASE_URL=http://api.anthropic.com <<-'YAML'
			unix_socket: true
			proxy_env: false
		YAML
done

# Errors arrive as the API sent them, and pings keep coming.
RUN_AS=root
for mode in 401 529 slow; do
	new_session "raw-$mode"
	STANDIN_KEY=$KEY start_server api "$PYTHON" "$TEST_DIR/messages_api.py" --mode "$mode" \
		--cert "$T/certs/claude.pem" --port-file "$T/raw-$mode.port" --ping-interval 0.3
	wait_for test -s "$T/raw-$mode.port"
	PORT=$(cat "$T/raw-$mode.port")
	write_policy "raw-$mode" </dev/null
	OUT=$(export REAL_KEY=$KEY
		stockade run --quiet --policy "$T/raw-$mode.yaml" -- $PYTHON -c '
import http.client, time
c = http.client.HTTPConnection("api.anthropic.com", timeout=20)
c.request("POST", "/v1/messages", b"{\"stream\":true,\"messages\":[]}")
r, start, first = c.getresponse(), time.time(), None
body = b""
while True:
    part = r.read1(65536)
    if not part: break
    first = first or time.time() - start
    body += part
print(r.status, "early" if first < 0.3 and time.time() - start > 0.5 else "together", body.decode())' 2>&1)
	stop_server api
	case $mode in
	401) is "$OUT" '401 together {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}, "request_id": "req_standin"}' "a 401's body is unchanged" ;;
	529) is "$OUT" '529 together {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_standin"}' "a 529's body is unchanged" ;;
	slow) like "$OUT" "^200 early event: message_start" "server-sent events leave at once" ;;
	esac
done
finish
