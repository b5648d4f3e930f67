#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command line of the real program: codes, one line of error, and that help, manual page and
# completion of the three shells agree.
set -u
repo=$(readlink -f "$(dirname "$0")/../..")
build=${STOCKADE_BUILD:-$repo/build}
stockade=$build/src/cli/stockade
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
n=0
ok() { # STATUS TITLE
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
fails() { # CODE PATTERN ARG...: that code, nothing on stdout, one line on stderr
	local code=$1 pattern=$2 status
	shift 2
	"$stockade" "$@" >"$T/out" 2>"$T/err"
	status=$?
	[ $status -eq "$code" ] && [ ! -s "$T/out" ] && [ "$(wc -l <"$T/err")" -eq 1 ] &&
		grep -Eq -- "^stockade: $pattern" "$T/err"
	ok $? "stockade $* -> $code, one line"
}

fails 125 "unknown command 'completoin'; did you mean 'completion'" completoin
fails 125 'unknown option --nosuch before a command' --nosuch
fails 125 'completion: unknown option --nosuch' completion --nosuch
fails 125 'completion: too few operands' completion
fails 125 "completion: 'csh' is none of" completion csh
"$stockade" --version | grep -Eqx 'stockade [0-9]+\.[0-9]+\.[0-9]+'
ok $? 'version'
"$stockade" help --help | grep -q '^Usage: stockade COMMAND'
ok $? 'help --help is help'
"$stockade" --version >/dev/full 2>"$T/err"
[ $? -eq 125 ] && grep -q 'cannot write' "$T/err"
ok $? 'a full disk behind standard output is an error'
"$stockade" nosuch 2>&1 | grep -q $'\033'
[ $? -eq 1 ]
ok $? 'no colour in a pipe'
"$stockade" --version <&- >"$T/out" 2>&- && [ -s "$T/out" ]
ok $? 'closed standard descriptors'

# Every command and option of --help is in the manual page and in each completion script.
MANWIDTH=100 mandoc -Tascii "$build/man/stockade.1" | col -b >"$T/man"
for shell in bash zsh fish; do "$stockade" completion $shell >"$T/c.$shell"; done
missing=
"$stockade" help | sed -n '/^Commands:/,$s/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' >"$T/commands"
[ -s "$T/commands" ]
ok $? 'help lists commands'
while read -r command; do
	for file in man c.bash c.zsh; do
		grep -qF -- "$command" "$T/$file" || missing="$missing $file:$command"
	done
	# shellcheck disable=SC2086 # one or two words
	for option in $("$stockade" help $command | sed -n '/^Options:/,$s/^  .... --\([a-z0-9-]\+\).*/\1/p'); do
		[ "$option" = help ] && continue
		grep -q -e "--$option" "$T/man" || missing="$missing man:$command:$option"
		grep -q -e "--$option" "$T/c.bash" || missing="$missing bash:$command:$option"
		grep -q -e "--$option" "$T/c.zsh" || missing="$missing zsh:$command:$option"
		grep -q -e "-l $option" "$T/c.fish" || missing="$missing fish:$command:$option"
	done
done <"$T/commands"
[ -z "$missing" ]
ok $? "help, manual and completion agree$missing"

for shell in bash zsh fish; do
	if command -v $shell >/dev/null; then
		$shell -n "$T/c.$shell"
		ok $? "$shell reads its script"
	else
		n=$((n + 1))
		echo "ok $n - $shell reads its script # SKIP $shell is not installed"
	fi
done
words=$(bash -c ". $T/c.bash; COMP_WORDS=(stockade comp); COMP_CWORD=1; _stockade; echo \"\${COMPREPLY[*]}\"")
[ "$words" = completion ]
ok $? 'bash completes a command'
if command -v fish >/dev/null; then
	for row in 'stockade run --mode |none ro rw' 'stockade policy ch|check' 'stockade log ver|verify' \
		'stockade completi|completion' 'stockade log --verdict |allow deny'; do
		words=$(fish -c "source $T/c.fish; complete -C '${row%%|*}'" 2>&1 | cut -f1 | sort | xargs)
		[ "$words" = "${row#*|}" ]
		ok $? "fish completes '${row%%|*}' (${words:0:60})"
	done
else
	n=$((n + 1))
	echo "ok $n - fish completes # SKIP fish is not installed"
fi
mandoc -Tlint -W warning "$build/man/stockade.1" && mandoc -Tlint -W warning "$repo/man/stockade.yaml.5"
ok $? 'manual pages are clean'
echo "1..$n"
