#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A running session seen from outside: nobody else can use its gateway, read its memory or change
# its log unnoticed (rows C14, C15, P35 of the catalogue), and exhaustion stays bounded (N38).
. "$(dirname "$0")/../equipment/lib.sh"
enter_world "$0" "$@"
setup
start_world || exit 1
new_session outside
# shellcheck disable=SC2034 # as() of lib.sh reads it
can_be_user && RUN_AS=user && new_session outside
cat >"$T/p.yaml" <<-YAML
	extends: base
	workspace: { path: "$W", mode: rw }
	network:
	  allow:
	    - allowed.test
	    - { host: api.test, credential: api }
	credentials: { api: { from: "env:CANARY_KEY", header: "x-api-key: {}" } }
YAML
cat >"$W/stay.py" <<-'PY'
	import os, time, urllib.request
	urllib.request.urlopen("http://allowed.test/").read()
	urllib.request.urlopen("http://api.test/").read()
	open("ready", "w").close()
	while not os.path.exists("stop"):
	    time.sleep(0.05)
PY
chmod 644 "$T/p.yaml" "$W/stay.py"
KEY=CANARYKEY-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export CANARY_KEY=$KEY
LISTEN_BEFORE=$(ss -Hltnx | sort)
stockade run --quiet --policy "$T/p.yaml" -- "$PYTHON" stay.py >"$T/out" 2>&1 </dev/null &
SESSION=$!
wait_for test -e "$W/ready"
ok $? "the session runs and has used its credential"
diag "$(cat "$T/out")"

is "$(ss -Hltnx | sort | comm -13 <(echo "$LISTEN_BEFORE") - | grep -v '@' | wc -l)" 0 \
	"C14: no listener of the gateway on the host"
roles=0
for dir in /proc/[0-9]*; do
	tr '\0' ' ' 2>/dev/null <"$dir/cmdline" | grep -q 'stockade-gateway' || continue
	role=$(tr '\0' ' ' <"$dir/cmdline" | awk '{print $2}')
	roles=$((roles + 1))
	for what in environ mem maps fd; do
		if [ $what = fd ]; then as ls "$dir/fd" >"$T/got" 2>/dev/null; else
			as head -c1 "$dir/$what" >"$T/got" 2>/dev/null; fi
		ok "$([ ! -s "$T/got" ]; echo $?)" "C15: same user, $role: /proc/PID/$what is closed"
	done
	unlike "$(tr '\0' '\n' <"$dir/environ"; cat "$dir/cmdline" | tr '\0' ' ')" "$KEY" "C01: no key in $role's environment or arguments"
	is "$(sed -n 's/^CapEff:\t*//p' "$dir/status")" 0000000000000000 "$role has no capability"
	is "$(sed -n 's/^NoNewPrivs:\t*//p;s/^Seccomp:\t*//p' "$dir/status" | tr '\n' ' ')" "1 2 " "$role has no new privileges and a filter"
	is "$(awk '/Max core file size/{print $5, $6}' "$dir/limits")" "0 0" "C15: $role leaves no core"
done
ok "$([ $roles -ge 4 ]; echo $?)" "front, back, keeper and audit were all looked at ($roles)"
touch "$W/stop"
wait $SESSION

# P35: what happens to a log that somebody edits.
LOG=$(find "$S/stockade" -type f -exec grep -l '"event"' {} + | head -n1)
like "$LOG" . "there is a log"
verify() { stockade log verify --file "$1" >"$T/out" 2>&1; }
verify "$LOG"
ok $? "P35: an untouched log verifies"
cp "$LOG" "$T/good.log" && chmod 644 "$T/good.log"
damage() { # TITLE COMMAND (stdin: log, stdout: damaged log)
	cp "$T/good.log" "$LOG"
	bash -c "$2" <"$T/good.log" >"$T/bad.log"
	ok "$(! cmp -s "$T/good.log" "$T/bad.log"; echo $?)" "P35: $1: the damage is real"
	cat "$T/bad.log" >"$LOG"
	if verify "$LOG"; then fail "P35: $1 is found"; else pass "P35: $1 is found"; fi
}
damage "a line altered" "sed '2s/allowed/bllowed/;2s/\"verdict\":\"allow\"/\"verdict\":\"deny\"/;2s/time/tiMe/'"
damage "a line dropped" "sed 2d"
damage "the first line dropped" "sed 1d"
damage "two lines swapped" "awk 'NR==2{k=\$0;next}{print}NR==3{print k}'"
damage "a line twice" "sed 2p"
damage "the end cut off" "sed '\$d'"
damage "half a line at the end" "head -c -20"
cat "$T/good.log" >"$LOG"

# N38: a hostile client inside; the gateway's memory is bounded and others are served.
IDLE=10000
rm -f "$W/stop" "$W/ready"
cat >"$W/flood.py" <<-'PY'
	import os, resource, select, socket, time, urllib.request
	resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
	held = []
	def dial(data):
	    try:
	        s = socket.create_connection(("198.18.0.1", 3128), timeout=3)
	        s.settimeout(3)
	        s.sendall(data)
	        held.append(s)
	    except OSError:
	        pass
	# A head that never ends, a byte a second, from before all the others.
	slow = socket.create_connection(("198.18.0.1", 3128), timeout=3)
	slow.sendall(b"GET http://allowed.test/ HTTP/1.1\r\nX-Slow: ")
	began = time.time()
	for i in range(IDLE):
	    dial(b"CONNECT allowed.test:443 HTTP/1.1\r\nHost: allowed.test:443\r\n\r\n")
	for i in range(200):
	    dial(b"GET http://allowed.test/ HTTP/1.1\r\nHost: allo")
	huge = socket.create_connection(("198.18.0.1", 3128), timeout=3)
	sent = 0
	try:
	    while sent < 64 << 20:
	        sent += huge.send(b"GET http://allowed.test/ HTTP/1.1\r\n" if not sent else b"X-A: " + b"b" * 8000 + b"\r\n")
	except OSError:
	    pass
	dial(b"GET http://allowed.test/endless HTTP/1.1\r\nHost: allowed.test\r\n\r\n")
	print("HEADER", sent, flush=True)
	print("HELD", len(held), flush=True)
	print(urllib.request.urlopen("http://allowed.test/", timeout=10).read()[:30], flush=True)
	open("ready", "w").close()
	while time.time() < began + 60 and not select.select([slow], [], [], 1)[0]:
	    slow.sendall(b"x")
	print("SLOW ended after", int(time.time() - began), flush=True)
	open("slow", "w").close()
	while not os.path.exists("stop"):
	    time.sleep(0.05)
PY
sed -i "s/IDLE/$IDLE/" "$W/flood.py"
chmod 644 "$W/flood.py"
stockade run --quiet --policy "$T/p.yaml" -- "$PYTHON" flood.py >"$T/out" 2>&1 </dev/null &
SESSION=$!
wait_for test -e "$W/ready"
like "$(cat "$T/out")" 'WORLD-REACHED|marker' "N38: another client is served meanwhile"
# The sockets' buffers swallow megabytes before the client learns of it; the gateway's memory is below.
like "$(cat "$T/out")" 'HEADER [0-9]{1,7}$' "N38: an endless header is cut off"
like "$(cat "$T/out")" "HELD [0-9]{4,5}\$" "N38: thousands of idle tunnels are open meanwhile"
diag "$(cat "$T/out")"
rss=0
for dir in /proc/[0-9]*; do
	tr '\0' ' ' 2>/dev/null <"$dir/cmdline" | grep -q 'stockade-gateway' || continue
	rss=$((rss + $(awk '/VmRSS/{print $2}' "$dir/status")))
done
ok "$([ $rss -gt 0 ] && [ $rss -lt 102400 ]; echo $?)" "N38: all roles together stay below 100 MiB ($rss KiB)"
for ((i = 0; i < 8; i++)); do wait_for test -e "$W/slow" >/dev/null && break; done
like "$(cat "$T/out")" 'SLOW ended after (29|3[0-9])$' "N38: a head that trickles in is given up after 30 s"
touch "$W/stop"
wait $SESSION
is "$(leftovers)" "" "nothing is left behind"
finish
