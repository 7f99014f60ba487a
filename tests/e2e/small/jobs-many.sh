#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Many commands one after the other, and several at a time: none fails, and
# nothing of them stays in the agent.  E2E_MANY sets how many.
# shellcheck source=../lib.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../lib.sh"

many=${E2E_MANY:-300}
pid=$(agent_pid)
zombies() { second sh -c 'grep -l "^PPid:.$0\$" /proc/[0-9]*/status 2>/dev/null | xargs -r grep -l "^State:.Z" | wc -l' "$pid"; }
rss() { second sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status"; }
jobs_left() { "$VSRPC" --json "$DOMAIN" jobs | "${PYTHON:-python3}" -c 'import json, sys; print(len(json.load(sys.stdin)["data"]["jobs"]))'; }
no_jobs() { [ "$(jobs_left)" = 0 ]; }
run_many() { # N: prints how many failed
	local i failed=0
	for ((i = 0; i < $1; i++)); do
		"$VSRPC" "$DOMAIN" exec -- true </dev/null || failed=$((failed + 1))
	done
	echo "$failed"
}

t_is "some to begin with" 0 "$(run_many 100)"
t "… are all forgotten" t_within 15 no_jobs
fds=$(agent_fds "$pid")
before=$(rss)
start=$EPOCHREALTIME
t_is "$many commands in a row, none fails" 0 "$(run_many "$many")"
took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
t_diag "$many commands in $took s"
t "… all are forgotten" t_within 15 no_jobs
t_is "… no descriptor is left" "$fds" "$(agent_fds "$pid")"
t_is "… no zombie" 0 "$(zombies)"
after=$(rss)
t_diag "RssAnon $before kB before, $after kB after"
# 1024 remembered requests of about a kilobyte each fill up meanwhile
t "… and no memory" [ $((after - before)) -lt 1536 ]

# --- at the same time
clients=10
for ((i = 0; i < clients; i++)); do
	"$VSRPC" --wait-lock 60 "$DOMAIN" exec -- sh -c "seq 20000; echo client $i >&2; sleep 0.5; exit $i" \
		>"many.$i" 2>"many.$i.err" </dev/null &
	pids[i]=$!
done
wrong=0
for ((i = 0; i < clients; i++)); do
	wait "${pids[$i]}"
	[ $? = "$i" ] || wrong=$((wrong + 1))
	[ "$(cat "many.$i.err")" = "client $i" ] || wrong=$((wrong + 1))
	seq 20000 | cmp -s - "many.$i" || wrong=$((wrong + 1))
done
t_is "$clients clients at once have each their own output and status" 0 "$wrong"
done_testing
