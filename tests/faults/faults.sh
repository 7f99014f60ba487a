#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The agent when the machine fails it, call by call: see faults.py.
agent=${top_builddir:-.}/tests/faults/agent
python=${PYTHON:-python3}
command -v "$python" >/dev/null || { echo "1..0 # SKIP there is no $python" && exit; }
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
"$python" "${top_srcdir:-.}/tests/faults/faults.py" "$agent" "$work"
