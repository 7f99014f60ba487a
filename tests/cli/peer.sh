#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vsrpc-virsh against an agent that answers badly.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

ping() { quick --timeout 2 --socket "$SOCKET" ping; }
requests() { grep -cv /sync "$COUNTS"; } # besides those that agree on the start

# --- what must not disturb
for mode in good noise foreign foreign_first no_id_first bytewise; do
	start_peer "$mode" "$mode"
	t "$mode: ping works" ping
	t_json "$mode: the answer is ours" "d['data']['uptime'] == 7 and d['message'] == 'pong'" "$OUT"
	stop "$PID"
done

# --- what cannot work, ends in time and says why
while IFS='|' read -r mode words; do
	start_peer "$mode" "$mode"
	begin=$EPOCHREALTIME
	t_status "$mode: is an error of the channel" 125 ping
	took=$(since "$begin")
	t_like "$mode: … with the reason" "$words" "$ERR"
	t_is "$mode: … on standard error only" '' "$OUT"
	t "$mode: … within 8 s ($took)" soon "$took" 8
	stop "$PID"
done <<'END'
wrong_id|timed out while waiting for the answer
truncated|connection lost
big_header|not HTTP|too large
big_length|too large
not_json|JSON
not_envelope|answer
not_http|not HTTP
hang|timed out while waiting for the answer
trickle_forever|timed out
close|connection lost
no_sync|no answer
END

# --- never twice
for mode in close truncated hang; do
	start_peer "exec-$mode" "$mode"
	t_status "exec, $mode: is a status of its own" 123 quick --socket "$SOCKET" exec --timeout 0.1 -- true
	t_like "exec, $mode: … whose outcome is unknown" "outcome unknown: the command may have run" "$ERR"
	t_is "exec, $mode: … and that was sent once" 1 "$(requests)"
	stop "$PID"
done
start_peer once close_once
t "a ping whose answer got lost is repeated" ping
t_is "… once" 2 "$(requests)"
stop "$PID"
start_peer service close
t_status "service, close" 123 quick --socket "$SOCKET" service x restart
t_like "… outcome unknown" "outcome unknown" "$ERR"
t_is "… sent once" 1 "$(requests)"
stop "$PID"

# --- a hostile guest
start_peer escape escape
t_not "an error with control characters" quick --socket "$SOCKET" exec -- true
t_is "… shows none of them" 0 "$(printf %s "$ERR" | tr -d '\n' | grep -c '[[:cntrl:]]')"
stop "$PID"
start_peer exit exit_code
t_status "an impossible exit code is the channel's error" 125 quick --socket "$SOCKET" exec -- true
stop "$PID"

done_testing
