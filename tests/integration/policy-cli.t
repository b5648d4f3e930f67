#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# init, trust and the policy commands of the real program: what they say, every exit code, and that
# a file that came with a directory only tightens until a person has trusted its content.  All of it
# below directories of its own: nothing of the caller's home is read.
set -u
repo=$(readlink -f "$(dirname "$0")/../..")
build=${STOCKADE_BUILD:-$repo/build}
stockade=$build/src/cli/stockade
T=$(mktemp -d)
trap 'chmod -R u+w "$T" && rm -rf "$T"' EXIT
export HOME=$T/home XDG_CONFIG_HOME=$T/config XDG_STATE_HOME=$T/state NO_COLOR=1
mkdir -p "$HOME" "$XDG_CONFIG_HOME/stockade" "$T/project"
cd "$T/project" || exit 1
n=0
ok() { # STATUS TITLE
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# out: /' "$T/out"
		sed 's/^/# err: /' "$T/err"
	fi
}
run() { # ARG...: sets $status, fills $T/out and $T/err
	"$stockade" "$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
}
fails() { # CODE PATTERN ARG...: that code, nothing on stdout, one line on stderr
	local code=$1 pattern=$2
	shift 2
	run "$@"
	[ $status -eq "$code" ] && [ ! -s "$T/out" ] && [ "$(wc -l <"$T/err")" -eq 1 ] &&
		grep -Eq -- "^stockade: $pattern" "$T/err"
	ok $? "stockade $(head -c 100 <<<"$*") -> $code, one line"
}
says() { # CODE PATTERN ARG...: that code, the pattern on stdout
	local code=$1 pattern=$2
	shift 2
	run "$@"
	[ $status -eq "$code" ] && grep -Eq -- "$pattern" "$T/out"
	ok $? "stockade $* -> $code, says '$pattern'"
}
silent_on_err() { [ ! -s "$T/err" ]; ok $? "nothing on stderr: $1"; }
full_disk() { # ARG...: output that cannot be written is 125 and one line
	"$stockade" "$@" >/dev/full 2>"$T/err" </dev/null
	status=$?
	[ $status -eq 125 ] && [ "$(wc -l <"$T/err")" -eq 1 ] && grep -q 'No space left' "$T/err"
	ok $? "stockade $* >/dev/full -> 125, one line"
}

# No file at all.
says 0 '^policy is valid: 1 files, 0 rules, 0 warnings, 0 entries' policy check
silent_on_err 'policy check without files'
says 0 '^\{"ok":true,"files":\["profile:base"\],"warnings":\[\],"dropped":\[\]\}$' policy check --json
says 0 '^network:' policy show
fails 125 'no stockade.yaml in this directory' trust
[ ! -e "$XDG_STATE_HOME" ]
ok $? 'looking leaves nothing behind'

# check
cat >good.yaml <<'E'
network:
  allow:
    - '*'
    - { host: a.test, paths: ['/v1/**'] }
E
printf 'netwrok: {}\n' >bad.yaml
says 0 "^good.yaml:3: warning: '\*' opens every host|^good.yaml:3: warning: .*opens every host" policy check good.yaml
grep -q '^policy is valid: 2 files, 2 rules, 2 warnings' "$T/out"
ok $? 'warnings are counted, and are no error'
fails 122 "bad.yaml:1: unknown key 'netwrok'; did you mean 'network'\?" policy check bad.yaml
fails 122 "bad.yaml:1: unknown key" policy check --policy bad.yaml
fails 122 'nosuch.yaml: no such policy file' policy check nosuch.yaml
fails 122 '.*: is no regular file' policy check /dev/null
fails 122 '.*: is no regular file' policy check "$T"
head -c 300000 /dev/zero | tr '\0' '#' >large.yaml
fails 122 'large.yaml: larger than 262144 bytes' policy check large.yaml
run policy check --json bad.yaml
[ $status -eq 122 ] && [ "$(wc -l <"$T/err")" -eq 1 ] &&
	python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); assert d["ok"] is False and d["error"].startswith("bad.yaml:1: ")' "$T/out"
ok $? 'policy check --json of a bad file: 122, JSON that says why'
run policy check --json good.yaml
[ $status -eq 0 ] &&
	python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); assert d["ok"] and len(d["warnings"]) == 2 and d["warnings"][0]["file"] == "good.yaml"' "$T/out"
ok $? 'policy check --json gives the warnings'
fails 125 'policy check: unknown option --nosuch' policy check --nosuch
# shellcheck disable=SC2046 # lists
{
	fails 122 'good.yaml: more than 32 policy layers' policy check $(yes good.yaml | head -40)
	fails 125 'more than 64 policy files' policy check -p good.yaml $(yes good.yaml | head -64)
	fails 125 'policy check: too many operands' policy check $(yes good.yaml | head -65)
}
full_disk policy check
full_disk policy check --json
printf 'network: { allow: [b.test] }\n' >"$XDG_CONFIG_HOME/stockade/stockade.yaml"
says 0 '^policy is valid: 2 files, 1 rules' policy check
printf 'x: 1\n' >"$XDG_CONFIG_HOME/stockade/stockade.yaml"
fails 122 '.*/config/stockade/stockade.yaml:1: unknown key' policy check
fails 122 '.*/config/stockade/stockade.yaml:1: unknown key' policy explain --connect a.test:443
fails 122 '.*/config/stockade/stockade.yaml:1: unknown key' policy show
says 0 '^workspace:' policy show strict # a profile alone reads no file
if [ "$(id -u)" -ne 0 ]; then
	chmod 000 "$XDG_CONFIG_HOME/stockade/stockade.yaml"
	fails 122 '.*/config/stockade/stockade.yaml: Permission denied' policy check
fi
rm -f "$XDG_CONFIG_HOME/stockade/stockade.yaml"
long=/$(head -c 5000 /dev/zero | tr '\0' a)
XDG_STATE_HOME=$long run policy check
[ $status -eq 122 ] && grep -q '^stockade: .*XDG_STATE_HOME is too long' "$T/err"
ok $? 'a path that is too long is refused'
mkdir "$T/gone" && (cd "$T/gone" && rmdir "$T/gone" && run policy check; echo $status) >"$T/code"
[ "$(cat "$T/code")" = 122 ] && grep -q 'current directory: No such file' "$T/err"
ok $? 'a directory that is gone is refused'

# show
for profile in base strict claude-code node python; do
	run policy show $profile
	cp "$T/out" shown.yaml
	first=$status
	run policy check shown.yaml
	[ $first -eq 0 ] && [ $status -eq 0 ] && [ -s shown.yaml ]
	ok $? "policy show $profile is a policy again"
done
says 0 'a.test.*# good.yaml:4' policy show -p good.yaml
run policy show --json -p good.yaml
python3 -m json.tool <"$T/out" >/dev/null
ok $? 'policy show --json is JSON'
fails 122 "unknown profile 'nosuch'; there are base, claude-code, node, python, strict" policy show nosuch
fails 125 'policy show: too many operands' policy show base node
full_disk policy show
full_disk policy show --json

# explain
says 0 '^allow a.test:443' policy explain -p good.yaml --connect a.test:443
says 1 '^deny a.test:22' policy explain -p good.yaml --connect a.test:22
says 0 '^allow a.test:443' policy explain -p good.yaml --connect a.test
says 1 '^deny \[::1\]:22' policy explain --connect '[::1]:22'
says 1 '^deny \[::1\]:443' policy explain --connect ::1
says 0 '^allow a.test' policy explain -p good.yaml --resolve a.test
says 1 '^deny a.test' policy explain --resolve a.test
says 1 '             - a.test$' policy explain --resolve a.test
full_disk policy explain --resolve a.test
cat >paths.yaml <<'E'
network: { allow: [ { host: a.test, methods: [GET], paths: ['/v1/**'] }, b.test ] }
E
explain_request() { # CODE PATTERN URL [ARG...]
	local code=$1 pattern=$2 url=$3
	shift 3
	says "$code" "$pattern" policy explain -p paths.yaml --request "$url" "$@"
}
explain_request 0 '^allow a.test:80 GET /v1/x$' 'http://a.test/v1/x?q=1'
explain_request 0 '^allow a.test:80 GET /v1/x$' 'http://a.test/v1/x#part'
explain_request 0 '^allow b.test:80 GET /$' 'http://b.test?q=1'
explain_request 0 '^allow b.test:80 GET /$' 'http://b.test#part'
explain_request 1 '^deny a.test:80 POST /v1/x' http://a.test/v1/x --method POST
explain_request 1 '^deny b.test:8080 GET /' http://b.test:8080
# As the gateway reads a path, so does this.
explain_request 0 '^allow a.test:80 GET /v1/x$' http://a.test/y/../v1/x
explain_request 0 '^allow a.test:80 GET /v1/x$' http://a.test/%761/x
explain_request 1 '^deny a.test:80 GET /admin$' http://a.test/v1/../admin
explain_request 1 '^deny a.test:80 GET /admin$' http://a.test/v1/%2e%2e/admin
for path in /v1/a%2fb /v1//b '/v1/a;b' /v1/%zz '/v1/a\b'; do
	fails 1 '--request: .* can be read in two ways' policy explain -p paths.yaml --request "http://b.test$path"
done
run policy explain --json --connect a.test:443
[ $status -eq 1 ] && python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); assert d["verdict"] == "deny" and d["fix"] == "- a.test"' "$T/out"
ok $? 'policy explain --json is JSON, and the code is the same'
one='give one of --connect HOST:PORT, --request URL, --resolve HOST'
fails 125 "$one" policy explain
fails 125 "$one" policy explain --connect a --resolve a
fails 125 "$one" policy explain --connect a --method GET
for where in '' : a.test:0 a.test:65536 a.test: :443 'a b' '[::1' '127.1:80' a.test:80:90 a.test:http; do
	fails 125 "--connect: .* is not HOST:PORT" policy explain --connect "$where"
done
fails 125 "--resolve: 'a.test:80' is not a host name" policy explain --resolve a.test:80
for url in a.test ftp://a.test http:// http:///x http://u@a.test/ 'http://a.test:x/'; do
	fails 125 '--request: .* is no http:// or https:// URL' policy explain --request "$url"
done
for method in '' 'GET X' $'GET\n'; do
	fails 125 '--method: .* is no HTTP method' policy explain --request http://a.test/ --method "$method"
done
fails 122 'bad.yaml:1: ' policy explain -p bad.yaml --connect a.test:443

# init
says 0 '^# stockade.yaml' init --print
[ ! -e stockade.yaml ]
ok $? '--print writes no file'
full_disk init --print
run init --print && cp "$T/out" printed.yaml && run policy check printed.yaml
ok $status 'what init writes is a policy'
says 0 '^wrote stockade.yaml' init
cmp -s stockade.yaml printed.yaml
ok $? 'init writes what --print shows'
fails 125 'stockade.yaml is there already \(--force replaces it\)' init
rm stockade.yaml && echo mine >"$T/precious" && ln -s "$T/precious" stockade.yaml
fails 125 'stockade.yaml is there already' init
says 0 '^wrote stockade.yaml' init --force
[ -f stockade.yaml ] && [ ! -L stockade.yaml ] && [ "$(cat "$T/precious")" = mine ]
ok $? '--force takes a link away and leaves what it led to'
rm stockade.yaml && mkdir stockade.yaml
fails 125 'stockade.yaml: (Is a directory|Operation not permitted)' init --force
rmdir stockade.yaml
touch package.json CLAUDE.md
says 0 '^extends: \[?claude-code, node' init --print
touch uv.lock
says 0 'python' init --print
fails 125 'init: too many operands' init here

# trust: until then the file tightens only.
cat >stockade.yaml <<'E'
extends: node
workspace: { mode: rw }
filesystem: { read: [~/.ssh], hide: [./secret] }
environment: { set: { A: b } }
network: { allow: [evil.test], deny: [b.test] }
credentials: { c: { from: 'cmd:touch /tmp/x', header: 'a: {}' } }
limits: { tmp: 900G, pids: 7 }
E
deny_all() { # TITLE: the project's grants do not count
	run policy explain --connect evil.test:443
	[ $status -eq 1 ] && grep -q 'stockade.yaml:5: does not count: network.allow: evil.test' "$T/err"
	ok $? "$1"
}
deny_all 'an untrusted file grants nothing, and that is said'
run policy explain -p paths.yaml --connect b.test:443
[ $status -eq 1 ] && grep -q 'rule     deny b.test' "$T/out"
ok $? 'an untrusted file denies'
run policy show
grep -q "mode: ro " "$T/out" && grep -q "pids: 7 " "$T/out" && grep -q "secret" "$T/out" &&
	! grep -Eq 'evil|\.ssh|touch|NPM_CONFIG' "$T/out"
ok $? 'an untrusted file tightens and hides'
says 0 '^policy is valid: .* [1-9][0-9]* entries that do not count' policy check
hash=$(sha256sum <stockade.yaml | cut -d' ' -f1)
run trust
[ $status -eq 125 ] && grep -qx "sha256 $hash" "$T/out" &&
	grep -q '^stockade: not recorded (--yes records without asking)$' "$T/err" && [ "$(wc -l <"$T/err")" -eq 1 ]
ok $? 'without a terminal nothing is recorded'
missing=
for grant in '1 grants extends: node' '2 grants workspace.mode: rw' '3 grants filesystem.read: ~/.ssh' \
	'4 grants environment.set: A' '5 grants network.allow: evil.test' \
	'6 grants credentials: c from cmd:touch /tmp/x' '7 grants limits.tmp: 966367641600'; do
	grep -qxF "  line $grant" "$T/out" || missing="$missing '$grant'"
done
[ -z "$missing" ]
ok $? "trust shows every grant$missing"
grep -q 'line 5 grants.*b.test' "$T/out"
[ $? -eq 1 ]
ok $? 'what tightens is no grant'
deny_all 'nothing was recorded'

# The question is asked on a terminal.
prompt() { # ANSWER: runs trust on a pty of its own
	python3 - "$stockade" "$1" >"$T/out" 2>"$T/err" <<'E'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "trust"])
seen = b""
asked = False
while True:
    try:
        got = os.read(fd, 4096)
    except OSError:
        break
    if not got:
        break
    seen += got
    if not asked and b"[y/N] " in seen:
        asked = True
        os.write(fd, sys.argv[2].encode())
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if asked else 99)
E
	status=$?
}
for answer in $'\n' $'n\n' $'x y\n' $'\004'; do
	prompt "$answer"
	[ $status -eq 125 ] && grep -q 'not recorded' "$T/out"
	ok $? "the answer $(printf %q "$answer") records nothing"
done
deny_all 'a no is a no'
prompt $'y\n'
[ $status -eq 0 ] && grep -q '^trusted' "$T/out"
ok $? 'the answer y records'
says 0 '^allow evil.test:443' policy explain --connect evil.test:443
silent_on_err 'a trusted file counts in full'
says 0 "/stockade.yaml is trusted already$" trust
[ "$(stat -c %a "$XDG_STATE_HOME/stockade")" = 700 ] && [ "$(stat -c %a "$XDG_STATE_HOME/stockade/trust")" = 600 ]
ok $? 'the store is its owner'"'"'s alone'
mkdir "$T/other" && cp stockade.yaml "$T/other"
(cd "$T/other" && "$stockade" policy explain --connect evil.test:443) >"$T/out" 2>"$T/err"
[ $? -eq 1 ]
ok $? 'the same content elsewhere is not trusted'
echo >>stockade.yaml
deny_all 'one byte more, and it must be trusted again'
says 0 '^trusted$' trust --yes
says 0 '^allow evil.test:443' policy explain --connect evil.test:443
run trust --revoke
[ $status -eq 0 ] && [ ! -s "$T/err" ]
ok $? 'trust --revoke'
deny_all 'what was revoked does not count'
run trust --revoke
ok $status 'revoking twice is no error'
"$stockade" trust --yes >/dev/null 2>&1 && mv stockade.yaml kept.yaml && run trust --revoke && mv kept.yaml stockade.yaml
deny_all 'a file that is away can be revoked'

# Stores and files that nobody should believe.
store=$XDG_STATE_HOME/stockade/trust
"$stockade" trust --yes >/dev/null 2>&1
chmod 620 "$store"
fails 122 '.*/trust: the trust store must be yours and not writable by others' policy check
fails 122 '.*/trust: the trust store must be yours' trust --yes
fails 125 '.*/trust: the trust store must be yours' trust --revoke
chmod 600 "$store"
cp "$store" "$T/store" && echo nonsense >>"$store"
fails 122 '.*/trust:2: ' policy check
rm "$store" && ln -s "$T/store" "$store"
fails 122 '.*/trust: is a symbolic link' policy check
rm "$store" && mkfifo "$store"
fails 122 '.*/trust: is no regular file' policy check
rm "$store"
mv stockade.yaml "$T/real.yaml" && ln -s "$T/real.yaml" stockade.yaml
fails 122 '.*/stockade.yaml: is a symbolic link; a policy file here must be a regular file' policy check
fails 122 '.*/stockade.yaml: is a symbolic link' trust --yes
rm stockade.yaml && mkfifo stockade.yaml
fails 122 '.*/stockade.yaml: is no regular file' policy check
rm stockade.yaml && mkdir stockade.yaml
fails 122 '.*/stockade.yaml: is no regular file' trust
rmdir stockade.yaml && printf 'network: {\n' >stockade.yaml
fails 122 '.*/stockade.yaml:[0-9]+: ' trust --yes
printf 'extends: nosuch\n' >stockade.yaml
run trust --yes
[ $status -eq 122 ] && grep -q "^stockade: .*unknown profile 'nosuch'" "$T/err" && [ ! -e "$store" ]
ok $? 'what would be refused once trusted is not trusted'
printf 'network: { deny: [a.test] }\n' >stockade.yaml
says 0 'grants nothing beyond what counts already' trust --yes
printf 'network: { allow: ["\\e[31m.test"] }\n' >stockade.yaml
run trust --yes
[ $status -eq 122 ] && ! grep -q $'\033' "$T/out" "$T/err"
ok $? 'a file does not speak to the terminal'
mkdir "$T/"$'esc\033[31m' && cp good.yaml "$T/"$'esc\033[31m/stockade.yaml'
(cd "$T/"$'esc\033[31m' && run trust --yes; echo $status >"$T/code")
[ "$(cat "$T/code")" = 122 ] && ! grep -q $'\033' "$T/out" "$T/err" && grep -q 'control character' "$T/err"
ok $? 'nor does the directory that it lies in'
cp good.yaml stockade.yaml
if [ "$(id -u)" -eq 0 ]; then # as somebody of whom nothing is known, not even a home
	mkdir -p "$T/open" && cp good.yaml "$T/open/stockade.yaml" && chmod 755 "$T" "$T/open" && chmod 644 "$T/open/stockade.yaml"
	nobody() {
		(cd "$T/open" && setpriv --reuid=54321 --regid=54321 --clear-groups env -u HOME \
			-u XDG_CONFIG_HOME -u XDG_STATE_HOME "$stockade" "$@") >"$T/out" 2>"$T/err" </dev/null
		status=$?
	}
	nobody policy show
	[ $status -eq 0 ] && [ -s "$T/out" ] && ! grep -q '^stockade:' "$T/err"
	ok $? 'no home: no user file, and no error'
	nobody trust --yes
	[ $status -eq 125 ] && grep -q '^stockade: no place for the trust store: set HOME or XDG_STATE_HOME$' "$T/err"
	ok $? 'no place for the store'
fi
XDG_STATE_HOME=/dev/null/x run trust --yes
[ $status -eq 122 ] && grep -q '^stockade: /dev/null/x/stockade/trust: Not a directory$' "$T/err"
ok $? 'a store that cannot be made'
HOME=$T/home2 XDG_STATE_HOME='' run trust --yes
[ $status -eq 0 ] && [ -f "$T/home2/.local/state/stockade/trust" ]
ok $? 'the store goes below HOME where XDG_STATE_HOME is not set'
fails 125 'trust: too many operands' trust it
fails 125 'trust: unknown option --yess; did you mean|trust: unknown option --yess' trust --yess
echo "1..$n"
