# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# run.sh - one table of attempts, as root and as an ordinary user (sourced by the .t files).
#
#   run_table TABLE...      ATTACK_ROWS=REGEX runs only the rows whose id matches
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../equipment/lib.sh"

run_table() {
	local table user total=0 failed=0 count here resolv
	here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
	setup
	resolv=$(readlink -f /etc/resolv.conf)
	mount -t tmpfs -o mode=755 run /run # sockets of services that do not exist here
	mount -t tmpfs -o mode=1777,size=512m shm /dev/shm # as large as the attempts to fill it need
	mkdir -p "$(dirname "$resolv")" && touch "$resolv"
	start_world || exit 1
	chmod 666 "$WORLD_LOG"
	for table; do
		count=$(grep -cE "^(${ATTACK_ROWS:-[A-Z]})[^	]*	" "$here/$table")
		for user in root user; do
			[ "$user" = root ] || can_be_user || continue
			"$PYTHON" "$here/run_attacks.py" "$here/$table" --stockade "$STOCKADE" \
				--world "$WORLD_LOG" --ca "$T/certs/ca.pem" --dir "$T" \
				--user "$user" --start "$total" \
				${ATTACK_ROWS:+--only "$ATTACK_ROWS"} || failed=1
			total=$((total + count))
			mv "$T/attacks-$user" "$T/attacks-$user-$table"
		done
	done
	echo "1..$total"
	exit "$failed"
}
