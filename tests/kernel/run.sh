#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The agent under older kernels, as without.c and ignore.c play them.
#
#     run.sh NAME[.kernel]
#
# each-K-of-N     each.sh, for the lines K, K+N, K+2N… of without.c's table
# refused-SCRIPT  tests/cli/SCRIPT.sh, all of the table at once
# ignored-SCRIPT  and the agent of ignore.c: the nearest to Linux 2.6.32
: "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${top_builddir:=$PWD}"
export top_srcdir top_builddir
name=${1##*/}
name=${name%.kernel}
without=$top_builddir/tests/kernel/without
why=$("$without" all -- true 2>&1) || {
	[ $? != 77 ] || { echo "1..0 # SKIP $why" && exit; }
	echo "Bail out! $why"
	exit 1
}
case $name in
each-*) exec bash "$top_srcdir/tests/kernel/each.sh" "${name#each-}" ;;
ignored-*) export VSRPC_TEST_AGENT=$top_builddir/tests/kernel/agent ;;
refused-*) ;;
*) echo "Bail out! no such test: $name" && exit 1 ;;
esac
export VSRPC_TEST_WITHOUT=all
exec bash "$top_srcdir/tests/cli/${name#*-}.sh"
