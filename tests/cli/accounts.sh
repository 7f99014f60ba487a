# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Behind lib.sh, for what only root can see: runs the script once more in a mount
# namespace of its own, where there are the accounts vuser (in the group vshared) and
# vother.
: "${top_srcdir:?}"
[ "$(id -u)" = 0 ] || skip_all "only root can act as others"
if [ -z "${ACCOUNTS_INSIDE:-}" ]; then
	unshare -m true 2>/dev/null || skip_all "there are no mount namespaces here"
	ACCOUNTS_INSIDE=1 unshare -m --propagation private bash "$top_srcdir/tests/cli/${0##*/}"
	exit
fi
{
	cat /etc/passwd
	printf 'vuser:x:54321:54321::/:/bin/sh\nvother:x:54322:54322::/:/bin/sh\n'
} >passwd
{
	cat /etc/group
	printf 'vuser:x:54321:\nvother:x:54322:\nvshared:x:54400:vuser\n'
} >group
chmod 644 passwd group
chmod 755 .
mount --bind passwd /etc/passwd && mount --bind group /etc/group || exit
