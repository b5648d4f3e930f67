#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The gateway's five processes as they are, driven through the HTTP proxy listener: credentials,
# upstream TLS, addresses, redirects, what each process may still do, and that none outlives another.
. "$(dirname "$0")/../equipment/lib.sh"
enter_world "$0" "$@"
setup no-product
start_world || exit 1
build=${STOCKADE_BUILD:-$REPO/build}
KEY=canary-key-$RANDOM$RANDOM

cat >"$T/policy.yaml" <<'YAML'
extends: strict
network:
  allow:
    - { host: api.test, credential: api }
    - { host: other-api.test, credential: other }
    - { host: expired.test, credential: api }
    - { host: selfsigned.test, credential: api }
    - { host: wrongname.test, credential: api }
    - { host: allowed.test, methods: [GET], paths: [/pub/**], cleartext: upgrade }
    - { host: "*.ssrf.test", ports: [80, 443] }
    - { host: second.test, ports: [80, 443] }
    - { host: nosuch.test, credential: api }
credentials:
  api: { from: "env:API_KEY", header: "x-api-key: {}", placeholder_env: API_TOKEN }
  other: { from: "cmd:echo other-$API_KEY", header: "Authorization: Bearer {}", placeholder_env: OTHER_TOKEN }
YAML

rig_start() { # NAME
	RIG=$T/$1
	mkdir -p "$RIG"
	mkfifo "$RIG/in"
	API_KEY=$KEY SSL_CERT_FILE=$T/certs/ca.pem "$build/tests/integration/gateway_rig" "$T/policy.yaml" \
		"$RIG" "$build/src/role/stockade-gateway" <"$RIG/in" >"$RIG/out" 2>&1 &
	RIG_PID=$!
	SERVERS+=("$RIG_PID")
	exec 9>"$RIG/in"
	wait_for grep -Eq '^(ready|error)' "$RIG/out"
	PORT=$(awk '$1 == "port" { print $2 }' "$RIG/out")
}
role_pid() { awk -v r="$1" '$1 == "role" && $2 == r { print $3 }' "$RIG/out"; }
placeholder() { awk -v r="$1" '$1 == "placeholder" && $2 == r { print $3 }' "$RIG/out"; }
get() { curl -sS -m 20 -x "http://127.0.0.1:$PORT" -o "$T/body" -w '%{http_code}' "$@" 2>"$T/curl.err"; }
log() { cat "$RIG/audit.jsonl"; }
# The last request the world saw at a path: its JSON line.
seen() { grep -F "\"$1\"" "$WORLD_LOG" | tail -n1; }

rig_start main
like "$(cat "$RIG/out")" '^ready' 'five roles start and are ready'

# --- what each process may still do
for role in front back keeper resolver audit; do
	status=$(cat "/proc/$(role_pid $role)/status")
	like "$status" '^CapEff:.0+$' "$role: no capability"
	like "$status" '^NoNewPrivs:.1$' "$role: no new privileges"
	like "$status" '^Seccomp:.2$' "$role: seccomp filter"
done
unlike "$(tr '\0' '\n' <"/proc/$(role_pid keeper)/environ" 2>/dev/null)" "$KEY" 'no key in the keeper environment'

# --- credentials
is "$(get http://api.test/v1/one)" 200 'a request without a key is answered'
like "$(seen /v1/one)" "x-api-key.*$KEY" 'the server got the real key'
like "$(seen /v1/one)" '"tls": true' 'over TLS'
is "$(get -H "X-Api-Key: $(placeholder api)" http://api.test/v1/two)" 200 'the placeholder is accepted'
is "$(seen /v1/two | grep -o "$KEY" | wc -l)" 1 'and replaced, once'
unlike "$(seen /v1/two)" "$(placeholder api)" 'and does not reach the server'
is "$(get -H "Authorization: Bearer $(placeholder api)" http://api.test/v1/three)" 200 'in another field too'
unlike "$(seen /v1/three)" "[Aa]uthorization" 'which is stripped'
is "$(get -H 'x-api-key: sk-attacker' http://api.test/v1/four)" 403 'a foreign key is refused'
like "$(cat "$T/body")" 'key of its own' 'and the agent is told why'
is "$(seen /v1/four)" '' 'and nothing reaches the server'
for field in 'X-API-KEY' 'x_api_key' 'Authorization' 'private-token'; do
	is "$(get -H "$field: sk-attacker" http://api.test/v1/field)" 403 "a foreign key in $field is refused"
done
is "$(get -H "x-api-key: $(placeholder other)" http://api.test/v1/five)" 403 "another host's placeholder is refused"
is "$(get -H "x-note: see $(placeholder other)" http://api.test/v1/six)" 403 'in any field'
is "$(get http://other-api.test/v1/cmd)" 200 'a credential from a command'
like "$(seen /v1/cmd)" "Bearer other-$KEY" 'reaches its own server'
unlike "$(seen /v1/cmd)" 'x-api-key' 'and no other'
is "$(get "http://api.test/redirect?to=http://evil.test/")" 302 'a redirect is handed to the agent'
is "$(grep -c '"sni": "evil.test"' "$WORLD_LOG")" 0 'and not followed'
is "$(get -X POST --data-binary @/etc/services http://api.test/v1/body)" 200 'a body goes up'
is "$(get -X POST -H 'Transfer-Encoding: chunked' --data-binary @/etc/services http://api.test/v1/chunked)" 200 'a chunked one too'

# --- the server must be who it says
is "$(get http://expired.test/)" 502 'an expired certificate: 502'
like "$(cat "$T/body")" 'certificate has expired' 'says that it expired'
is "$(get http://selfsigned.test/)" 502 'a self-signed certificate: 502'
like "$(cat "$T/body")" 'issuer is unknown' 'says that its issuer is unknown'
is "$(get http://wrongname.test/)" 502 'a certificate for another name: 502'
like "$(cat "$T/body")" 'another name' 'says so'
like "$(log | grep -c '"upstream"')" '[3-9]' 'all three are in the log'
is "$(grep -c "$KEY" "$WORLD_LOG")" "$(grep "$KEY" "$WORLD_LOG" | grep -c 'api.test')" 'no key went to any of them'
is "$(get http://nosuch.test/)" 502 'a name that does not resolve: 502'

# --- addresses and rules
is "$(get http://ok.ssrf.test/)" 200 'a public address is dialled'
for name in mixed mixed6 loop loop6 private link cgnat mapped nat64 ula; do
	is "$(get "http://$name.ssrf.test/")" 403 "$name: an address that policy does not name"
	like "$(cat "$T/body")" "only a rule with 'addresses'" "$name: and the agent is told what would"
done
is "$(grep '"tcp"' "$WORLD_LOG" | grep -Evc '"(45[.]33[.]32|2606:4700)[.:]')" 0 'nothing else was dialled'
is "$(get http://allowed.test/pub/x)" 200 'a path that is allowed, upgraded to TLS'
is "$(get http://allowed.test/secret)" 403 'a path that is not'
is "$(get -X DELETE http://allowed.test/pub/x)" 403 'a method that is not'
is "$(get --path-as-is http://allowed.test/pub/../secret)" 403 'nor by dots'
is "$(get http://evil.test/)" 403 'a host that is not'
unlike "$(cat "$WORLD_LOG")" '"dns", "name": "evil.test"' 'whose name is never resolved'
is "$(curl -sS -m 20 -x "http://127.0.0.1:$PORT" --cacert "$T/certs/ca.pem" -o /dev/null -w '%{http_code}' https://second.test/)" 200 'a tunnel'

is "$(curl -sS -m 20 -x "http://127.0.0.1:$PORT" -o /dev/null -w '%{http_code} ' http://api.test/k/1 -o /dev/null http://api.test/k/2 -o /dev/null http://api.test/k/3)" \
	'200 200 200 ' 'three requests on one connection'

# --- memory: all five, with what they share counted once
if [ -n "${STOCKADE_SANITIZED:-}" ]; then
	skip 1 'the memory of a sanitizer is not ours' 'memory of all roles'
elif [ -r "/proc/$(role_pid front)/smaps_rollup" ]; then
	pss=0
	for role in front back keeper resolver audit; do
		one=$(awk '$1 == "Pss:" { print $2 }' "/proc/$(role_pid $role)/smaps_rollup")
		diag "$role: $one KiB"
		pss=$((pss + one))
	done
	ok "$((pss > 25 * 1024))" "all roles together: $pss KiB, at most 25 MiB"
else
	skip 1 'only root reads the memory of a role' 'memory of all roles'
fi

# --- nothing secret in the log
unlike "$(log)" "$KEY" 'no key in the log'
like "$(log)" '"credential":"api"' 'but the name of the one that was used'

# --- a stream without end (last: the world's own server does not survive its breaking off)
curl -sS -m 3 -N -x "http://127.0.0.1:$PORT" http://api.test/endless 2>/dev/null | head -c 3000000 | wc -c >"$T/endless"
is "$(cat "$T/endless")" 3000000 'an endless stream flows'

# --- orderly end
exec 9>&-
wait "$RIG_PID"
is $? 0 'ends in order'
like "$(cat "$RIG/out")" '^summary [1-9]' 'with a summary'

# --- one dies, all die
for role in front back keeper resolver audit; do
	rig_start "kill-$role"
	kill -9 "$(role_pid $role)"
	timeout 5 tail --pid="$RIG_PID" -f /dev/null
	wait "$RIG_PID"
	is $? 124 "kill -9 $role: the session ends"
	exec 9>&-
	left=
	for other in front back keeper resolver audit; do
		[ ! -e "/proc/$(role_pid $other)" ] || left="$left $other"
	done
	is "$left" '' "kill -9 $role: no other role is left"
done

# --- and without the launcher's help: it is stopped, and then gone
for role in front back keeper resolver audit rig; do
	rig_start "alone-$role"
	pids=$(for r in front back keeper resolver audit; do echo -n " $(role_pid $r)"; done)
	if [ $role = rig ]; then
		kill -9 "$RIG_PID"
	else
		kill -STOP "$RIG_PID"
		kill -9 "$(role_pid $role)"
	fi
	# Audit stays for the launcher's last record; with front and back gone nothing is let out.
	[ $role = rig ] || pids=${pids% *}
	for pid in $pids; do
		for ((i = 0; i < 100; i++)); do
			grep -q '^State:.[ZX]' "/proc/$pid/status" 2>/dev/null || [ ! -e "/proc/$pid" ] && break
			sleep 0.05
		done
		[ $i -lt 100 ] || diag "$(tr '\0' ' ' <"/proc/$pid/cmdline") is left"
		[ $i -lt 100 ]
	done
	ok $? "$role dies: the others end by themselves"
	kill -9 "$RIG_PID" 2>/dev/null
	wait "$RIG_PID" 2>/dev/null
	exec 9>&-
done
finish
