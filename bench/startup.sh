#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Start-up of `stockade run -- true` beside bubblewrap with comparable mounts, and a minimal sandbox that makes
# only the same kernel calls. One run, in turns, medians of many, ratios. Usage: bench/startup.sh [BUILD] [RUNS]

build=${1:-${STOCKADE_BUILD:-$(dirname "$0")/../build}} runs=${2:-300}
here=$(dirname "$0")
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT

ninja -C "$build" bench/minimal_sandbox >"$dir/ninja" || { cat "$dir/ninja"; exit 1; }

cat >"$dir/off.yaml" <<-POLICY
	workspace: { mode: none }
	network: { dns_denied: nxdomain }
POLICY
cat >"$dir/plain.yaml" <<-POLICY
	workspace: { mode: none }
POLICY
cat >"$dir/net.yaml" <<-POLICY
	workspace: { mode: none }
	network: { allow: [example.com] }
POLICY

# Stripped, as they are installed; in the environment of a login.
strip -o "$dir/stockade" "$build/src/cli/stockade" && strip -o "$dir/minimal" "$build/bench/minimal_sandbox" || exit 1
export USER="${USER:-$(id -un)}"

# What the plan binds, for the others to bind as well: the same mounts, or the comparison says nothing.
binds=$("$build/src/cli/stockade" run --dry-run --json --policy "$dir/off.yaml" -- true |
	python3 -c 'import json, sys
for step in json.load(sys.stdin)["steps"]:
    if step["kind"] == "bind": print(step["target"])')
minimal_binds= bwrap_binds=
for path in $binds; do
	minimal_binds="$minimal_binds -b $path" bwrap_binds="$bwrap_binds --ro-bind $path $path"
done
stockade="$dir/stockade run --quiet --policy $dir"

python3 "$here/interleave.py" "$runs" "$dir/result" \
	"true=/usr/bin/true" \
	"minimal=$dir/minimal $minimal_binds /usr/bin/true" \
	"minimal-net=$dir/minimal -n $minimal_binds /usr/bin/true" \
	"bwrap=$(command -v bwrap) --unshare-all --die-with-parent --new-session --cap-drop ALL $bwrap_binds
		--symlink usr/bin /bin --symlink usr/sbin /sbin --symlink usr/lib /lib --symlink usr/lib64 /lib64
		--proc /proc --dev /dev --mqueue /dev/mqueue --tmpfs /tmp --tmpfs /home/agent
		--dir /var --dir /run /usr/bin/true" \
	"stockade=$stockade/off.yaml -- /usr/bin/true" \
	"stockade-explain-net=$stockade/plain.yaml -- /usr/bin/true" \
	"stockade-net=$stockade/net.yaml -- /usr/bin/true" || exit 1
python3 - "$dir/result" "${BENCH_BARS:-/dev/null}" <<-'PY'
	import json, sys
	r = json.load(open(sys.argv[1]))
	print("### Start-up\n\n| | ms | ÷ minimal | ÷ bwrap |\n|---|---|---|---|")
	for name, ms in r.items():
	    own = r["minimal-net" if name.endswith("-net") else "minimal"]
	    print(f"| {name} | {ms:.2f} | {ms / own:.2f} | {ms / r['bwrap']:.2f} |")
	print()
	with open(sys.argv[2], "a") as bars:
	    for name, policy in (("stockade", "without network"), ("stockade-explain-net", "without a rule, refusals explained"),
	                     ("stockade-net", "with a network policy")):
	        for peer, most in (("bwrap", 0.8), ("minimal-net" if name.endswith("-net") else "minimal", 1.4)):
	            if name in r:
	                ratio = r[name] / r[peer]
	                print(f"| start-up {policy}, ms ÷ {peer} | {r[name]:.2f} | {peer} {r[peer]:.2f} | {ratio:.2f} | "
	                      f"≤ {most} | {'yes' if ratio <= most else '**no**'} |", file=bars)
PY
