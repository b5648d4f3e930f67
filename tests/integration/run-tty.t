#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Interactive programs: a terminal of their own, window size, job control, Ctrl-C.
. "$(dirname "$0")/../equipment/lib.sh"
enter_world "$0" "$@"
setup
make_certs
users=root
can_be_user && users="root user"
for RUN_AS in $users; do
	new_session "tty-$RUN_AS"
	printf 'extends: base\nworkspace: { path: "%s", mode: rw }\n' "$W" >"$T/tty.yaml"
	chmod 644 "$T/tty.yaml"
	install -m 644 "$TEST_DIR/tty_driver.py" "$T/tty_driver.py" # the tree may be closed to others
	export W S
	run_pty() { # SCRIPT INSIDE; the driver plays the person
		(cd "$W" && STOCKADE_ARGV="$(printf '%s\n' "$STOCKADE" run --quiet --policy "$T/tty.yaml" -- /bin/sh -c "$2")" \
			XDG_STATE_HOME=$S as "$PYTHON" "$T/tty_driver.py" "$1")
	}
	like "$(run_pty size 'stty size; trap "stty size; exit 3" WINCH; echo READY; while :; do sleep 0.1; done')" \
		'STATUS 3' "a resize reaches the program [$RUN_AS]"
	like "$(run_pty size 'stty size; trap "stty size; exit 3" WINCH; echo READY; while :; do sleep 0.1; done')" \
		'24 80.*41 133' "... with the new size [$RUN_AS]"
	like "$(run_pty interrupt 'trap "echo GOT-INT; exit 4" INT; echo READY; while :; do sleep 0.1; done')" \
		'GOT-INT.*STATUS 4' "Ctrl-C interrupts the program inside [$RUN_AS]"
	like "$(run_pty interrupt 'echo READY; sleep 60')" 'STATUS 130' "Ctrl-C ends a program without a handler, 128+2 [$RUN_AS]"
	like "$(run_pty line 'echo READY; read x; echo "heard <$x>"')" 'heard <typed line>.*STATUS 0' "typed input arrives [$RUN_AS]"
	like "$(run_pty none 'tty; test -t 0 && test -t 1 && echo BOTH; echo READY')" '/dev/(pts/[0-9]+|console).*BOTH' "standard streams are a terminal of the sandbox [$RUN_AS]"
	like "$(run_pty none 'set -m; sleep 0.2 & fg >/dev/null && echo JOBS; echo READY')" 'JOBS' "job control works [$RUN_AS]"
	like "$(run_pty hangup 'echo READY; sleep 60')" 'STATUS (129|137|143)' "closing the terminal ends the session [$RUN_AS]"
	is "$(leftovers)" "" "nothing is left behind [$RUN_AS]"
done
finish
