#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The agent when the machine fails it, call by call: see faults.py.
#
#     faults.sh [PART[-K-of-N][.faults]]
#
# "complete" looks for what is left out: see complete.py.  Without a
# word, everything but that, one after the other.  FAULTS_ONLY="MEMORY OPEN"
# takes these kinds only, FAULTS_STEP=put this step of the scenario.
build=${top_builddir:-.}
here=$(dirname "$0")
python=${PYTHON:-python3}
command -v "$python" >/dev/null || { echo "1..0 # SKIP there is no $python" && exit; }
part=${1##*/}
part=${part%.faults}
if [ "$part" = complete ]; then
	exec "$python" "$here/complete.py" "$here/local.mk" \
		"$build"/lib{guest,proto,util}.a "$build"/src/guest/*agent-main.o
fi
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086 # no part is no word
"$python" "$here/faults.py" "$build/tests/faults/agent" "$work" $part
