# SPDX-License-Identifier: Apache-2.0
# certs.sh - a private certificate authority, made afresh for every test run (sourced).
#
#   certs_ca DIR                     DIR/ca.pem, DIR/ca.key
#   certs_leaf DIR NAME SAN...       DIR/NAME.pem (certificate and key); SAN is a DNS name or an IP
#   certs_expired DIR NAME SAN...    the same, but it ended long ago
#   certs_self_signed DIR NAME SAN   not signed by the authority

certs_ca() {
	mkdir -p "$1/db" && : >"$1/db/index" && echo 01 >"$1/db/serial"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-subj "/CN=stockade test authority" -keyout "$1/ca.key" -out "$1/ca.pem" \
		-addext keyUsage=critical,keyCertSign,cRLSign 2>"$1/openssl.log"
	cat >"$1/ca.conf" <<-CONF
		[ca]
		default_ca = c
		[c]
		database = $1/db/index
		serial = $1/db/serial
		new_certs_dir = $1/db
		default_md = sha256
		policy = p
		unique_subject = no
		copy_extensions = copy
		[p]
		commonName = supplied
	CONF
}

certs_san() { # SAN... -> DNS:a,IP:b
	local list= name
	for name; do
		case $name in
		*:* | [0-9]*.[0-9]*.[0-9]*.[0-9]*) list="$list,IP:$name" ;;
		*) list="$list,DNS:$name" ;;
		esac
	done
	echo "${list#,}"
}

certs_sign() { # DIR NAME START END SAN...
	local dir=$1 name=$2 start=$3 end=$4
	shift 4
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
		-keyout "$dir/$name.key" -out "$dir/$name.csr" \
		-addext "subjectAltName=$(certs_san "$@")" 2>>"$dir/openssl.log" &&
		openssl ca -batch -notext -config "$dir/ca.conf" -cert "$dir/ca.pem" \
			-keyfile "$dir/ca.key" -in "$dir/$name.csr" -out "$dir/$name.crt" \
			-startdate "$start" -enddate "$end" 2>>"$dir/openssl.log" &&
		cat "$dir/$name.crt" "$dir/$name.key" >"$dir/$name.pem"
}

certs_leaf() {
	local dir=$1 name=$2
	shift 2
	certs_sign "$dir" "$name" "$(date -u -d '1 day ago' +%Y%m%d%H%M%SZ)" \
		"$(date -u -d '20 days' +%Y%m%d%H%M%SZ)" "$@"
}

certs_expired() {
	local dir=$1 name=$2
	shift 2
	certs_sign "$dir" "$name" 20200101000000Z 20200201000000Z "$@"
}

certs_self_signed() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-subj "/CN=$3" -addext "subjectAltName=DNS:$3" \
		-keyout "$1/$2.key" -out "$1/$2.crt" 2>>"$1/openssl.log" &&
		cat "$1/$2.crt" "$1/$2.key" >"$1/$2.pem"
}
