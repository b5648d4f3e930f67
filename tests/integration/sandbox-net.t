#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The network of a sandbox without a gateway: what arrives at which listener, and what nowhere.

. "$(dirname "$0")/sandbox-lib.sh"

body() {
	/usr/bin/python3 -c '
import socket, sys, time
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); time.sleep(30)' >port &
	server=$!
	sleep 0.3
	run="/usr/bin/python3 /t/sandbox_net.py $who"
	"$driver" --ro "$root:/t" -- $run none "$(cat port)"
	"$driver" --ro "$root:/t" --net --unix -- $run redirect "$(cat port)"
	"$driver" --report --net -- true 2>report
	ok "the redirect is reported" grep -q 'redirect=1 listeners=6' report
	# A kernel without nftables: its netlink socket cannot be made.
	strace -f -o trace -e trace=socket "$driver" --net -- true
	nth=$(awk '{ n[$1]++ } /NETLINK_NETFILTER/ { print n[$1]; exit }' trace)
	without="strace -f -qq -o trace -e trace=socket -e inject=socket:error=EPROTONOSUPPORT:when=$nth"
	$without "$driver" --report --ro "$root:/t" --net --unix --port 443 -- $run ports "$(cat port)" 2>report
	ok "without nftables the ports of the plan listen" grep -q 'redirect=0 listeners=7' report
	kill $server
}

start "$@"
