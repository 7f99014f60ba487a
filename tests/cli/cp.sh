#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# upload, download, rm and mkdir, held against coreutils: cp.py makes the cases
# and has the table of what differs. CP_SEED=N selects others; CP_COUNT=0 has all
# of them, in some minutes.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

mkdir scratch
cat >real.yaml <<END
logging: {file: none}
security: {allowed_paths: [$WORK/scratch], readonly_paths: [], forbidden_paths: []}
rate_limit: {requests_per_second: 0, requests_per_minute: 0}
END
umask 022
start_agent real
"$PYTHON" "$top_srcdir/tests/cli/cp.py" "$VSRPC" "$WORK/host.yaml" "$SOCKET" scratch "${CP_SEED:-1}" "${CP_COUNT:-180}"
