#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/seccomp-gen refuses lists that it does not understand, by line.

root=$(cd "$(dirname "$0")/../.." && pwd)
gen=${BUILD:-$root/build}/tools/seccomp-gen
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0

bad() { # LIST TEXT
	n=$((n + 1))
	printf 'allow read\n%b\n' "$1" >"$tmp/list"
	if "$gen" t "$tmp/list" "$tmp/out.h" 2>"$tmp/err"; then
		echo "not ok $n - '$1' was accepted"
	elif grep -q "list:2: .*$2" "$tmp/err"; then
		echo "ok $n - '$1': $2"
	else
		echo "not ok $n - '$1': $(cat "$tmp/err")"
	fi
}

bad 'permit write' 'not allow, errno or kill'
bad 'allow' 'a call is missing'
bad 'allow no_such_call' 'no system call'
bad 'allow read' 'listed twice'
bad 'allow write read' 'listed twice'
bad 'errno EFOO write' 'neither a number'
bad 'allow socket if' 'argN is missing'
bad 'allow socket if arg9 in 1' 'not arg0'
bad 'allow socket if arg0 is 1' 'not in, not or mask'
bad 'allow socket if arg0 in' 'a value is missing'
bad 'allow socket if arg0 in AF_FOO' 'neither a number'
bad 'allow socket if arg0 in 0x100000000' 'neither a number'
bad 'allow socket if arg0 not 1' "followed by 'in'"
bad 'allow clone if arg0 mask 1 eq 0' "followed by 'is'"
bad 'allow clone if arg0 mask 1 is 0 0' 'text after'
bad 'allow socket if arg0 in 1 and' 'argN is missing'
bad 'allow socket if arg0 in and arg1 in 1' 'neither a number'
bad 'allow socket if arg0 in 1 and arg1 in 1 and arg2 in 1' 'more than 2 conditions'
bad 'allow write socket if arg0 in 1' 'exactly one call'
echo "1..$n"
