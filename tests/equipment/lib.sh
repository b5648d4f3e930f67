# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# lib.sh - what the shell tests share (sourced by every .t).
#
# TAP:      plan N | ok RESULT TITLE | pass/fail TITLE | is GOT WANT TITLE | like TEXT ERE TITLE |
#           unlike | skip COUNT REASON TITLE | skip_all REASON | finish
# Place:    enter_world "$0" "$@" runs the test again in namespaces of its own (network, mounts,
#           processes): nothing it does can touch or outlive the machine it runs on.
# Servers:  start_world (world.py: every address of the world), start_server NAME CMD..., stop_server
# Product:  $STOCKADE; stockade ARGS runs it as $RUN_AS (root or the ordinary user); new_session
# At the end: cleanup stops what was started and reports every process, mount and cgroup left over.

set -u
TEST_DIR=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
REPO=$(readlink -f "$TEST_DIR/../..")
PYTHON=/usr/bin/python3
USER_UID=20917 USER_GID=20917 USER_NAME=stockade-test
# shellcheck source=certs.sh
. "$TEST_DIR/certs.sh"

# --- TAP

TAP_COUNT=0 TAP_FAILED=0 TAP_PLAN=

plan() { TAP_PLAN=$1 && echo "1..$1"; }
diag() { printf '%s\n' "$*" | sed 's/^/# /'; }
pass() { TAP_COUNT=$((TAP_COUNT + 1)) && echo "ok $TAP_COUNT - $*"; }
fail() {
	TAP_COUNT=$((TAP_COUNT + 1)) TAP_FAILED=$((TAP_FAILED + 1))
	echo "not ok $TAP_COUNT - $*"
}
ok() { # RESULT TITLE; RESULT is an exit status
	local status=$1
	shift
	if [ "$status" -eq 0 ]; then pass "$@"; else fail "$@"; fi
}
is() { # GOT WANT TITLE
	if [ "$1" = "$2" ]; then pass "$3"; else
		fail "$3"
		diag "got:    $1"
		diag "wanted: $2"
	fi
}
like() { # TEXT ERE TITLE
	if printf '%s' "$1" | grep -Eq -- "$2"; then pass "$3"; else
		fail "$3"
		diag "got:     ${1:0:2000}"
		diag "pattern: $2"
	fi
}
unlike() {
	if printf '%s' "$1" | grep -Eq -- "$2"; then
		fail "$3"
		diag "found:   $2"
		diag "in:      $(printf '%s' "$1" | grep -E -m3 -- "$2")"
	else pass "$3"; fi
}
skip() { # COUNT REASON TITLE
	local i
	for ((i = 0; i < $1; i++)); do
		TAP_COUNT=$((TAP_COUNT + 1))
		echo "ok $TAP_COUNT - $3 # SKIP $2"
	done
}
skip_all() {
	echo "1..0 # SKIP $*"
	trap - EXIT
	exit 0
}
finish() { # the number of tests is the plan where none was given
	[ -n "$TAP_PLAN" ] || echo "1..$TAP_COUNT"
	exit $((TAP_FAILED > 0))
}
one_line() { # TEXT: exactly one non-empty line
	[ "$(printf '%s\n' "$1" | grep -c .)" = 1 ]
}

# --- a place of its own

# Runs the test again as process 1 of new network, mount and pid namespaces.  Root stays root; an
# ordinary user becomes root of a user namespace (and has then no second user to test with).
enter_world() {
	[ "${STOCKADE_WORLD:-}" = 1 ] && return 0
	local map=
	[ "$(id -u)" = 0 ] || map=-r
	unshare $map -n -m -i -p --fork --kill-child --mount-proc true 2>/dev/null ||
		skip_all "no namespaces for the test bed: unshare -n -m -i -p fails"
	# shellcheck disable=SC2086
	STOCKADE_WORLD=1 STOCKADE_OUTER_UID=$(id -u) exec unshare $map -n -m -i -p --fork \
		--kill-child --mount-proc bash "$@"
}

world_network() { # every address is local, nothing leaves
	ip link set lo up && ip route add local 0.0.0.0/0 dev lo &&
		ip -6 route add local ::/0 dev lo 2>/dev/null
	true
}

# An ordinary user that exists only in this mount namespace: no trace in the machine's files.
make_user() {
	cp /etc/passwd "$T/etc-passwd" && cp /etc/group "$T/etc-group"
	echo "$USER_NAME:x:$USER_UID:$USER_GID::$T/user-home:/bin/sh" >>"$T/etc-passwd"
	echo "$USER_NAME:x:$USER_GID:" >>"$T/etc-group"
	chmod 644 "$T/etc-passwd" "$T/etc-group"
	mount --bind "$T/etc-passwd" /etc/passwd && mount --bind "$T/etc-group" /etc/group
	mkdir -p "$T/user-home" && chown "$USER_UID:$USER_GID" "$T/user-home"
}
can_be_user() { [ "${STOCKADE_OUTER_UID:-$(id -u)}" = 0 ]; }

# Runs a command as the ordinary user, with no group and no capability.
run_as_user() {
	setpriv --reuid "$USER_UID" --regid "$USER_GID" --clear-groups --inh-caps=-all \
		env HOME="$T/user-home" USER="$USER_NAME" LOGNAME="$USER_NAME" "$@"
}

# --- set-up and clean-up

SERVERS=()
T=
find_product() {
	local build=${STOCKADE_BUILD:-$REPO/build} found
	if [ -n "${STOCKADE:-}" ]; then found=$STOCKADE; else
		found=$(find "$build" -name stockade -type f -perm -100 2>/dev/null | head -n1)
	fi
	[ -n "$found" ] && [ -x "$found" ] || {
		echo "Bail out! no stockade program under $build (build it, or set STOCKADE)"
		exit 1
	}
	local dir gateway
	dir=$(dirname "$found")
	gateway=${STOCKADE_GATEWAY_BIN:-$(find "$dir" "$build" -name stockade-gateway -type f \
		-perm -100 2>/dev/null | head -n1)}
	# Side by side, where the ordinary user can read them too.
	mkdir -p "$T/bin" && cp "$found" "$T/bin/stockade"
	[ -z "$gateway" ] || cp "$gateway" "$T/bin/stockade-gateway"
	chmod -R a+rX "$T/bin"
	STOCKADE=$T/bin/stockade
}

setup() { # [no-product]: T, traps, what is there before
	T=$(mktemp -d /var/tmp/stockade-t.XXXXXX)
	chmod 755 "$T"
	trap cleanup EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	[ "${1:-}" = no-product ] || find_product
	[ "${STOCKADE_WORLD:-}" = 1 ] && world_network
	if can_be_user && [ "${STOCKADE_WORLD:-}" = 1 ]; then make_user; fi
	MOUNTS_BEFORE=$(wc -l </proc/self/mountinfo)
	CGROUPS_BEFORE=$(list_cgroups)
}

# Those of our own pid namespace: other sessions of this machine have theirs.
list_cgroups() {
	find /sys/fs/cgroup -type d -name "stockade.$(stat -Lc %i /proc/self/ns/pid).*" 2>/dev/null | sort
}

# Processes of this pid namespace besides us, our servers and their children.
left_processes() {
	"$PYTHON" - "${SERVERS[@]:-}" <<-'PY'
		import os, sys
		parent, state = {}, {}
		for pid in filter(str.isdigit, os.listdir("/proc")):
		    try:
		        with open(f"/proc/{pid}/stat") as file:
		            fields = file.read().rsplit(")", 1)[1].split()
		        parent[int(pid)], state[int(pid)] = int(fields[1]), fields[0]
		    except OSError:
		        pass
		def chain(pid):
		    while pid:
		        yield pid
		        pid = parent.get(pid, 0)
		mine = set(chain(os.getpid()))
		servers = {int(pid) for pid in sys.argv[1:] if pid}
		for pid in parent:
		    if pid in mine or state[pid] == "Z" or servers & set(chain(pid)):
		        continue
		    try:
		        with open(f"/proc/{pid}/cmdline") as file:
		            print(pid, file.read().replace("\0", " "))
		    except OSError:
		        pass
	PY
}

# Everything a session could have left.  Empty output: nothing.
leftovers() {
	local tries processes=
	for tries in 1 2 3 4 5 6 7 8 9 10; do # tear-down of a killed namespace takes a moment
		processes=$(left_processes)
		[ -n "$processes" ] || break
		sleep 0.1
	done
	[ -z "$processes" ] || printf 'process %s\n' "$processes"
	local now
	now=$(wc -l </proc/self/mountinfo)
	[ "$now" -le "$MOUNTS_BEFORE" ] || echo "mounts: $MOUNTS_BEFORE before, $now now"
	now=$(list_cgroups)
	[ "$now" = "$CGROUPS_BEFORE" ] || echo "cgroups: $now"
}

cleanup() {
	local status=$? left pid
	trap - EXIT HUP INT TERM
	[ -n "$T" ] || exit "$status"
	if [ "${STOCKADE_WORLD:-}" = 1 ]; then
		left=$(leftovers)
		if [ -n "$left" ]; then
			diag "LEFT BEHIND: $left"
			status=1
		fi
	fi
	for pid in "${SERVERS[@]:-}"; do
		[ -z "$pid" ] || kill "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	if [ -n "${KEEP_TEST_DIR:-}" ]; then diag "kept $T"; else
		umount /etc/passwd /etc/group 2>/dev/null
		rm -rf --one-file-system "$T"
	fi
	exit "$status"
}

wait_for() { # COMMAND... : until it succeeds, at most ten seconds
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" 2>/dev/null && return 0
		sleep 0.05
	done
	diag "gave up waiting for: $*"
	return 1
}

start_server() { # NAME CMD... : output in $T/NAME.out
	local name=$1
	shift
	"$@" >"$T/$name.out" 2>&1 &
	SERVERS+=($!)
	printf -v "PID_$name" %s $!
}
stop_server() { # NAME
	local ref=PID_$1
	kill "${!ref}" 2>/dev/null
	wait "${!ref}" 2>/dev/null
	true
}

make_certs() {
	[ -e "$T/certs/ca.pem" ] && return 0
	mkdir -p "$T/certs"
	certs_ca "$T/certs"
	certs_leaf "$T/certs" good allowed.test second.test paths.test methods.test tunnel.test \
		api.test other-api.test '*.suffix.test' evil.test '*.evil.test' dual.test \
		'*.ssrf.test' api.anthropic.com registry.test git.test 45.33.32.10
	certs_leaf "$T/certs" wrongname somebody-else.test
	certs_expired "$T/certs" expired expired.test
	certs_self_signed "$T/certs" selfsigned selfsigned.test
	chmod 755 "$T/certs" && chmod 644 "$T/certs/"*.pem
}

# The world listens, resolv.conf points into it, and hosts says nothing.
start_world() {
	make_certs
	WORLD_LOG=$T/world.log
	: >"$WORLD_LOG"
	start_server world "$PYTHON" "$TEST_DIR/world.py" --log "$WORLD_LOG" \
		--certs "$T/certs" --ready "$T/world.ready" "$@"
	wait_for test -e "$T/world.ready" || { cat "$T/world.out" >&2; return 1; }
	echo "nameserver 45.33.32.53" >"$T/etc-resolv" && echo "127.0.0.1 localhost" >"$T/etc-hosts"
	chmod 644 "$T/etc-resolv" "$T/etc-hosts"
	mount --bind "$T/etc-resolv" "$(readlink -f /etc/resolv.conf)" &&
		mount --bind "$T/etc-hosts" /etc/hosts
	MOUNTS_BEFORE=$(wc -l </proc/self/mountinfo)
}

# --- sessions

RUN_AS=root
# new_session NAME: $W workspace, $S state home, both writable by $RUN_AS; cd's nowhere
new_session() {
	W=$T/$1/work S=$T/$1/state
	mkdir -p "$W" "$S" "$T/$1/config" "$T/$1/home"
	SESSION_HOME=$T/$1/home
	[ "$RUN_AS" = root ] || chown -R "$USER_UID:$USER_GID" "$T/$1"
}

as() { # CMD... as $RUN_AS
	if [ "$RUN_AS" = root ]; then env HOME="${SESSION_HOME:-$HOME}" "$@"; else
		run_as_user env HOME="${SESSION_HOME:-$T/user-home}" "$@"; fi
}

# stockade ARGS...: with the session's state and our authority, in the session's workspace
stockade() {
	(
		cd "$W" || exit 99
		# A background job of a shell starts with SIGINT ignored; a terminal's does not.
		as env --default-signal=INT XDG_STATE_HOME="$S" XDG_CONFIG_HOME="$S/../config" \
			SSL_CERT_FILE="$T/certs/ca.pem" "$STOCKADE" "$@"
	)
}

# The log of the session in $S: every JSON line of every file in it.
session_log() { find "$S/stockade" -type f -exec grep -h '^{' {} + 2>/dev/null; }

# log_count KEY=VALUE...: records of the session's log that have them all
log_count() {
	session_log | "$PYTHON" -c '
import json, sys
want = [item.split("=", 1) for item in sys.argv[1:]]
print(sum(all(str(entry.get(key, "")) == value for key, value in want)
          for entry in map(json.loads, sys.stdin)))' "$@"
}

free_port() {
	"$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
