#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every row of processes.tsv, as root and as an ordinary user, against the real kernel and gateway.
. "$(dirname "$0")/run.sh"
enter_world "$0" "$@"
run_table processes.tsv
