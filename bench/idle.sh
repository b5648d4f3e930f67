#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Memory of idle tunnels in the proxy: BENCH_IDLE of them (9000; ours also with 10,000 where the limit
# on open files lets one process hold that many pairs).
. "$(dirname "$0")/lib.sh"
enter_world "$0" "$@"
bench_setup
start_origin || exit 1
start_peers
gateway_policy
COUNT=${BENCH_IDLE:-9000} # two descriptors each in the proxy, and nofile may be 20,000
kernel_kib() { awk '/^(Slab|PageTables|KernelStack):/{s += $2} END {print s}' /proc/meminfo; }
family() { # PID: it and its descendants
	local pid
	echo "$1"
	for pid in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do family "$pid"; done
}
held() { # CONTESTANT PIDS-COMMAND CMD...: opens, measures, closes
	local who=$1 pids=$2 before after kernel
	shift 2
	# shellcheck disable=SC2046
	before=$(rss_kib $($pids)) kernel=$(kernel_kib)
	rm -f "$T/hold" && mkfifo "$T/hold"
	"$@" <"$T/hold" >"$T/idle.out" 2>/dev/null &
	local client=$!
	exec 9>"$T/hold"
	wait_for grep -q READY "$T/idle.out"
	# shellcheck disable=SC2046
	after=$(rss_kib $($pids))
	local made
	made=$(sed -n 's/^READY //p' "$T/idle.out")
	[ "${made:-0}" -gt 0 ] && echo "| $who | $made | $(awk -v a="$after" -v b="$before" -v n="$made" 'BEGIN { printf "%.1f", (a - b) / n }') | $(awk -v a="$(kernel_kib)" -v b="$kernel" -v n="$made" 'BEGIN { printf "%.1f", (a - b) / n }') |"
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
held stockade gateway_pids ours "$T/tunnel_load" -p 198.18.0.1:3128 -t origin.test:$ORIGIN idle "$COUNT"
echo
exit 0
