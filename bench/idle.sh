#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Memory of idle tunnels in the proxy: BENCH_IDLE of them (10,000, or as many as the limit on open files
# allows one process that holds two descriptors for each).
. "$(dirname "$0")/lib.sh"
enter_world "$0" "$@"
bench_setup
start_origin || exit 1
start_peers
gateway_policy
limit=$(ulimit -Hn)
[ "$limit" = unlimited ] && limit=1000000
COUNT=${BENCH_IDLE:-$((limit >= 20600 ? 10000 : limit * 9 / 20))} # room for what else is open
kernel_kib() { awk '/^(Slab|PageTables|KernelStack):/{s += $2} END {print s}' /proc/meminfo; }
family() { # PID: it and its descendants
	local pid
	echo "$1"
	for pid in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do family "$pid"; done
}
BENCH_TIMEOUT=300 # opening ten thousand takes a while on a busy machine
opened() { # CLIENT-PID: the tunnels are there, or it gave up; ten seconds a try
	local i
	for ((i = 0; i < 20; i++)); do
		wait_for grep -q READY "$T/idle.out" >/dev/null && return 0
		kill -0 "$1" 2>/dev/null || return 1
	done
}
# Our roles live as long as their session: what they hold with one tunnel is where counting starts.
base_kib() {
	local client kib
	rm -f "$T/hold" && mkfifo "$T/hold"
	ours "$T/tunnel_load" -p 198.18.0.1:3128 -t origin.test:$ORIGIN idle 1 <"$T/hold" >"$T/idle.out" 2>/dev/null &
	client=$!
	exec 9>"$T/hold"
	opened $client
	# shellcheck disable=SC2046
	kib=$(rss_kib $(gateway_pids))
	exec 9>&-
	wait $client
	echo "$kib"
}
held() { # CONTESTANT PIDS-COMMAND CMD...: opens, measures, closes
	local who=$1 pids=$2 before after kernel
	shift 2
	# shellcheck disable=SC2046
	before=$(rss_kib $($pids)) kernel=$(kernel_kib)
	[ "$who" != stockade ] || before=$OUR_BASE
	rm -f "$T/hold" && mkfifo "$T/hold"
	"$@" <"$T/hold" >"$T/idle.out" 2>/dev/null &
	local client=$! each
	exec 9>"$T/hold"
	opened $client
	# shellcheck disable=SC2046
	after=$(rss_kib $($pids))
	local made
	made=$(sed -n 's/^READY //p' "$T/idle.out")
	each=$(awk -v a="$after" -v b="$before" -v n="${made:-0}" 'BEGIN { if (n) printf "%.1f", (a - b) / n; else print "–" }')
	[ "$who" != stockade ] || bar "idle tunnel ($COUNT of them, ${made:-0} made), KB resident in all roles" "$each" "" - '<=' 4
	[ "${made:-0}" -gt 0 ] && echo "| $who | $made | $each | $(awk -v a="$(kernel_kib)" -v b="$kernel" -v n="$made" 'BEGIN { printf "%.1f", (a - b) / n }') |"
	exec 9>&-
	wait $client
}
echo "### Idle tunnels"
echo
echo "| | tunnels | KB each, resident in the proxy | KB each, kernel (whole machine, client and origin too) |"
echo "|---|---|---|---|"
for who in splice haproxy squid tinyproxy; do
	has $who || continue
	ref=PID_$who port=PORT_$who
	[ $who = haproxy ] && port_number=9102 || port_number=${!port}
	way=(-t 127.0.0.1:$port_number)
	case $who in squid | tinyproxy) way=(-p 127.0.0.1:$port_number -t 127.0.0.1:$ORIGIN) ;; esac
	held $who "family ${!ref}" load "$T/tunnel_load" "${way[@]}" idle "$COUNT"
done
OUR_BASE=$(base_kib)
held stockade gateway_pids ours "$T/tunnel_load" -p 198.18.0.1:3128 -t origin.test:$ORIGIN idle "$COUNT"
echo
exit 0
