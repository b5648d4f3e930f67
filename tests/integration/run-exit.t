#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command line's promises: exit codes, one clear line for each bad input, whose options are whose.
. "$(dirname "$0")/../equipment/lib.sh"
enter_world "$0" "$@"
setup
make_certs

policy() { # NAME TEXT
	printf '%s\n' "$2" | sed "s|@W@|$W|g; s|@T@|$T|g" >"$T/$1.yaml"
	chmod 644 "$T/$1.yaml"
}
run() { # ARGS...: OUT, ERR, STATUS
	OUT=$(stockade "$@" 2>"$T/err" </dev/null)
	STATUS=$?
	ERR=$(cat "$T/err")
}
BASE='extends: base
workspace: { path: "@W@", mode: rw }'

# name|exit code|what the line says|policy: each is refused before anything runs
refusals() {
	cat <<-'LIST'
		unknown key|122|netwrok|extends: base%netwrok: {}
		suggestion|122|network|extends: base%netwrok: {}
		not yet supported|122|budget.*not yet supported|extends: base%network: { allow: [ { host: a.test, budget: { requests: 1 } } ] }
		duplicate key|122|duplicate|extends: base%extends: base
		YAML alias|122|anchor|extends: base%environment: { pass: [&a X, *a] }
		YAML tag|122|tag|extends: !!str base
		broken YAML|122|.|extends: [
		unknown profile|122|nobody|extends: nobody
		bad port|122|99999|extends: base%network: { allow: [ "a.test:99999" ] }
		bad host|122|.|extends: base%network: { allow: [ "a b.test" ] }
		host with NUL|122|.|extends: base%network: { allow: [ "a\0b.test" ] }
		missing path|122|/no/such/path|extends: base%filesystem: { read: [/no/such/path] }
		FIFO as a path|122|/fifo' is a FIFO|extends: base%filesystem: { read: ["@T@/fifo"] }
		socket as a path|122|/socket' is a socket|extends: base%filesystem: { read: ["@T@/socket"] }
		file as a socket|122|/ok.yaml' is not a socket|extends: base%sockets: { unix: ["@T@/ok.yaml"] }
		file as the workspace|122|/ok.yaml' is not a directory|extends: base%workspace: { path: "@T@/ok.yaml", mode: rw }
		missing workspace|122|/no/such/work|extends: base%workspace: { path: /no/such/work, mode: rw }
		unset credential|122|NO_SUCH_VARIABLE|extends: base%network: { allow: [ { host: a.test, credential: c } ] }%credentials: { c: { from: "env:NO_SUCH_VARIABLE", header: "x-api-key: {}" } }
		missing credential file|122|no-such-file|extends: base%network: { allow: [ { host: a.test, credential: c } ] }%credentials: { c: { from: "file:@T@/no-such-file", header: "x-api-key: {}" } }
		failing credential command|122|status 1|extends: base%network: { allow: [ { host: a.test, credential: c } ] }%credentials: { c: { from: "cmd:false", header: "x-api-key: {}" } }
	LIST
}

mkfifo "$T/fifo" && chmod 666 "$T/fifo"
"$PYTHON" -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/socket"
chmod 666 "$T/socket"
users=root
can_be_user && users="root user"
for RUN_AS in $users; do
	new_session "exit-$RUN_AS"
	policy ok "$BASE"
	P=$T/ok.yaml
	for code in 0 1 7 122 255; do
		run run --quiet --policy "$P" -- /bin/sh -c "exit $code"
		is "$STATUS" "$code" "exit $code is the command's own [$RUN_AS]"
	done
	for sig in TERM KILL INT; do
		run run --quiet --policy "$P" -- /bin/sh -c "kill -$sig \$\$"
		is "$STATUS" "$((128 + $(kill -l $sig)))" "SIG$sig is 128+n [$RUN_AS]"
	done
	run run --quiet --policy "$P" -- no-such-program-here
	is "$STATUS" 127 "program not found [$RUN_AS]"
	ok "$(one_line "$ERR"; echo $?)" "... in one line [$RUN_AS]"
	mkdir -p "$T/elsewhere" && printf '#!/bin/sh\n' >"$T/elsewhere/outside-only"
	chmod -R 755 "$T/elsewhere"
	PATH=$T/elsewhere:$PATH run run --quiet --policy "$P" -- outside-only
	is "$STATUS" 127 "program that is only outside [$RUN_AS]"
	like "$ERR" "--read $T/elsewhere -- $T/elsewhere/outside-only" "... says where, and how [$RUN_AS]"
	run run --quiet --policy "$P" -- /etc/passwd
	is "$STATUS" 126 "program not executable [$RUN_AS]"
	run run --quiet --policy "$P" -- /bin/echo -s x --policy /nowhere --help
	is "$OUT" "-s x --policy /nowhere --help" "options after -- are the command's [$RUN_AS]"
	run run --quiet --policy "$P" /bin/echo -s x --json
	is "$OUT" "-s x --json" "options after the command are the command's, without -- too [$RUN_AS]"
	run run --no-such-option --policy "$P" -- touch ran
	is "$STATUS" 125 "unknown option [$RUN_AS]"
	like "$ERR" "no-such-option" "... names it [$RUN_AS]"
	ok "$([ ! -e "$W/ran" ]; echo $?)" "... and runs nothing [$RUN_AS]"
	run run --policy "$P"
	is "$STATUS" 125 "no command [$RUN_AS]"
	run run --quiet --policy "$T/none-such.yaml" -- touch ran
	is "$STATUS" 122 "missing policy file [$RUN_AS]"
	like "$ERR" "none-such.yaml" "... names it [$RUN_AS]"
	run run --quiet --policy "$T/fifo" -- touch ran
	is "$STATUS" 122 "a FIFO as policy does not hang [$RUN_AS]"
	head -c 300000 /dev/zero | tr '\0' '#' >"$T/huge.yaml"
	run run --quiet --policy "$T/huge.yaml" -- touch ran
	is "$STATUS" 122 "a policy that is too large [$RUN_AS]"

	while IFS='|' read -r name want text body; do
		policy bad "$(printf '%s' "$body" | tr % '\n')"
		run run --quiet --policy "$T/bad.yaml" -- touch ran
		is "$STATUS" "$want" "$name: exit code [$RUN_AS]"
		ok "$(one_line "$ERR"; echo $?)" "$name: one line [$RUN_AS]"
		like "$ERR" "(bad\.yaml.*)?$text" "$name: says what [$RUN_AS]"
		ok "$([ ! -e "$W/ran" ]; echo $?)" "$name: nothing ran [$RUN_AS]"
		is "$(leftovers)" "" "$name: nothing left [$RUN_AS]"
	done < <(refusals)

	# A credential file that the launcher may not read.
	if [ "$RUN_AS" = user ]; then
		echo secret >"$T/unreadable" && chmod 600 "$T/unreadable"
		policy bad "$BASE
network: { allow: [ { host: a.test, credential: c } ] }
credentials: { c: { from: \"file:@T@/unreadable\", header: \"x-api-key: {}\" } }"
		run run --quiet --policy "$T/bad.yaml" -- touch ran
		is "$STATUS" 122 "unreadable credential [$RUN_AS]"
		like "$ERR" "unreadable" "... names the file [$RUN_AS]"
		unlike "$ERR" "secret" "... not the secret [$RUN_AS]"
	fi

	# What is left of the environment and of the descriptors.
	run run --quiet --policy "$P" -- /bin/sh -c 'env; ls /proc/self/fd'
	unlike "$OUT" "SSL_CERT_FILE|XDG_STATE_HOME|STOCKADE_WORLD" "the host's environment is not inherited [$RUN_AS]"
	run run --quiet --policy "$P" -- /usr/bin/id -u
	is "$OUT" "$([ "$RUN_AS" = root ] && echo 0 || echo $USER_UID)" "same uid inside [$RUN_AS]"
	printf 'in' | (stockade run --quiet --policy "$P" -- cat) >"$T/pipe"
	is "$(cat "$T/pipe")" in "standard input passes through [$RUN_AS]"

	# Summary, --quiet, --json, --status-fd.
	run run --policy "$P" -- true
	ok "$([ -n "$ERR" ] && [ "$(printf '%s\n' "$ERR" | wc -l)" -le 3 ]; echo $?)" "a summary of three lines or less [$RUN_AS]"
	run run --quiet --policy "$P" -- true
	is "$OUT$ERR" "" "--quiet says nothing [$RUN_AS]"
	run run --json --policy "$P" -- true
	ok "$(printf '%s' "$ERR$OUT" | "$PYTHON" -c 'import json,sys; [json.loads(l) for l in sys.stdin.read().splitlines()]'; echo $?)" "--json speaks JSON [$RUN_AS]"
	(stockade run --quiet --status-fd 7 --policy "$P" -- /bin/sh -c 'exit 5') 7>"$T/status"
	like "$(cat "$T/status")" '5' "--status-fd reports the exit [$RUN_AS]"

	# A full disk: no log, no session.
	new_session "full-$RUN_AS"
	mount -t tmpfs -o size=16k,mode=777 full "$S" && dd if=/dev/zero of="$S/fill" bs=4k 2>/dev/null
	policy full "$BASE"
	run run --quiet --policy "$T/full.yaml" -- touch "$W/ran"
	ok "$([ "$STATUS" -ge 122 ] && [ "$STATUS" -le 125 ]; echo $?)" "full state disk: own exit code (got $STATUS) [$RUN_AS]"
	ok "$(one_line "$ERR"; echo $?)" "... one line [$RUN_AS]"
	ok "$([ ! -e "$W/ran" ]; echo $?)" "... nothing ran [$RUN_AS]"
	umount "$S"
done
is "$(leftovers)" "" "nothing is left behind"
finish
