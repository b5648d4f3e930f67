#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Peak resident memory: launch and init alone, then with every role started and idle.
. "$(dirname "$0")/lib.sh"
enter_world "$0" "$@"
bench_setup
start_origin || exit 1
gateway_policy
hwm() { awk '/VmHWM/{print $2}' "/proc/$1/status" 2>/dev/null; }
children() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
(cd "$W" && XDG_STATE_HOME=$S exec "$STOCKADE" run --quiet --policy "$T/bench.yaml" -- \
	/bin/sh -c ': >up; read x <gate; curl -s http://origin.test/1k >/dev/null; : >used; read x <gate') &
LAUNCH=$!
mkfifo "$W/gate"
wait_for test -e "$W/up" || exit 1
total=$(hwm $LAUNCH)
for pid in $(children $LAUNCH); do total=$((total + $(hwm "$pid"))); done
echo "### Peak memory (VmHWM)"
echo
echo "| | MB |"
echo "|---|---|"
mb() { awk -v k="$1" 'BEGIN { printf "%.1f", k / 1024 }'; }
echo "| launch and init | $(mb "$total") |"
bar "peak memory of launch and init, MB" "$(mb "$total")" "" - '<=' 6
echo go >"$W/gate"
wait_for test -e "$W/used"
roles=0
for pid in $(gateway_pids); do roles=$((roles + $(hwm "$pid"))); done
echo "| all roles, idle, besides | $(mb "$roles") |"
bar "peak memory with all roles idle, MB" "$(mb $((total + roles)))" "" - '<=' 25
echo
echo end >"$W/gate"
wait $LAUNCH
exit 0
