#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Exactly once, signs of life and interrupts, against an agent that loses
# connections and remembers what it did, or does not. What is sent once is the
# start of a command; see exec.sh for what follows it.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

run() { quick --socket "$SOCKET" exec "$@" -- echo ran; }
requests() { grep -v /sync "$COUNTS"; }
starts() { grep '/jobs ' "$COUNTS"; }
column() { starts | awk -v n="$1" '{ print $n }'; }

# --- the answer got lost, the memory did not
start_peer loses loses
t "a lost answer is asked for again" run
t_is "… and printed" ran "$OUT"
t_is "… by two requests" 2 "$(starts | wc -l)"
t_is "… with one id" 1 "$(column 3 | sort -u | wc -l)"
t_is "… the first has no age" - "$(column 4 | head -n 1)"
t_like "… the second one has" '^[1-9][0-9]*$' "$(column 4 | tail -n 1)"
t_is "… each with the token of its own sync" "s1 s2" "$(column 5 | xargs)"
t_is "… and a wish for signs of life" "2 2" "$(column 6 | xargs)"
stop "$PID"
start_peer plain good
t "an agent without a memory" run
t_is "… is not asked for signs of life" - "$(column 6)"
stop "$PID"

# --- the memory is another one
while IFS='|' read -r mode words; do
	start_peer "$mode" "$mode"
	t_status "$mode: exit status 123" 123 run
	t_like "$mode: … and what is known" "$words; outcome unknown: the command may have run" "$ERR"
	t_is "$mode: … sent once" 1 "$(requests | wc -l)"
	stop "$PID"
done <<'END'
restarts|the agent was restarted
reboots|the guest rebooted
END
start_peer json reboots
t_status "--json" 123 quick --json --socket "$SOCKET" exec -- true
t_json "… has an envelope" "d['code'] == 6003 and 'rebooted' in d['data']['detail']" "$OUT"
stop "$PID"
start_peer get restarts
t_status "a GET is repeated all the same" 125 quick --socket "$SOCKET" ping
t_is "… as often as is configured" 2 "$(requests | wc -l)"
stop "$PID"
start_peer gone gone
t_status "an agent that has forgotten" 123 run
t_like "… says so" "may have run" "$ERR"
stop "$PID"
start_peer always loses_always
t_status "an agent that loses each answer" 123 run
t_is "… is asked as often as is configured" 2 "$(requests | wc -l)"
stop "$PID"
start_peer expired expires_once
t "an expired session is begun anew" run
t_is "… under a new token" "s1 s2" "$(column 5 | xargs)"
t_is "… and the request is young: nobody has seen it" "- -" "$(column 4 | xargs)"
stop "$PID"

# --- signs of life
start_peer beats beats
t "signs of life are no answer" run
t_is "… and nothing is sent twice" 1 "$(starts | wc -l)"
stop "$PID"
start_peer silent falls_silent
begin=$EPOCHREALTIME
t "a silence is noticed" run
took=$(since "$begin")
t "… within 15 s ($took)" soon "$took" 15
t_is "… and the answer asked for again" "1 2" "$(column 3 | sort -u | wc -l) $(starts | wc -l)"
stop "$PID"
start_peer rebooted reboots_silently
begin=$EPOCHREALTIME
t_status "a reboot is noticed" 123 run
took=$(since "$begin")
t_like "… by its name" "the guest rebooted; outcome unknown" "$ERR"
t "… within 15 s ($took)" soon "$took" 15
stop "$PID"

# --- interrupts
sent() { [ "$(requests | wc -l)" -ge "${1:-1}" ]; }
# The command's start has its answer soon when it is urged by a ping: then the
# signal is passed on. Who is impatient gets a start back that has none.
urged() { grep -q /ping "$COUNTS"; }
asked() { grep -q DELETE "$COUNTS"; }
# interrupt SIGNAL COMMAND…: sends it once the request is there, and again for
# each of AGAIN, what has to be there then. Sets: STATUS, ERR, BEGIN (when the
# first one was sent).
interrupt() {
	local signal=$1 there
	shift
	# An asynchronous command of a script ignores INT and QUIT, and one below
	# nohup(1) HUP; Python gives them back.
	"$PYTHON" -c 'import os, signal, sys
for s in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP): signal.signal(s, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$@" >"$WORK.out" 2>"$WORK.err" &
	local pid=$!
	BEGIN=''
	for there in sent "${AGAIN[@]}"; do
		t_within 20 "$there" || t_diag "not $there"
		sleep 0.15 # within 100 ms it would be the same signal
		BEGIN=${BEGIN:-$EPOCHREALTIME}
		t_kill "-$signal" "$pid"
	done
	STATUS=0
	wait "$pid" 2>/dev/null || STATUS=$?
	ERR=$(<"$WORK.err")
}
command=("$VSRPC" --config "$WORK/quick.yaml" --socket)
AGAIN=(urged)
while IFS='|' read -r signal number mode words; do
	start_peer "$mode$signal" "$mode"
	interrupt "$signal" "${command[@]}" "$SOCKET" exec -- sleep 100
	took=$(since "$BEGIN")
	t_is "$mode: dies of $signal" "$((128 + number))" "$STATUS"
	t_like "$mode: … after it said what became of the command" "$words" "$ERR"
	t "$mode: … within 5 s ($took)" soon "$took" 5
	stop "$PID"
done <<'END'
INT|2|ends|interrupted: the command was ended in the guest \(SIGTERM\) after 3\.2 s
TERM|15|had_ended|interrupted: the command had ended with exit code 5
HUP|1|never_came|interrupted: the command was not started
QUIT|3|forgot|interrupted; outcome unknown: the command may have run
TERM|15|keeps_all_waiting|interrupted; outcome unknown: the command may have run
TERM|15|hang|interrupted; outcome unknown: the command may have run
END
start_peer id ends
interrupt INT "${command[@]}" "$SOCKET" exec -- true
t_is "what is taken back is the request" "/api/v1/requests/$(column 3 | head -n 1)" "$(grep DELETE "$COUNTS" | cut -d' ' -f2)"
stop "$PID"
# --- a third signal
start_peer third keeps_all_waiting
AGAIN=(urged asked)
interrupt INT "${command[@]}" "$SOCKET" exec -- sleep 100
t_is "a third signal ends it" 130 "$STATUS"
t_is "… and it says so" "vsrpc-virsh: not waited for; the agent ends it within 5 s" "$ERR"
stop "$PID"
AGAIN=()

# --- an upload
head -c 9000000 /dev/zero >big
start_peer upload ends
interrupt INT "${command[@]}" "$SOCKET" upload big /f
t_like "an upload that is not finished was not stored" "interrupted: the file was not stored" "$ERR"
stop "$PID"
start_peer upload2 never_came
interrupt INT "${command[@]}" "$SOCKET" upload quick.yaml /f
t_like "… nor one that never arrived" "interrupted: the file was not stored" "$ERR"
stop "$PID"

start_peer get2 hang
begin=$EPOCHREALTIME
interrupt INT "${command[@]}" "$SOCKET" ping
t_is "a GET just ends" "130 " "$STATUS $ERR"
stop "$PID"
start_peer ignored late
(
	trap '' HUP
	exec "$VSRPC" --config "$WORK/quick.yaml" --socket "$SOCKET" exec -- echo ran >"$WORK/nohup" 2>&1
) &
pid=$!
t_within 20 sent
t_kill -HUP "$pid"
: >"$SOCKET.go"
t "nohup stays in force" wait "$pid"
t_is "… to the end" ran "$(cat nohup)"
stop "$PID"

done_testing
