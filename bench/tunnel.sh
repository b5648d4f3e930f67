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
bulk=$(value stockade bulk) rate=$(value stockade rate)
bar "1 GiB through a tunnel, MB/s ÷ splice relay" "$bulk" relay "$(value splice bulk)" '>=' 0.9
bar "1 GiB through a tunnel, MB/s ÷ HAProxy" "$bulk" HAProxy "$(value haproxy bulk)" '>=' 0.95
bar "1 GiB through a tunnel, MB/s ÷ Squid" "$bulk" Squid "$(value squid bulk)" '>=' 1
bar "1 GiB through a tunnel, MB/s ÷ tinyproxy" "$bulk" tinyproxy "$(value tinyproxy bulk)" '>=' 1
bar "new tunnels/s ÷ Squid" "$rate" Squid "$(value squid rate)" '>=' 1.3
exit 0
