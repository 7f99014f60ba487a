#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Many clients of one agent at the same time: each gets its own result.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

printf 'logging:\n  file: none\nsecurity:\n  allowed_commands: ["*"]\n' >a.yaml
start_agent a

# More at once than the agent keeps results of, which is 64: a short command that
# is started later pushes out no result that its client has not come for.
clients=80
for ((i = 0; i < clients; i++)); do
	virsh_ --wait-lock 120 --socket "$SOCKET" exec -n -- sh -c "sleep 0.3; echo $i; exit $((i % 50))" \
		>"out.$i" 2>"err.$i" &
	pids[i]=$!
done
wrong=()
for ((i = 0; i < clients; i++)); do
	wait "${pids[$i]}"
	[ "$?,$(<"out.$i")" = "$((i % 50)),$i" ] || wrong+=("$i: $(<"err.$i")")
done
t_is "$clients clients at once have each their own output and status" "" "${wrong[*]}"
stop "$PID"
done_testing
