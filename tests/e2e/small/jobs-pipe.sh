#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Much through a command, both ways at once: equal bytes, a small agent.
# E2E_PIPE_MIB sets how much.
# shellcheck source=../lib.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../lib.sh"

mib=${E2E_PIPE_MIB:-96}
pid=$(agent_pid)
# The same bytes each time without a file of them.
stream() { "${PYTHON:-python3}" -c '
import hashlib, sys
for i in range(int(sys.argv[1]) * 16):
    sys.stdout.buffer.write(hashlib.sha512(b"%d" % i).digest() * 1024)' "$mib"; }

# What the agent had at the most since it was told to forget that.
second sh -c 'echo 5 >/proc/$0/clear_refs' "$pid"
want=$(stream | md5sum)
start=$EPOCHREALTIME
got=$(stream | "$VSRPC" "$DOMAIN" exec -- cat | md5sum)
took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
t_is "$mib MiB through cat and back are the same" "$want" "$got"
t_diag "$mib MiB in and out in $took s"
peak=$(second sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
t_diag "the agent had $peak kB at most"
t "the agent stayed below 16 MiB" [ "$peak" -lt 16384 ]
done_testing
