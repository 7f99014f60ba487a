#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Files with a user's rights, held against what setpriv(1) lets coreutils do: rights.py
# has the table of routes. RIGHTS_SEED=N selects other cases; RIGHTS_COUNT=0 has all of
# them, in some minutes. The accounts are those of a mount namespace of its own.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

need setpriv
[ "$(id -u)" = 0 ] || skip_all "only root can act as others"
if [ -z "${RIGHTS_INSIDE:-}" ]; then
	unshare -m true 2>/dev/null || skip_all "there are no mount namespaces here"
	RIGHTS_INSIDE=1 unshare -m --propagation private bash "$top_srcdir/tests/cli/rights.sh"
	exit
fi
{
	cat /etc/passwd
	echo 'vuser:x:54321:54321::/:/bin/sh'
	echo 'vother:x:54322:54322::/:/bin/sh'
} >passwd
{
	cat /etc/group
	printf 'vuser:x:54321:\nvother:x:54322:\nvshared:x:54400:vuser\n'
} >group
chmod 644 passwd group
chmod 755 .
mount --bind passwd /etc/passwd && mount --bind group /etc/group || exit
mkdir scratch
cat >real.yaml <<END
logging: {file: none}
security: {allowed_paths: [/], readonly_paths: [], forbidden_paths: []}
rate_limit: {requests_per_second: 0, requests_per_minute: 0}
END
umask 022
start_agent real
"$PYTHON" "$top_srcdir/tests/cli/rights.py" "$SOCKET" "$PID" scratch "${RIGHTS_SEED:-1}" "${RIGHTS_COUNT:-400}"
