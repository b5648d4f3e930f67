# SPDX-License-Identifier: Apache-2.0
# Sourced by sandbox-*.t: runs the test's `body` as we are and, when that is root, again as an ordinary
# user made for it. Sets $driver, $tmp (writable, removed), $who. TAP lines carry no numbers.

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build}

ok() { # DESCRIPTION COMMAND...: the command must succeed
	what=$1
	shift
	if "$@" >"$tmp/out" 2>&1; then
		echo "ok - $who: $what"
	else
		echo "not ok - $who: $what"
		sed 's/^/# /' "$tmp/out"
	fi
}

refused() { # DESCRIPTION TEXT COMMAND...: must fail, with TEXT in what it says
	what=$1 text=$2
	shift 2
	if "$@" >"$tmp/out" 2>&1; then
		echo "not ok - $who: $what (it succeeded)"
	elif [ -z "$text" ] || grep -q -- "$text" "$tmp/out"; then
		echo "ok - $who: $what"
	else
		echo "not ok - $who: $what (expected: $text)"
		sed 's/^/# /' "$tmp/out"
	fi
}

is() { # DESCRIPTION EXPECTED ACTUAL
	if [ "$2" = "$3" ]; then
		echo "ok - $who: $1"
	else
		echo "not ok - $who: $1 (expected '$2', got '$3')"
	fi
}

start() {
	if [ "$1" = inner ]; then
		who=$2 tmp=$3 driver=$3/driver root=$4
		cd "$tmp" || exit 1
		body
		return
	fi
	work=$(mktemp -d /tmp/stockade-test.XXXXXX)
	chmod 755 "$work"
	user=sb$$
	trap 'rm -rf "$work"; [ -z "$made" ] || userdel -f "$user" >/dev/null 2>&1' EXIT
	made=
	mkdir "$work/root" "$work/lib"
	cp "$0" "$work/lib/test"
	cp "$root"/tests/integration/sandbox-lib.sh "$root"/tests/integration/*.py "$work/lib/"
	cp "$build/tests/integration/sandbox_driver" "$work/root/driver"
	sh "$work/lib/test" inner "$(id -un)" "$work/root" "$work/lib" >"$work/tap"
	if [ "$(id -u)" = 0 ]; then
		useradd -M -d "$work/user" -s /bin/sh "$user" && made=1
		cp -r "$work/root/driver" "$work/driver"
		mkdir "$work/user"
		mv "$work/driver" "$work/user/driver"
		chown -R "$user" "$work/user"
		su "$user" -c "sh $work/lib/test inner user $work/user $work/lib" >>"$work/tap"
	fi
	cat "$work/tap"
	echo "1..$(grep -cE '^(not )?ok' "$work/tap")"
}
