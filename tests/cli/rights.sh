#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Files with a user's rights, held against what setpriv(1) lets coreutils do: rights.py
# has the table of routes. RIGHTS_SEED=N selects other cases; RIGHTS_COUNT=0 has all of
# them, in some minutes.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"
need setpriv
# shellcheck source=accounts.sh
. "$top_srcdir/tests/cli/accounts.sh"

mkdir scratch
cat >real.yaml <<END
logging: {file: none}
security: {allowed_paths: [/], readonly_paths: [], forbidden_paths: []}
rate_limit: {requests_per_second: 0, requests_per_minute: 0}
END
umask 022
start_agent real
"$PYTHON" "$top_srcdir/tests/cli/rights.py" "$SOCKET" "$PID" scratch "${RIGHTS_SEED:-1}" "${RIGHTS_COUNT:-400}"
