#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every system call of set-up is made to fail, at its first, second, ... time: the program must not run,
# unless what failed is one of the few that may.  Run once, as we are.

. "$(dirname "$0")/sandbox-lib.sh"

# Calls whose failure is handled (an optional file, ENOENT for a bound on namespaces that is older than
# the kernel, a path that exists), so that a run may go on; the probes still stand.
# A fresh /proc (the second fsopen and fsmount) gives way to the existing one, as in a container.
may_go_on="openat mkdirat readlinkat close fstat newfstatat unlinkat read write fcntl rt_sigprocmask
	rt_sigaction ioctl getpid getppid geteuid getegid exit_group wait4 ppoll poll brk mmap munmap mprotect
	futex access pread64 arch_prctl set_tid_address set_robust_list prlimit64 rseq getrandom execve
	execveat readlink getgroups setgroups waitid clone fork vfork keyctl bpf unshare mknodat recvfrom
	pidfd_send_signal restart_syscall rt_sigreturn statfs getuid gettid sendto"

body() {
	export LD_BIND_NOW=1
	strace -f -qq -o trace "$driver" --net --file /etc/resolv.conf=x -- /bin/true
	# Of the set-up only: what comes before the exec inside. strace counts each process by itself.
	awk '/execve\("(\/usr)?\/bin\/true/ { exit }
		{ pid = $1; sub(/^[0-9]+ +/, ""); sub(/\(.*/, "")
		  if (/^[a-z_0-9]+$/ && ++n[pid, $0] > most[$0]) most[$0] = n[pid, $0] }
		END { for (c in most) print c, most[c] }' trace | sort >calls
	ok "the trace of a set-up has its calls" grep -q '^pivot_root 1$' calls
	while read -r call count; do
		case " $(echo $may_go_on) " in *" $call "*) continue ;; esac
		for when in 1 2 3 $((count / 2)) $((count - 1)) "$count"; do
			[ "$when" -ge 1 ] && [ "$when" -le "$count" ] || continue
			echo "$call $when"
		done
	done <calls | sort -u | grep -vxF -e 'fsopen 2' -e 'fsmount 2' >faults
	while read -r call when; do
		rm -f ran
		timeout 20 strace -f -qq -o /dev/null -e "trace=$call" -e "inject=$call:error=EPERM:when=$when" \
			"$driver" --net --rw "$tmp:/ws" --file /etc/resolv.conf=x -- /bin/touch /ws/ran \
			</dev/null >out 2>&1
		rc=$?
		if [ -e ran ] || [ $rc = 0 ]; then
			echo "not ok - $who: $call fails (time $when): the program ran (code $rc)"
		else
			echo "ok - $who: $call fails (time $when): the program did not run"
		fi
	done <faults
}

if [ "$1" = inner ] && [ "$2" = user ]; then
	exit 0
fi
start "$@"
