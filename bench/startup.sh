#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Start-up of `stockade run -- true` beside bubblewrap with comparable mounts, and a minimal sandbox that makes
# only the same kernel calls. One run, medians of many, ratios. Usage: bench/startup.sh [BUILD] [RUNS]

build=${1:-${STOCKADE_BUILD:-$(dirname "$0")/../build}} runs=${2:-300}
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT

ninja -C "$build" bench/minimal_sandbox >"$dir/ninja" || { cat "$dir/ninja"; exit 1; }

cat >"$dir/off.yaml" <<-POLICY
	workspace: { mode: none }
POLICY
cat >"$dir/net.yaml" <<-POLICY
	workspace: { mode: none }
	network: { allow: [example.com] }
POLICY

set -- -N --warmup 30 --runs "$runs" --export-json "$dir/result" \
	-n true /usr/bin/true \
	-n minimal "$build/bench/minimal_sandbox /usr/bin/true" \
	-n minimal-net "$build/bench/minimal_sandbox -n /usr/bin/true" \
	-n bwrap "bwrap --unshare-all --die-with-parent --new-session --cap-drop ALL --ro-bind /usr /usr
		--ro-bind /etc /etc --ro-bind /opt /opt --symlink usr/bin /bin --symlink usr/sbin /sbin
		--symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --dev /dev --mqueue /dev/mqueue
		--tmpfs /tmp --tmpfs /home/agent /usr/bin/true"
if [ -x "$build/tests/integration/sandbox_driver" ]; then
	set -- "$@" -n driver "$build/tests/integration/sandbox_driver -- /usr/bin/true" \
		-n driver-net "$build/tests/integration/sandbox_driver --net -- /usr/bin/true"
fi
if [ -x "$build/src/cli/stockade" ]; then
	set -- "$@" -n stockade "$build/src/cli/stockade run --quiet --policy $dir/off.yaml -- /usr/bin/true" \
		-n stockade-net "$build/src/cli/stockade run --quiet --policy $dir/net.yaml -- /usr/bin/true"
fi
hyperfine "$@" >/dev/null 2>"$dir/error" || { cat "$dir/error" >&2; exit 1; }
python3 - "$dir/result" "${BENCH_BARS:-/dev/null}" <<-'PY'
	import json, sys
	r = {x["command"]: x["median"] * 1e3 for x in json.load(open(sys.argv[1]))["results"]}
	print("### Start-up\n\n| | ms | ÷ minimal | ÷ bwrap |\n|---|---|---|---|")
	for name, ms in r.items():
	    own = r["minimal-net" if name.endswith("-net") else "minimal"]
	    print(f"| {name} | {ms:.2f} | {ms / own:.2f} | {ms / r['bwrap']:.2f} |")
	print()
	with open(sys.argv[2], "a") as bars:
	    for name, policy in (("stockade", "without network"), ("stockade-net", "with a network policy")):
	        for peer, most in (("bwrap", 0.8), ("minimal-net" if name.endswith("-net") else "minimal", 1.4)):
	            if name in r:
	                ratio = r[name] / r[peer]
	                print(f"| start-up {policy}, ms ÷ {peer} | {r[name]:.2f} | {peer} {r[peer]:.2f} | {ratio:.2f} | "
	                      f"≤ {most} | {'yes' if ratio <= most else '**no**'} |", file=bars)
PY
