#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whatever fails, the agent ends with less, never with more: each role killed in mid-session, the
# launcher killed, the disk full, and every system call of the set-up made to fail in turn.
#
# STOCKADE_FAULT_DEPTH: how many occurrences of each call are made to fail (default 3).
. "$(dirname "$0")/../equipment/lib.sh"
enter_world "$0" "$@"
setup
start_world || exit 1
DEPTH=${STOCKADE_FAULT_DEPTH:-3}

session_policy() { # writes $T/$1.yaml for the session in $W
	cat >"$T/$1.yaml" <<-YAML
		extends: base
		workspace: { path: "$W", mode: rw }
		network:
		  allow:
		    - allowed.test
		    - { host: api.test, credential: api }
		credentials: { api: { from: "env:CANARY_KEY", header: "x-api-key: {}" } }
	YAML
	chmod 644 "$T/$1.yaml"
}

# Asks for ever, and writes one line for each answer: "ok" or what went wrong.
write_asker() {
	cat >"$W/ask.py" <<-'PY'
		import http.client, time
		open("started", "w").close()
		end = time.time() + 25
		while time.time() < end:
		    for host in ("allowed.test", "api.test"):
		        try:
		            c = http.client.HTTPConnection(host, timeout=3)
		            c.request("GET", "/")
		            good = b"WORLD-REACHED" in c.getresponse().read()
		            print("ok" if good else "refused", host, flush=True)
		        except OSError as error:
		            print("error", host, error, flush=True)
		    time.sleep(0.05)
	PY
	chmod 644 "$W/ask.py"
}

start_asking() { # NAME: a session in the background; PID is the launcher's, or its wrapper's
	new_session "$1"
	session_policy "$1"
	write_asker
	CANARY_KEY=canary-$RANDOM-key stockade run --quiet --policy "$T/$1.yaml" -- \
		"$PYTHON" ask.py >"$T/$1.trace" 2>"$T/$1.err" </dev/null &
	PID=$!
	wait_for grep -q "ok allowed.test" "$T/$1.trace" && wait_for grep -q "ok api.test" "$T/$1.trace"
}

find_process() { # ERE over the command line with blanks: the newest such pid
	local pid
	for pid in /proc/[0-9]*; do
		tr '\0' ' ' 2>/dev/null <"$pid/cmdline" | grep -Eq -- "$1" && echo "${pid#/proc/}"
	done | sort -n | tail -n1
}
launcher_pid() { find_process "^[^ ]*/stockade run --quiet --policy $T/$1.yaml"; }
first_launcher() {
	local pid
	for pid in /proc/[0-9]*; do
		tr '\0' ' ' 2>/dev/null <"$pid/cmdline" |
			grep -Eq "^[^ ]*/stockade run --quiet --policy $T/$1.yaml" && echo "${pid#/proc/}"
	done | sort -n | head -n1
}

wait_exit() { # at most ten seconds; STATUS
	local i
	for ((i = 0; i < 100; i++)); do
		kill -0 "$PID" 2>/dev/null || break
		sleep 0.1
	done
	kill -0 "$PID" 2>/dev/null && { STATUS=still-running; kill -9 "$PID"; return; }
	wait "$PID"
	STATUS=$?
}

ended_closed() { # NAME TITLE: no request was let out after the mark, nothing is left
	local after
	is "$(leftovers)" "" "$2: nothing is left behind"
	after=$(wc -l <"$WORLD_LOG")
	sleep 0.5
	is "$(wc -l <"$WORLD_LOG")" "$after" "$2: no traffic any more"
}

users=root
can_be_user && users="root user"
chmod 666 "$WORLD_LOG"
for RUN_AS in $users; do
	for role in front back keeper audit; do
		name=kill-$role-$RUN_AS
		title="kill -9 $role [$RUN_AS]"
		if ! start_asking "$name"; then
			fail "$title: the session works before"
			diag "$(cat "$T/$name.trace" "$T/$name.err")"
			kill -9 "$PID" 2>/dev/null
			continue
		fi
		pass "$title: the session works before"
		victim=$(find_process "stockade-gateway $role( |\$)")
		if [ -z "$victim" ]; then
			fail "$title: there is such a process"
			kill "$PID"
			wait_exit
			continue
		fi
		pass "$title: there is such a process"
		kill -9 "$victim"
		wait_exit
		is "$STATUS" 124 "$title: the session ends with 124"
		like "$(cat "$T/$name.err")" "$role|gateway|log" "$title: one line says what died"
		ended_closed "$name" "$title"
		like "$(log_count event=session-end)" '^[01]$' "$title: the log is readable"
	done

	name=kill-launcher-$RUN_AS
	start_asking "$name"
	ok $? "kill -9 launcher: the session works before [$RUN_AS]"
	kill -9 "$(first_launcher "$name")" 2>/dev/null
	wait_exit
	# Nobody is left who could remove an empty control group: the next start does.
	left=$(leftovers)
	is "$(printf '%s\n' "$left" | grep -v '^cgroups: [^ ]*$')" "" \
		"kill -9 launcher [$RUN_AS]: nothing that lives is left behind"
	stockade log verify >"$T/verify" 2>&1
	is $? 1 "kill -9 launcher [$RUN_AS]: its log is not taken for whole"
	like "$(cat "$T/verify")" "no session-end" "kill -9 launcher [$RUN_AS]: ... and verify says why"
	CANARY_KEY=x stockade run --quiet --policy "$T/$name.yaml" -- true </dev/null
	ended_closed "$name" "kill -9 launcher [$RUN_AS], after the next start"

	for sig in TERM INT HUP; do
		name=signal-$sig-$RUN_AS
		start_asking "$name"
		ok $? "SIG$sig to the launcher: the session works before [$RUN_AS]"
		kill -"$sig" "$(first_launcher "$name")"
		wait_exit
		is "$STATUS" "$((128 + $(kill -l $sig)))" "SIG$sig to the launcher: 128+n [$RUN_AS]"
		ended_closed "$name" "SIG$sig [$RUN_AS]"
	done

	# The disk fills up in mid-session: every request that went out is in the log.
	name=full-$RUN_AS
	new_session "$name"
	mount -t tmpfs -o size=4m,mode=777 full "$S"
	session_policy "$name"
	write_asker
	before=$(grep -c '"kind": "http"' "$WORLD_LOG")
	CANARY_KEY=canary-full-key stockade run --quiet --policy "$T/$name.yaml" -- \
		"$PYTHON" ask.py >"$T/$name.trace" 2>"$T/$name.err" </dev/null &
	PID=$!
	wait_for grep -q "ok api.test" "$T/$name.trace"
	dd if=/dev/zero of="$S/fill" bs=1k 2>/dev/null
	# Fill what the log reserved ahead.
	for ((i = 0; i < 300; i++)); do kill -0 $PID 2>/dev/null || break; sleep 0.1; done
	wait_exit
	like "$STATUS" '^(124|0)$' "disk full: the session ends by itself, or its reserve sufficed [$RUN_AS]"
	went=$(($(grep -c '"kind": "http"' "$WORLD_LOG") - before))
	logged=$(($(log_count event=request verdict=allow) + 0))
	ok "$([ "$went" -gt 0 ] && [ "$went" -le "$logged" ]; echo $?)" \
		"disk full: no request went out unlogged ($went out, $logged in the log) [$RUN_AS]"
	umount -l "$S"
done

# --- every system call of the set-up fails in turn

if ! command -v strace >/dev/null; then
	skip 1 "strace is not installed" "fault injection"
	finish
fi
RUN_AS=root
echo "host file" >"$T/host-file"

# Shell built-ins only, so that a fault meant for the set-up cannot change the report.
cat >"$T/report.sh" <<'EOS'
state=
while read -r name value rest; do
	case $name in
	CapEff: | CapPrm: | CapBnd: | NoNewPrivs: | Seccomp:) state="$state $name$value" ;;
	esac
done </proc/self/status
[ -e HOSTFILE ] && state="$state host-file"
if exec 3<>/dev/tcp/45.33.32.66/8080; then
	printf 'GET / HTTP/1.0\r\n\r\n' >&3
	while read -r -t 3 line <&3; do
		case $line in *WORLD-REACHED*) state="$state world" ;; esac
	done
fi 2>/dev/null
echo "RAN$state" >ran
EOS
sed -i "s|HOSTFILE|$T/host-file|" "$T/report.sh"
WANTED="RAN CapPrm:0000000000000000 CapEff:0000000000000000 CapBnd:0000000000000000 NoNewPrivs:1 Seccomp:2"

one_run() { # STRACE OPTIONS...: STATUS, ERR, RAN
	new_session faults
	rm -f "$W/ran"
	session_policy faults
	cp "$T/report.sh" "$W/report.sh"
	(cd "$W" && CANARY_KEY=canary-fault-key XDG_STATE_HOME=$S XDG_CONFIG_HOME=$S HOME=$SESSION_HOME \
		SSL_CERT_FILE=$T/certs/ca.pem timeout -k 2 20 strace -f -qq -o "$T/strace.out" "$@" \
		"$STOCKADE" run --quiet --policy "$T/faults.yaml" -- /bin/bash report.sh) \
		>"$T/out" 2>"$T/err" </dev/null
	STATUS=$?
	ERR=$(cat "$T/err")
	RAN=$(cat "$W/ran" 2>/dev/null)
}

# The fault hit the program only, after its exec: no step of the set-up.  (It is killed then: a call
# that a tracer takes away has number -1, in which the filter sees the bit of x32.)
program_alone() {
	awk '/execve\("\/bin\/bash"/ { program[$1] = 1 }
		/INJECTED/ && !program[$1] { other = 1 }
		END { exit other }' "$T/strace.out"
}

# What one set-up calls, up to the program's own exec.
one_run -e trace=all
is "$STATUS" 0 "a run under strace works"
is "$RAN" "$WANTED" "the report shows every control on"
SETUP=$(sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$T/strace.out" | sort | uniq -c | sort -rn |
	awk '{print $2}')
# Calls whose failure is a step of the boundary; memory and plain I/O are not.
STEPS="clone clone3 unshare setns mount open_tree move_mount mount_setattr fsopen fsconfig fsmount
fspick pivot_root umount2 chroot chdir fchdir prctl seccomp landlock_create_ruleset landlock_add_rule
landlock_restrict_self capset setgroups setresuid setresgid setuid setgid setrlimit prlimit64
sethostname openat2 mkdir mkdirat symlinkat mknodat socket bind listen sendmsg recvmsg sendto
recvfrom setsockopt close_range pidfd_open pidfd_send_signal pipe2 socketpair setsid execveat
fchmodat fchownat personality memfd_create timerfd_create signalfd4 epoll_create1 epoll_ctl"
for call in $STEPS; do
	printf '%s\n' "$SETUP" | grep -qx "$call" || continue
	for error in ENOSYS EPERM; do
		bad='' closed=0 whole=0
		# One error for each later time: the code looks at success only (sandbox-faults.t goes deeper).
		depth=$([ $error = ENOSYS ] && echo "$DEPTH" || echo 1)
		for ((n = 1; n <= depth; n++)); do
			one_run -e trace="$call,execve" -e inject="$call:error=$error:when=$n"
			grep -q INJECTED "$T/strace.out" || break
			program_alone && continue
			if [ -z "$RAN" ]; then
				closed=$((closed + 1))
				{ [ "$STATUS" -ge 122 ] && [ "$STATUS" -le 127 ]; } || bad="$bad when=$n: exit $STATUS;"
				[ -n "$ERR" ] || bad="$bad when=$n: not a word;"
			elif [ "$RAN" = "$WANTED" ]; then
				whole=$((whole + 1))
			else
				bad="$bad when=$n RAN WITH LESS: $RAN;"
			fi
		done
		is "$bad" "" "$call fails with $error: never ran ($closed) or ran whole ($whole)"
	done
done
unlike "$(cat "$WORLD_LOG")" '45\.33\.32\.66' "no fault let anything out"
is "$(leftovers)" "" "no fault left anything behind"

# P26: a control that the kernel says it set, and did not, is found by the probe before anything runs.
for lie in seccomp landlock_restrict_self capset mount_setattr; do
	one_run -e trace="$lie" -e inject="$lie:retval=0"
	ok "$(grep -q INJECTED "$T/strace.out"; echo $?)" "P26: $lie only pretends"
	is "$STATUS" 123 "P26: $lie that does not bite: refused"
	like "$ERR" "control '[^']*' does not bite" "P26: $lie that does not bite: the line says so"
	is "$RAN" "" "P26: $lie that does not bite: nothing ran"
done

# A process that dies without a word is explained by how it died and what it was at.
one_run -e trace=landlock_restrict_self -e inject=landlock_restrict_self:signal=KILL
is "$STATUS" 123 "killed during set-up: refused"
like "$ERR" "killed by signal 9 .*while enforcing Landlock" "killed during set-up: the line says where"
one_run -e trace=keyctl -e inject=keyctl:signal=SYS
like "$ERR" "killed by signal 31 .*while trying what must be refused" "killed by a filter: the line says where"
is "$RAN" "" "killed during set-up: nothing ran"

# A lookup that a mount elsewhere disturbs is tried again.
one_run -e trace=openat2 -e inject=openat2:error=EAGAIN:when=1..5
is "$RAN" "$WANTED" "a disturbed lookup is tried again"
one_run -e trace=openat2 -e inject=openat2:error=EAGAIN
is "$STATUS" 123 "... but not for ever"

# Missing kernel features are named; degradation is asked for and recorded.
one_run -e trace=landlock_create_ruleset -e inject=landlock_create_ruleset:error=ENOSYS
is "$STATUS" 123 "no Landlock: refused"
like "$ERR" "Landlock is missing" "no Landlock: the line names it"
is "$RAN" "" "no Landlock: nothing ran"
one_run -e trace=clone3,clone,unshare -e inject=clone3,unshare:error=EPERM
is "$STATUS" 123 "no user namespaces: refused"
like "$ERR" "namespace" "no user namespaces: the line names them"
is "$RAN" "" "no user namespaces: nothing ran"
one_run -e trace=seccomp,prctl -e inject=seccomp:error=ENOSYS
like "${RAN:-nothing}" "^nothing$|^$WANTED\$" "no seccomp call: nothing ran, or with the filter by another way"
new_session degraded
session_policy degraded
(cd "$W" && CANARY_KEY=x XDG_STATE_HOME=$S XDG_CONFIG_HOME=$S HOME=$SESSION_HOME timeout 20 strace -f -qq \
	-o "$T/strace.out" -e trace=landlock_create_ruleset \
	-e inject=landlock_create_ruleset:error=ENOSYS "$STOCKADE" run --quiet --allow-degraded \
	--policy "$T/degraded.yaml" -- /bin/sh -c ': >ran') </dev/null >/dev/null 2>&1
ok "$([ -e "$W/ran" ]; echo $?)" "--allow-degraded runs without Landlock"
like "$(log_count event=degraded)" '^[1-9]' "... and the log says so"
finish
