#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Start-up of the whole process, `true` inside: ours, the least a C program can do, bubblewrap with
# comparable mounts, unshare, and the reference sandbox runtime where it can be installed.
. "$(dirname "$0")/lib.sh"
if [ "${STOCKADE_WORLD:-}" != 1 ]; then
	SRT_DIR=$("$TEST_DIR/install-claude" "$BENCH/srt" 2>/dev/null) || SRT_DIR=
	export SRT_DIR
fi
enter_world "$0" "$@"
bench_setup
new_session startup
printf 'extends: base\nworkspace: { path: "%s", mode: rw }\n' "$W" >"$T/none.yaml"
printf 'extends: base\nworkspace: { path: "%s", mode: rw }\nnetwork: { allow: [ a.test ] }\n' "$W" >"$T/net.yaml"
export XDG_STATE_HOME=$S
cd "$W" || exit 1
TRUE=$(command -v true)
names=(true unshare) cmds=("$TRUE" "unshare -Urnmp --fork $TRUE")
if [ -e "$BENCH/minimal_sandbox.c" ] &&
	"${CC:-cc}" -O2 -D_GNU_SOURCE -o "$T/minimal" "$BENCH/minimal_sandbox.c" $(grep -q seccomp.h "$BENCH/minimal_sandbox.c" && echo -lseccomp); then
	names+=("minimal C sandbox") cmds+=("$T/minimal $TRUE")
fi
if command -v bwrap >/dev/null; then
	binds=
	for dir in /usr /etc /opt /srv; do [ -d $dir ] && binds="$binds --ro-bind $dir $dir"; done
	for dir in /bin /sbin /lib /lib64; do
		[ -L $dir ] && binds="$binds --symlink $(readlink $dir) $dir" || binds="$binds --ro-bind $dir $dir"
	done
	names+=(bubblewrap)
	cmds+=("bwrap --unshare-all --die-with-parent --new-session $binds --proc /proc --dev /dev --tmpfs /tmp --tmpfs /home --bind $W $W --chdir $W --cap-drop ALL $TRUE")
fi
names+=("stockade, no network policy" "stockade, network policy")
cmds+=("$STOCKADE run --quiet --policy $T/none.yaml -- $TRUE" "$STOCKADE run --quiet --policy $T/net.yaml -- $TRUE")
if [ -n "${SRT_DIR:-}" ] && [ -e "$SRT_DIR/node_modules/.bin/srt" ]; then
	echo '{"network":{"allowedDomains":[],"deniedDomains":[]},"filesystem":{"denyRead":[],"allowWrite":[],"denyWrite":[]}}' >"$T/srt.json"
	names+=("reference sandbox runtime") cmds+=("$SRT_DIR/node_modules/.bin/srt -s $T/srt.json $TRUE")
fi
args=()
for i in "${!cmds[@]}"; do args+=(-n "${names[$i]}" "${cmds[$i]}"); done
hyperfine -N -i --warmup 3 --runs "${BENCH_RUNS:-$((ROUNDS * 20))}" --export-json "$T/h.json" "${args[@]}" >/dev/null 2>"$T/h.err" ||
	{ cat "$T/h.err" >&2; exit 1; }
"$PYTHON" - "$T/h.json" <<'PY'
import json, sys
rows = json.load(open(sys.argv[1]))["results"]
base = {r["command"]: r["median"] for r in rows}
print("### Start-up, whole process\n\n| | median ms | user + system ms | ÷ minimal | ÷ bubblewrap |\n|---|---|---|---|---|")
for r in rows:
    if any(r.get("exit_codes") or []):
        print(f"| {r['command']} | failed here | | | |")
        continue
    def rel(name):
        return f"{r['median'] / base[name]:.2f}" if name in base else "–"
    print(f"| {r['command']} | {r['median'] * 1e3:.2f} | {(r['user'] + r['system']) * 1e3:.2f} |"
          f" {rel('minimal C sandbox')} | {rel('bubblewrap')} |")
print()
PY
exit 0
