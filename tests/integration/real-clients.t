#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real programs without any proxy setting reach an allowed TLS origin through a tunnel rule, and are
# refused, with a log record, where no rule allows it.
. "$(dirname "$0")/../equipment/lib.sh"
enter_world "$0" "$@"
setup
make_certs

git init -q --bare "$T/git/repo.git" && git init -q "$T/seed" &&
	git -C "$T/seed" -c user.name=t -c user.email=t@t.test commit -q --allow-empty -m "a commit to clone" &&
	git -C "$T/seed" push -q "$T/git/repo.git" HEAD:refs/heads/main &&
	git -C "$T/git/repo.git" symbolic-ref HEAD refs/heads/main
start_server registry "$PYTHON" "$TEST_DIR/registry.py" --cert "$T/certs/good.pem" \
	--log "$T/registry.log" --git-root "$T/git" --port-file "$T/registry.port"
wait_for test -s "$T/registry.port"
PORT=$(cat "$T/registry.port")
CA=$T/certs/ca.pem
cp "$REPO/tests/integration/Fetch.java" "$T/Fetch.java" && chmod 644 "$T/Fetch.java"

policy() { # NAME EXTENDS RULES
	{
		echo "extends: $2"
		echo "workspace: { path: \"$W\", mode: rw }"
		echo "filesystem: { read: [\"$CA\", \"$T/Fetch.java\", \"$T/trust.p12\"] }"
		echo "network:"
		echo "  proxy_env: false"
		echo "  allow: [ $3 ]"
	} >"$T/$1.yaml"
	chmod 644 "$T/$1.yaml"
}

HAVE_JAVA=
command -v java >/dev/null && command -v keytool >/dev/null &&
	keytool -importcert -noprompt -alias ca -file "$CA" -keystore "$T/trust.p12" \
		-storetype PKCS12 -storepass changeit >/dev/null 2>&1 && HAVE_JAVA=1
[ -e "$T/trust.p12" ] || : >"$T/trust.p12"
chmod 644 "$T/trust.p12"

# name|what it must print|shell command with HOST replaced
clients() {
	cat <<-LIST
		curl|hello from the origin|curl -sS --cacert $CA https://registry.test/hello
		git|a commit to clone|GIT_SSL_CAINFO=$CA git clone -q https://registry.test/git/repo.git c && git -C c log --format=%s
		python urllib|hello from the origin|SSL_CERT_FILE=$CA $PYTHON -c 'import urllib.request as u; print(u.urlopen("https://registry.test/hello", timeout=20).read().decode())'
		openssl s_client|hello from the origin|printf 'GET /hello HTTP/1.1\r\nHost: registry.test\r\nConnection: close\r\n\r\n' | openssl s_client -quiet -verify_return_error -CAfile $CA -servername registry.test -connect registry.test:443
	LIST
	command -v node >/dev/null && echo "node fetch|hello from the origin|NODE_EXTRA_CA_CERTS=$CA node -e 'fetch(\"https://registry.test/hello\").then(r => r.text()).then(console.log, e => {console.log(e.cause); process.exit(1)})'"
	command -v npm >/dev/null && echo "npm install|tiny and well|rm -rf p; mkdir p && cd p && echo '{\"name\":\"p\",\"version\":\"1.0.0\"}' > package.json && NODE_EXTRA_CA_CERTS=$CA npm install --registry=https://registry.test/ --cafile=$CA --no-audit --no-fund --no-update-notifier --fetch-retries=0 --cache=\$HOME/npm-cache tiny-package >&2 && node -p 'require(\"tiny-package\")'"
	[ -z "$HAVE_JAVA" ] || echo "java|hello from the origin|java -Djavax.net.ssl.trustStore=$T/trust.p12 -Djavax.net.ssl.trustStorePassword=changeit $T/Fetch.java https://registry.test/hello"
}

users=root
can_be_user && users="root user"
for RUN_AS in $users; do
	while IFS='|' read -r name want command; do
		id=$(echo "$name-$RUN_AS" | tr -c 'a-z\n-' _)
		new_session "$id-allowed"
		policy "$id-allowed" node "{ host: registry.test, tls: tunnel, upstream: \"127.0.0.1:$PORT\" }"
		out=$(stockade run --quiet --policy "$T/$id-allowed.yaml" -- /bin/sh -c "$command" 2>&1 </dev/null)
		is "$?" 0 "$name: works with a tunnel rule [$RUN_AS]"
		like "$out" "$want" "$name: got what it asked for [$RUN_AS]"
		like "$(log_count event=connect verdict=allow host=registry.test port=443)" '^[1-9]' \
			"$name: the tunnel is in the log [$RUN_AS]"
		new_session "$id-denied"
		: >"$T/registry.log"
		policy "$id-denied" node "other.test"
		out=$(stockade run --quiet --policy "$T/$id-denied.yaml" -- timeout 60 /bin/sh -c "$command" 2>&1 </dev/null)
		status=$?
		ok $((status == 0 || status == 124 || status == 127)) "$name: refused at once without the rule (exit $status) [$RUN_AS]"
		unlike "$out" "$want" "$name: got nothing [$RUN_AS]"
		is "$(cat "$T/registry.log")" "" "$name: the origin saw nothing [$RUN_AS]"
		like "$(log_count verdict=deny host=registry.test)" '^[1-9]' "$name: the refusal is in the log [$RUN_AS]"
	done < <(clients)
done
is "$(leftovers)" "" "nothing is left behind"
finish
