#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The checks must be able to fail: each is given a tree with one fault in it.
set -u
repo=$(readlink -f "$(dirname "$0")/../..")
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
n=0
ok() { # STATUS TITLE
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
tree() { # a copy of the tree without history
	rm -rf "$T/tree"
	mkdir "$T/tree"
	(cd "$repo" && cp -r src tools doc man tests README.md CHANGELOG.md CONTRIBUTING.md .clang-format "$T/tree") || exit 1
	cd "$T/tree" || exit 1
}
refuses() { # PATTERN TITLE COMMAND...
	local pattern=$1 title=$2 out status
	shift 2
	out=$("$@" 2>&1)
	status=$?
	[ $status -ne 0 ] && printf '%s' "$out" | grep -Eq -- "$pattern"
	ok $? "$title"
}

tree
tools/check-layers >/dev/null 2>&1
ok $? 'layers: the tree as it is'
echo '#include "cli/command.h"' >>src/base/str.c
refuses "'base' must not include 'cli'" 'layers: an include that goes up' tools/check-layers
mkdir src/newfolder
refuses 'newfolder: has no row' 'layers: a folder without a row' tools/check-layers

if command -v pmccabe >/dev/null && command -v clang-format >/dev/null; then
	tree
	{
		echo '/* SPDX-License-Identifier: Apache-2.0 */'
		echo '/* long - a function past the hard stop. */'
		echo 'int f(int x);'
		echo 'int f(int x)'
		echo '{'
		i=0
		while [ $i -lt 120 ]; do
			printf '\tx += %d;\n' $i
			i=$((i + 1))
		done
		printf '\treturn x;\n}\n'
	} >src/base/long.c
	refuses 'f: lines 1[0-9]+' 'style: a long function' tools/check-style src/base/long.c
	printf '/* SPDX-License-Identifier: Apache-2.0 */\n/* b - banned. */\nvoid f(void)\n{\n\tstrcpy(a, b);\n}\n' >src/base/b.c
	refuses 'strcpy\(\)' 'style: a banned function' tools/check-style src/base/b.c
	printf '/* SPDX-License-Identifier: Apache-2.0 */\n/* b - not banned: strcpy(a, b) */\nconst char *s = "strcpy(x)";\n' >src/base/b.c
	tools/check-style src/base/b.c >/dev/null 2>&1
	ok $? 'style: a banned name in a comment or string is none'
	printf '/* SPDX-License-Identifier: Apache-2.0 */\n/* b - TO''DO */\n' >src/base/b.c
	refuses 'unfinished' 'style: something unfinished' tools/check-style src/base/b.c
	printf 'int x;\n' >src/base/b.c
	refuses 'SPDX' 'style: no licence line' tools/check-style src/base/b.c
	printf '/* SPDX-License-Identifier: Apache-2.0 */\n/* b */\nint   x;\n' >src/base/b.c
	refuses 'clang-format' 'style: layout' tools/check-style src/base/b.c
else
	for title in 'a long function' 'a banned function' 'a name in a comment' unfinished licence layout; do
		n=$((n + 1))
		echo "ok $n - style: $title # SKIP pmccabe or clang-format is missing"
	done
fi

tree
printf '\n999. **A promise** without a test.\n' >>doc/PROMISES.md
refuses 'promise 999 names no test' 'docs: a promise without a test' tools/check-docs
tree
sed -i 's/`N01`/`N99`/' doc/PROMISES.md
refuses "network.tsv has no 'N99'" 'docs: a promise whose row is gone' tools/check-docs
tree
sed -i 's/`empty_denies`/`empty_denie`/' doc/PROMISES.md
refuses "test_decide.c has no 'empty_denie'" 'docs: a promise whose function is gone' tools/check-docs
tree
sed -i 's/^resolver: .*/& policy/' tools/layers
refuses 'ARCHITECTURE.md: resolver may use' 'docs: layers that are told otherwise' tools/check-docs
tree
sed -i '/^MSG(STOP,/d' src/ipc/msgs.def
refuses 'message STOP is only in the document' 'docs: a message that is gone' tools/check-docs
tree
printf '\n    $ stockade fly away\n' >>README.md
refuses "'stockade fly' is no command" 'docs: a command that does not exist' tools/check-docs
tree
rm doc/POLICY.md
refuses 'doc/POLICY.md: missing' 'docs: a document that is missing' tools/check-docs
echo "1..$n"
