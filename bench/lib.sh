# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# bench/lib.sh - servers, peers and arithmetic that the benchmarks share (sourced).
#
# Everything runs on the loopback of a network namespace of its own.  Core 0 holds the proxy, core 1
# client and origin.  A peer is reached by a client on that loopback; our gateway serves only its
# own sandbox, so there the client runs INSIDE: `stockade run -- wrk ...`; the launcher starts on
# core 0, so the roles stay there, and the client moves itself to core 1.
# BENCH_ROUNDS (5) rounds, the contestants by turns within each; medians.  BENCH_SECONDS (3) each.
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../tests/equipment/lib.sh"
BENCH=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
ROUNDS=${BENCH_ROUNDS:-5}
SECONDS_EACH=${BENCH_SECONDS:-3}
PROXY_CORE=0 LOAD_CORE=1
[ "$(nproc)" -ge 2 ] || LOAD_CORE=0
ORIGIN=9000 # its port; peers listen from 9101 on

bench_setup() {
	setup
	ulimit -n "$(ulimit -Hn)"
	mkdir -p "$T/www" "$T/logs"
	chmod 755 "$T/www"
	head -c 1024 /dev/zero | tr '\0' x >"$T/www/1k"
	truncate -s 1G "$T/www/1g"
	"${CC:-cc}" -O2 -D_GNU_SOURCE -pthread -o "$T/tunnel_load" "$BENCH/tunnel_load.c" &&
		"${CC:-cc}" -O2 -D_GNU_SOURCE -o "$T/splice_relay" "$BENCH/splice_relay.c" || exit 1
	cat >"$T/absolute.lua" <<-LUA
		request = function()
			return "GET http://origin.test/1k HTTP/1.1\r\nHost: origin.test\r\n\r\n"
		end
	LUA
	cat >"$T/report.lua" <<-'LUA'
		done = function(summary, latency)
			io.write(string.format("WRK %.0f %.0f %.0f\n",
				summary.requests / (summary.duration / 1e6),
				latency:percentile(50), latency:percentile(99)))
		end
	LUA
	cat "$T/absolute.lua" "$T/report.lua" >"$T/absolute-report.lua"
	chmod 644 "$T"/*.lua && chmod 755 "$T/tunnel_load"
	echo "127.0.0.1 localhost origin.test" >"$T/hosts" && mount --bind "$T/hosts" /etc/hosts
	MOUNTS_BEFORE=$(wc -l </proc/self/mountinfo)
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
peer() { # NAME PORT CMD...: on the proxy's core; PEER_NAME=port where it came up
	local name=$1 port=$2
	shift 2
	command -v "$1" >/dev/null || { echo "<!-- $name is not installed -->"; return 1; }
	start_server "$name" taskset -c $PROXY_CORE "$@"
	wait_for listening "$port" || { sed 's/^/# /' "$T/$name.out" >&2; return 1; }
	eval "PORT_$name=$port"
}
has() { local ref=PORT_$1; [ -n "${!ref:-}" ]; }

start_origin() {
	cat >"$T/origin.conf" <<-CONF
		daemon off; worker_processes 1; pid $T/origin.pid; error_log $T/logs/origin;
		user root;
		events { worker_connections 19000; }
		http { access_log off; sendfile on; keepalive_requests 1000000000; keepalive_timeout 600s;
			server { listen 127.0.0.1:$ORIGIN backlog=4096; listen 127.0.0.1:80; root $T/www; } }
	CONF
	start_server origin taskset -c $LOAD_CORE nginx -c "$T/origin.conf" -e "$T/logs/origin-start"
	wait_for listening $ORIGIN
}

start_haproxy() { # reverse HTTP 9101, TCP 9102
	cat >"$T/haproxy.cfg" <<-CONF
		global
			maxconn 9400
			maxpipes 100
			nbthread 1
		defaults
			timeout connect 5s
			timeout client 600s
			timeout server 600s
			option http-keep-alive
			http-reuse always
		listen http
			mode http
			bind 127.0.0.1:9101
			server o 127.0.0.1:$ORIGIN
		listen tcp
			mode tcp
			option splice-auto
			bind 127.0.0.1:9102
			server o 127.0.0.1:$ORIGIN
	CONF
	peer haproxy 9101 haproxy -db -f "$T/haproxy.cfg"
}
start_nginx() { # reverse HTTP 9103, stream 9104 where the module is there
	local module=/usr/lib/nginx/modules/ngx_stream_module.so
	{
		[ ! -e $module ] || echo "load_module $module;"
		cat <<-CONF
			daemon off; worker_processes 1; pid $T/nginx.pid; error_log $T/logs/nginx; user root;
			events { worker_connections 19000; }
			http { access_log off; keepalive_requests 1000000000;
				upstream o { server 127.0.0.1:$ORIGIN; keepalive 64; keepalive_requests 1000000000; }
				server { listen 127.0.0.1:9103; location / { proxy_pass http://o;
					proxy_http_version 1.1; proxy_set_header Connection ""; } } }
		CONF
		[ ! -e $module ] || echo "stream { server { listen 127.0.0.1:9104; proxy_pass 127.0.0.1:$ORIGIN; } }"
	} >"$T/nginx.conf"
	peer nginx 9103 nginx -c "$T/nginx.conf" -e "$T/logs/nginx-start"
	[ -e $module ] && PORT_nginx_stream=9104
	true
}
start_squid() {
	mkdir -p "$T/squid" && chmod 777 "$T/squid"
	cat >"$T/squid.conf" <<-CONF
		http_port 127.0.0.1:9105
		acl all_ports port 1-65535
		http_access allow all
		cache deny all
		cache_log $T/squid/cache.log
		access_log none
		pid_filename $T/squid/pid
		coredump_dir $T/squid
		shutdown_lifetime 0 seconds
		max_filedescriptors 19000
		via off
		hosts_file /etc/hosts
		pinger_enable off
	CONF
	peer squid 9105 squid -N -f "$T/squid.conf"
}
start_tinyproxy() {
	printf 'Port 9106\nListen 127.0.0.1\nMaxClients 19000\nTimeout 600\nLogLevel Critical\n' >"$T/tinyproxy.conf"
	peer tinyproxy 9106 tinyproxy -d -c "$T/tinyproxy.conf"
}
start_splice() { peer splice 9107 "$T/splice_relay" 9107 $ORIGIN; }
start_peers() {
	start_haproxy
	start_nginx
	start_squid
	start_tinyproxy
	start_splice
}

# --- ours: the load client inside
gateway_policy() {
	new_session bench
	cat >"$T/bench.yaml" <<-YAML
		extends: base
		workspace: { path: "$W", mode: rw }
		filesystem: { read: ["$T/absolute-report.lua", "$T/report.lua", "$T/tunnel_load"] }
		network:
		  allow:
		    - { host: origin.test, ports: [80, 443, $ORIGIN], upstream: "127.0.0.1:$ORIGIN" }
		limits: { pids: 4000 }
	YAML
	chmod 644 "$T/bench.yaml"
}
ours() { # CMD...: inside, the client on its own core
	(cd "$W" && XDG_STATE_HOME=$S timeout "${BENCH_TIMEOUT:-60}" taskset -c $PROXY_CORE "$STOCKADE" run --quiet \
		--policy "$T/bench.yaml" -- taskset -c $LOAD_CORE "$@")
}
load() { timeout "${BENCH_TIMEOUT:-60}" taskset -c $LOAD_CORE "$@"; }

# --- numbers
median() { sort -n | awk '{v[NR]=$1} END {print NR ? (NR % 2 ? v[(NR+1)/2] : (v[NR/2]+v[NR/2+1])/2) : "-"}'; }
note() { printf '%s\n' "$3" >>"$T/numbers.$1.$2"; } # CONTESTANT COLUMN VALUE
value() { [ -s "$T/numbers.$1.$2" ] && median <"$T/numbers.$1.$2" || echo –; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (a + 0 && b + 0) printf "%.2f", a / b; else printf "–" }'; }
# One line of the summary that bench/run prints: what is asked for, and what came out.  PEER "-": the
# bar is about OURS itself.
bar() { # TEXT OURS PEER-NAME PEER OP LIMIT
	[ -n "${BENCH_BARS:-}" ] || return 0
	awk -v text="$1" -v ours="$2" -v name="$3" -v peer="$4" -v op="$5" -v limit="$6" 'BEGIN {
		known = ours ~ /^-?[0-9.]+$/ && (peer == "-" || peer + 0 > 0)
		got = peer == "-" ? ours : known ? ours / peer : 0
		met = !known ? "not measured" : (op == "<=" ? got <= limit : got >= limit) ? "yes" : "**no**"
		printf "| %s | %s | %s | %s | %s %s | %s |\n", text, ours,
			peer == "-" ? "" : name " " peer, peer == "-" || !known ? "" : sprintf("%.2f", got),
			op == "<=" ? "≤" : "≥", limit, met
	}' >>"$BENCH_BARS"
}
rss_kib() { # PID...: resident, in KiB
	local pid sum=0
	for pid; do sum=$((sum + $(awk '/VmRSS/{print $2}' "/proc/$pid/status" 2>/dev/null || echo 0))); done
	echo $sum
}
gateway_pids() {
	local dir
	for dir in /proc/[0-9]*; do
		tr '\0' ' ' 2>/dev/null <"$dir/cmdline" | grep -q '^[^ ]*stockade-gateway ' && echo "${dir#/proc/}"
	done
}
