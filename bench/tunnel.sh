#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# New tunnels a second (CONNECT, one request, close; 32 at a time), and 1 GiB through one tunnel.
# HAProxy, nginx and the splice relay forward to one fixed address: there the CONNECT is missing.
. "$(dirname "$0")/lib.sh"
enter_world "$0" "$@"
bench_setup
start_origin || exit 1
start_peers
gateway_policy
one() { # CONTESTANT CMD-PREFIX ARGS...
	local who=$1 how=$2 out
	shift 2
	out=$($how "$T/tunnel_load" "$@" -u /1k rate 32 "$SECONDS_EACH" 2>/dev/null) && {
		# shellcheck disable=SC2086
		set -- $out -- "$@"
		note "$who" rate "$2"
		note "$who" p50 "$4"
		note "$who" p99 "$6"
		while [ "$1" != -- ]; do shift; done
		shift
	}
	out=$($how "$T/tunnel_load" "$@" -u /1g bulk 2>/dev/null) && note "$who" bulk "${out#bulk }"
}
for ((round = 0; round < ROUNDS; round++)); do
	one direct load -t 127.0.0.1:$ORIGIN
	has splice && one splice load -t 127.0.0.1:9107
	has haproxy && one haproxy load -t 127.0.0.1:9102
	has nginx_stream && one nginx-stream load -t 127.0.0.1:9104
	has squid && one squid load -p 127.0.0.1:9105 -t 127.0.0.1:$ORIGIN
	has tinyproxy && one tinyproxy load -p 127.0.0.1:9106 -t 127.0.0.1:$ORIGIN
	one stockade ours -p 198.18.0.1:3128 -t origin.test:$ORIGIN
done
echo "### Tunnels"
echo
echo "| | new tunnels/s | ÷ Squid | p50 µs | p99 µs | 1 GiB: MB/s | ÷ splice relay | ÷ HAProxy |"
echo "|---|---|---|---|---|---|---|---|"
for who in direct splice haproxy nginx-stream squid tinyproxy stockade; do
	echo "| $who | $(value $who rate) | $(ratio "$(value $who rate)" "$(value squid rate)") | $(value $who p50) | $(value $who p99) | $(value $who bulk) | $(ratio "$(value $who bulk)" "$(value splice bulk)") | $(ratio "$(value $who bulk)" "$(value haproxy bulk)") |"
done
echo
exit 0
