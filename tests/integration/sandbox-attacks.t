#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Attempts from inside the native sandbox, as root and as an ordinary user: rows F02-F27, P01-P22, C15.

. "$(dirname "$0")/sandbox-lib.sh"

inside() { "$driver" --rw "$tmp/ws:/ws" --ro "$root:/t" --cwd /ws "$@"; }

attempts() {
	ln -sf "$tmp/secret" ws/out
	echo secret >secret
	inside "$@" -- /usr/bin/python3 /t/sandbox_attacks.py "$who$*" /ws </dev/null
	is "$*: the file outside is as it was" secret "$(cat secret)"
	rm -rf ws/*
}

# P01-P04: an abstract socket of the host is another network namespace's.
body() {
	mkdir -p ws
	python3 -c 'import socket,time; s=socket.socket(socket.AF_UNIX); s.bind("\0stockade-test"); s.listen(); time.sleep(60)' &
	listener=$!
	attempts
	attempts --net
	kill $listener
	python3 -c 'import os; print(os.getpid())' >/dev/null
}

start "$@"
