#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a run in the native sandbox promises: codes, signals, terminal, descriptors, mounts, limits, and
# that nothing is left behind. As root and as an ordinary user.

. "$(dirname "$0")/sandbox-lib.sh"

code() { # EXPECTED ARG...
	want=$1
	shift
	"$driver" "$@"
	test $? = "$want"
}

left() { # processes whose command line holds this run's marker
	pgrep -fc "$1" || true
}

codes() {
	ok "the program's own code" code 7 -- sh -c 'exit 7'
	ok "killed by a signal is 128+n" code 143 -- sh -c 'kill -TERM $$'
	ok "not found is 127" code 127 -- no-such-program
	ok "not executable is 126" code 126 -- /etc/passwd
	refused "the reason of a failed exec is said" "cannot run the program: No such file" \
		"$driver" -- no-such-program
	ok "standard input and output are the caller's" sh -c \
		'test "$(echo in | '"$driver"' -- cat)" = in'
	is "the environment is the plan's, and nothing else" "A=b HOME=/home/agent PATH=/usr/bin:/bin:/usr/sbin:/sbin" \
		"$(SECRET=x "$driver" --env A=b -- /usr/bin/env | sort | tr '\n' ' ' | sed 's/ $//')"
	is "no descriptor is inherited" "0 1 2 3" \
		"$("$driver" -- /bin/ls /proc/self/fd 7</etc/passwd 9</etc/passwd | tr '\n' ' ' | sed 's/ $//')"
	for n in 4 5 6 8 10 12; do
		refused "too few descriptors ($n) are named" "Too many open files" \
			prlimit --nofile=$n "$driver" --net -- true
	done
	is "host name" stockade "$("$driver" -- uname -n)"
	is "same uid and gid inside" "$(id -u):$(id -g)" "$("$driver" -- sh -c 'echo $(id -u):$(id -g)')"
	is "a working directory" /tmp "$("$driver" --cwd /tmp -- pwd)"
	refused "a working directory that is not there" "working directory" "$driver" --cwd /nope -- true
	is "pid 1 shows nothing of the launcher's command line" "stockade-init stockade-init" \
		"$("$driver" --env SECRET=x -- sh -c 'echo $(tr -d "\0" </proc/1/cmdline) $(cat /proc/1/comm)')"
	is "two processes and no more" "1 2" "$("$driver" -- sh -c 'cd /proc; echo [0-9]*')"
}

paths() {
	mkdir -p ws/sub host
	echo host >host/file
	refused "a missing source" "No such file" "$driver" --ro "$tmp/none:/x" -- true
	mkfifo fifo
	refused "a FIFO as source" "a FIFO" "$driver" --ro "$tmp/fifo:/x" -- true
	refused "a target in a host tree is not made" "No such file" \
		"$driver" --rw "$tmp/ws:/ws" --ro "$tmp/host:/ws/new" -- true
	ok "... and was not made" test ! -e ws/new
	# F03: a link left in the workspace by an earlier session, and a mount beneath it.
	ln -sfn "/oldroot$tmp/host" ws/.claude
	refused "F03 link to /oldroot, masked child" "No such file" \
		"$driver" --rw "$tmp/ws:/ws" --file /ws/.claude/settings=x -- true
	ln -sfn "$tmp/host" ws/.claude
	refused "F03 link to a host path, masked child" "No such file" \
		"$driver" --rw "$tmp/ws:/ws" --file /ws/.claude/settings=x -- true
	ln -sfn "../../../../../..$tmp/host" ws/.claude
	refused "F03 relative link upwards" "No such file" \
		"$driver" --rw "$tmp/ws:/ws" --dir /ws/.claude/new -- true
	ln -sfn /proc/self/root ws/.claude
	refused "F03 magic link" "driver:" \
		"$driver" --rw "$tmp/ws:/ws" --file /ws/.claude/etc/x=x -- true
	is "F03 the host is untouched" "file" "$(ls -A host)"
	ln -sfn "$tmp/host" ws/link
	refused "a source that is a link in a writable tree" "symbolic link" \
		"$driver" --rw "$tmp/ws:/ws" --ro "$tmp/ws/link:/x" -- cat /x/file
	ln -sfn "$tmp" ws/up
	refused "a source through a link in a writable tree" "symbolic link" \
		"$driver" --rw "$tmp/ws:/ws" --ro "$tmp/ws/up/host:/x" -- cat /x/file
	is "F04 /var/run leads to /run" host \
		"$("$driver" --ro "$tmp/host/file:/var/run/file" -- cat /run/file)"
	is "a file of the plan over one that exists" "hello" \
		"$("$driver" --file /etc/passwd=hello -- cat /etc/passwd)"
	refused "a file of the plan is read-only" "" "$driver" --file /tmp/x=hello -- sh -c 'chmod u+w /tmp/x && echo y >/tmp/x'
	is "a masked file is empty" "" "$("$driver" --rw "$tmp/host:/h" --mask /h/file -- cat /h/file)"
	is "a masked directory is empty" "" "$("$driver" --rw "$tmp/host:/h" --mask /h -- ls -A /h)"
	refused "a masked file cannot be removed" "" "$driver" --rw "$tmp/host:/h" --mask /h/file -- rm -f /h/file
	is "... and is as it was" host "$(cat host/file)"
	refused "a read-only tree" "" "$driver" --ro "$tmp/host:/h" -- touch /h/new
	ok "a writable tree" "$driver" --rw "$tmp/host:/h" -- touch /h/new
	mkdir -p ws/.git/hooks
	refused "a directory above a protected one cannot be moved away" "busy" \
		"$driver" --rw "$tmp/ws:/ws" --ro "$tmp/ws/.git/hooks:/ws/.git/hooks" -- mv /ws/.git /ws/.git2
	ok "... but used" "$driver" --rw "$tmp/ws:/ws" --ro "$tmp/ws/.git/hooks:/ws/.git/hooks" -- \
		sh -c 'cd /ws/.git && echo x >a && mv a b && rm b'
	refused "F24 tmpfs has a bound on files" "No space" "$driver" -- /usr/bin/python3 -c \
		'for i in range(70000): open(f"/tmp/{i}", "w")'
	refused "F14 a directory as standard input" "no directory" sh -c '"$0" -- ls <"$1"' "$driver" "$tmp"
	refused "a closed standard input" "must be open" sh -c '"$0" -- true <&-' "$driver"
	refused "tmpfs has a size" "No space" "$driver" -- dd if=/dev/zero of=/tmp/x bs=1M count=80
	refused "nothing of the home directory" "" "$driver" -- ls "$HOME/.ssh"
}

ends() {
	"$driver" -- sleep 4711 &
	sleep 0.3
	kill -9 $!
	sleep 0.3
	is "everything dies with a killed launcher" 0 "$(left 'sleep 4711')"
	"$driver" -- sh -c 'setsid sleep 4712 & (sleep 4712 &) ; exit 0'
	is "P23 daemons die with the program" 0 "$(left 'sleep 4712')"
	"$driver" -- sh -c 'trap "exit 9" TERM; echo up; while :; do sleep 0.05; done' >up &
	sleep 0.4
	kill -TERM $!
	wait $!
	is "a signal is forwarded" 9 $?
	"$driver" --prepare-only -- touch "$tmp/never"
	ok "prepared but not started: the program did not run" test ! -e never
}

terminal() {
	is "a terminal of its own" "/dev/pts/0" \
		"$(script -qec "$driver --pty -- tty" /dev/null </dev/null | sed 's/\r//; s/^^@//')"
	is "P08 TIOCSTI on the terminal" "1" "$(script -qec "$driver --pty -- /usr/bin/python3 -c '
import fcntl,termios
try: fcntl.ioctl(0, termios.TIOCSTI, b\"x\")
except OSError as e: print(e.errno)'" /dev/null </dev/null | sed 's/\r//; s/^^@//')"
	is "job control" "ok" "$(script -qec "$driver --pty -- bash -ic 'sleep 0.1 & fg >/dev/null && echo ok'" \
		/dev/null </dev/null | tr -d '\r' | tail -1)"
	is "Ctrl-C reaches the foreground program" 130 "$(/usr/bin/python3 - "$driver" <<-'PY'
		import os, pty, sys, time
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[1], [sys.argv[1], "--pty", "--", "sh", "-c", "echo up; exec sleep 20"])
		while b"up" not in os.read(fd, 100): pass
		time.sleep(0.2)
		os.write(fd, b"\x03")
		print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
		PY
	)"
	is "no controlling terminal without --pty" "none" \
		"$(script -qec "$driver -- sh -c 'exec 3</dev/tty' || echo none" /dev/null </dev/null | tail -1 | sed 's/\r//; s/^^@//')"
}

# As on a host that gives us no control group.
ungrouped() {
	if [ "$(id -u)" = 0 ]; then
		unshare -m sh -c 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"' sh "$driver" "$@"
	else
		"$driver" "$@"
	fi
}

groups_of() { # PID: directories of a launcher; other sessions on this machine have their own
	find /sys/fs/cgroup -name "stockade.$(stat -Lc %i /proc/self/ns/pid).$1.*" 2>/dev/null | wc -l
}

bounds() {
	refused "P22 a fork bomb is bounded" "fork" "$driver" --pids 20 -- \
		sh -c 'for i in $(seq 400); do sleep 1 & done; wait'
	refused "P22 so is one under a loose bound, which the pid namespace holds where it can" "fork" \
		"$driver" --pids 1024 -- sh -c 'for i in $(seq 1500); do sleep 2 & done; wait'
	refused "P22 memory is bounded" "" "$driver" --memory 60000000 -- /usr/bin/python3 -c 'bytearray(300000000)'
	"$driver" --pids 20 --memory 60000000 -- true &
	launcher=$!
	wait $launcher
	is "no cgroup is left" 0 "$(groups_of $launcher)"
	refused "without a cgroup: CPU is said to be lost" "limits.cpus: not bounded" \
		ungrouped --report --cpu 500 -- false
	refused "without a cgroup: memory is said to be of each process" "limits.memory: of each" \
		ungrouped --report --memory 600000000 -- false
	refused "without a cgroup: memory of a process is bounded" "" \
		ungrouped --memory 60000000 -- /usr/bin/python3 -c 'bytearray(300000000)'
	refused "without a cgroup: a fork bomb is bounded" "fork" ungrouped --pids 310 -- \
		sh -c 'for i in $(seq 700); do sleep 1 & done; wait'
	refused "without a cgroup: a required one is missed" "limits.cgroup" \
		ungrouped --pids 20 --require-cgroup -- true
	if [ "$(id -u)" = 0 ]; then
		refused "without a cgroup: root's bound on processes is said to be higher" "up to 301 more" \
			ungrouped --report --pids 20 -- false
		"$driver" --pids 20 -- sleep 20 &
		launcher=$!
		sleep 0.3
		is "a cgroup while it runs" 1 "$(groups_of $launcher)"
		kill -9 $launcher
		sleep 0.2
		"$driver" --pids 20 -- true
		is "a killed launcher's cgroup is swept by the next" 0 "$(groups_of $launcher)"
	fi
}

# A user namespace in which no further one may be made stands for a host that forbids them.
blocked() {
	unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh "$driver" "$@"
}

degraded() {
	mkdir -p deg
	echo secret >outside
	refused "P25 namespaces blocked: refuses and names the setting" "user.max_user_namespaces=0" blocked -- true
	refused "P25 ... and does not run" "cannot make namespaces" blocked -- touch "$tmp/deg/ran"
	ok "... really" test ! -e deg/ran
	ok "P25 --allow-degraded runs" blocked --degraded -- true
	is "... and leaves the machine's own bound on processes alone" same \
		"$(unshare -Urpf --mount-proc sh -c 'echo 0 >/proc/sys/user/max_user_namespaces
			before=$(cat /proc/sys/kernel/pid_max)
			"$0" --degraded --pids 2000 -- true && "$0" --degraded --pids 2000 --memory 600000000 -- true
			test "$before" = "$(cat /proc/sys/kernel/pid_max)" && echo same' "$driver")"
	refused "... says what was lost" "lost=all namespaces" blocked --degraded --report -- false
	ok "... a writable tree" blocked --degraded --rw "$tmp/deg" -- touch "$tmp/deg/x"
	refused "... nothing else is readable" "denied" blocked --degraded --rw "$tmp/deg" -- cat "$tmp/outside"
	refused "... nothing else is writable" "denied" blocked --degraded --rw "$tmp/deg" -- touch "$tmp/y"
	refused "... no socket of any kind" "not permitted" blocked --degraded -- /usr/bin/python3 -c \
		'import socket; socket.socket(socket.AF_UNIX)'
	refused "... a mask is refused" "cannot be hidden" blocked --degraded --mask /etc/hosts -- true
	refused "... protection inside a writable tree is refused" "cannot be protected" \
		blocked --degraded --rw "$tmp/deg" --ro "$tmp/deg/x" -- true
	blocked --degraded -- sh -c 'setsid sleep 4713 & (sleep 4713 &) ; exit 0'
	is "... daemons die with the program" 0 "$(left 'sleep 4713')"
}

body() {
	codes
	paths
	ends
	terminal
	bounds
	degraded
}

start "$@"
