#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Plain HTTP, 1 KB object: requests a second and latency at 1 and 32 connections.
. "$(dirname "$0")/lib.sh"
enter_world "$0" "$@"
bench_setup
start_origin || exit 1
start_peers
gateway_policy
wrk_() { # CONTESTANT CONNECTIONS CMD-PREFIX URL LUA
	local out
	out=$($3 wrk -t1 -c"$2" -d"${SECONDS_EACH}s" -s "$5" "$4" 2>/dev/null | sed -n 's/^WRK //p')
	[ -n "$out" ] || return
	# shellcheck disable=SC2086
	set -- "$1" "$2" $out
	note "$1" "rps$2" "$3"
	note "$1" "p50-$2" "$4"
	note "$1" "p99-$2" "$5"
}
for ((round = 0; round < ROUNDS; round++)); do
	for c in 1 32; do
		wrk_ direct $c load http://127.0.0.1:$ORIGIN/1k "$T/report.lua"
		has haproxy && wrk_ haproxy $c load http://127.0.0.1:9101/1k "$T/report.lua"
		has nginx && wrk_ nginx $c load http://127.0.0.1:9103/1k "$T/report.lua"
		has squid && wrk_ squid $c load http://127.0.0.1:9105/ "$T/absolute-report.lua"
		has tinyproxy && wrk_ tinyproxy $c load http://127.0.0.1:9106/ "$T/absolute-report.lua"
		wrk_ stockade-transparent $c ours http://origin.test/1k "$T/report.lua"
		wrk_ stockade-proxy $c ours http://198.18.0.1:3128/ "$T/absolute-report.lua"
	done
done
echo "### Plain HTTP, 1 KB"
echo
echo "| | 1 connection: requests/s | ÷ HAProxy | p50 µs | p99 µs | added p50 µs | 32 connections: requests/s | ÷ HAProxy | p50 µs | p99 µs |"
echo "|---|---|---|---|---|---|---|---|---|---|"
for who in direct haproxy nginx squid tinyproxy stockade-transparent stockade-proxy; do
	added=$(awk -v a="$(value $who p50-1)" -v b="$(value direct p50-1)" 'BEGIN { print a - b }')
	echo "| $who | $(value $who rps1) | $(ratio "$(value $who rps1)" "$(value haproxy rps1)") | $(value $who p50-1) | $(value $who p99-1) | $added | $(value $who rps32) | $(ratio "$(value $who rps32)" "$(value haproxy rps32)") | $(value $who p50-32) | $(value $who p99-32) |"
done
echo
direct=$(value direct p50-1)
for way in transparent proxy; do
	us=stockade-$way
	for c in 1 32; do
		word="plain HTTP ($way), $c connection(s): requests/s"
		bar "$word ÷ HAProxy" "$(value $us rps$c)" HAProxy "$(value haproxy rps$c)" '>=' 0.8
		bar "$word ÷ Squid" "$(value $us rps$c)" Squid "$(value squid rps$c)" '>=' 1.5
	done
	added=$(awk -v a="$(value $us p50-1)" -v b="$direct" 'BEGIN { print a + 0 && b + 0 ? a - b : "–" }')
	bar "plain HTTP ($way), 1 connection: added p50, µs" "$added" "" - '<=' 60
done
exit 0
