#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A command that runs: what disturbs it, and what it disturbs. That it works in a
# guest is in tests/e2e/small/jobs.sh.
# shellcheck source=lib.sh
# shellcheck disable=SC2016 # the command's shell expands
. "${top_srcdir:-.}/tests/cli/lib.sh"

requests() { grep -v /sync "$COUNTS"; }
starts() { grep -c '/jobs ' "$COUNTS"; }
sent() { [ "$(requests | wc -l)" -ge "${1:-1}" ]; }
exec_() { quick --socket "$SOCKET" exec "$@"; }
real='security: {allowed_commands: ["*"], shell: true}\nlogging: {file: none}\nrate_limit: {requests_per_second: 0, requests_per_minute: 0}\n'
# shellcheck disable=SC2059 # it is a format
printf "$real" >real.yaml

# --- input, output and the end, of a fake agent as well
start_peer honest good
t "exec" exec_ -- sh -c 'echo out; echo err >&2; exit 0'
t_is "… standard output" out "$OUT"
t_is "… standard error" err "$ERR"
t_status "… its exit code" 7 exec_ -- sh -c 'exit 7'
t_status "… its signal" 137 exec_ -- sh -c 'kill -9 $$'
t_status "… no such program" 127 exec_ -- no-such-program
t_is "input" "$(seq 100000 | md5sum)" "$(seq 100000 | exec_ -- cat | md5sum)"
t_is "… from a file" "$(md5_of host.yaml)" "$(exec_ -- cat <host.yaml | md5sum | cut -d' ' -f1)"
t_is "-n leaves it alone" rest "$({ exec_ -n -- cat; cat; } <<<rest)"
t_status "--timeout" 124 exec_ --timeout 0.3 -n -- sleep 100
t_like "… says so" "timed out after 0\.3 s" "$ERR"
t_status "… also in front, as for answers" 124 quick --timeout 0.3 --socket "$SOCKET" exec -n -- sleep 100
sed 's/^connection:/&\n  read_timeout: 1/' quick.yaml >short.yaml
t "read_timeout is for an answer, not for a command" "$VSRPC" --config short.yaml --socket "$SOCKET" exec -n -- sh -c 'sleep 3; echo done'
t_is "… whose output comes" done "$OUT"
: >"$COUNTS"
t "a short command without input" exec_ -n -- true
t_is "… is one round trip" "POST /api/v1/jobs" "$(requests | cut -d' ' -f1,2)"
stop "$PID"

# --- others get the channel
start_peer shared good
exec_ -- sh -c 'sleep 2; echo done' </dev/null >shared.out 2>&1 &
waits=$!
t_within 20 sent 2
begin=$EPOCHREALTIME
for _ in 1 2 3; do t "another command while one runs" quick --wait-lock 1 --socket "$SOCKET" exec -n -- true; done
took=$(since "$begin")
t "… at once ($took)" soon "$took" 1.5
t "… which does not hurt it" wait "$waits"
t_is "… nor its output" "done" "$(cat shared.out)"
t_is "… nor is it started again" 4 "$(starts)"
exec_ -n -- yes >/dev/null 2>&1 &
busy=$!
t_within 20 sent 2
t "… also while it prints without end" quick --wait-lock 20 --socket "$SOCKET" ping
t_kill "$busy"
wait "$busy"
t_is "a signal ends that" 143 $?
mkfifo slow
exec_ -n -- yes >slow 2>err &
busy=$!
exec 9<slow # and nobody reads
t_within 20 sent 4
t "… and while nobody reads its output" quick --wait-lock 20 --socket "$SOCKET" ping
exec 9<&-
wait "$busy"
t_is "a reader that leaves ends it" "141 " "$? $(cat err)"
ended_by() { quick --socket "$SOCKET" jobs | tail -n 1 | grep -q "$1"; }
t "… in the guest as well" t_within 10 ended_by SIGPIPE
stop "$PID"

# --- connections that break
head -c 3000000 /dev/urandom >in
start_peer hiccups hiccups
t_status "each third answer gets lost, the exit code does not" 5 exec_ -- sh -c 'cat; exit 5' <host.yaml
: >"$COUNTS"
exec_ -- sh -c 'tee sum; echo "$0" >&2' once <in >out 2>err
t_is "… nor a byte of both directions" "$(md5_of in) $(md5_of in)" "$(md5_of out) $(md5_of sum)"
t_is "… nor is anything said twice" once "$(cat err)"
t_is "… and it ran once" 1 "$(sort <<<"$(grep '/jobs ' "$COUNTS" | cut -d' ' -f3)" | uniq | wc -l)"
stop "$PID"
# Behind so many bytes, at least one turn and at most a few.
start_agent real
AGENT_SOCKET=$SOCKET AGENT_PID=$PID
breaking() { # LEAST MOST
	SOCKET=$WORK/cut$2.sock COUNTS=$WORK/cut$2.counts
	"$PYTHON" "$top_srcdir/tests/peer/cut.py" "$SOCKET" "$AGENT_SOCKET" "$COUNTS" "$1" "$2" &
	PID=$!
	PEERS+=("$PID")
	t_within 20 test -S "$SOCKET"
}
often() { [ "$(grep -c cut "$COUNTS")" -ge "$1" ]; }
breaking 300000 900000
status=0
virsh_ --socket "$SOCKET" exec -- sh -c "tee '$WORK/sum'; echo once >&2; exit 9" <in >out 2>err || status=$?
t_is "broken in the middle of much: the exit code" "9 once" "$status $(cat err)"
t_is "… and each byte" "$(md5_of in) $(md5_of in)" "$(md5_of out) $(md5_of sum)"
t "… over several connections" often 4
stop "$PID"
breaking 1500 3000
# Slower than the connections break, so that they do in the middle of it.
lines() { for i in $(seq 150); do echo "$i" && sleep 0.01; done; }
lines | virsh_ --socket "$SOCKET" exec -- sh -c 'while read a; do echo "<$a>"; done; exit 8' >out 2>err
t_is "broken in the middle of little: the exit code" "8 " "${PIPESTATUS[1]} $(cat err)"
t_is "… and each line" "$(seq -f '<%g>' 150 | md5sum)" "$(md5sum <out)"
t "… over several connections" often 4
stop "$PID"
stop "$AGENT_PID"

# --- an agent that knows nothing of it any more
while IFS='|' read -r mode words; do
	start_peer "$mode" "$mode"
	t_status "$mode: exit status 123" 123 exec_ -n -- sleep 100
	t_like "$mode: … and what is known" "$words; outcome unknown: the command was running" "$ERR"
	t_is "$mode: … it was not started again" 1 "$(starts)"
	stop "$PID"
done <<'END'
restarts_later|the agent was restarted
reboots_later|the guest rebooted
forgets_jobs|no job 'ab[0-9a-f]*'
END

# --- signals
signalled() { # SIGNAL… of a command that is ready
	local signal pid
	rm -f signalled
	"$PYTHON" -c 'import os, signal, sys
for s in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP): signal.signal(s, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$VSRPC" --config "$WORK/quick.yaml" --socket "$SOCKET" exec -n --timeout 20 -- sh -c "$SCRIPT" >signalled 2>err &
	pid=$!
	t_within 20 grep -qs ready signalled || t_diag "not ready"
	for signal; do
		sleep 0.15 # within 100 ms it would be the same one
		t_kill "-$signal" "$pid"
	done
	STATUS=0
	wait "$pid" || STATUS=$?
}
start_peer signals good
SCRIPT='echo ready; exec sleep 100'
signalled INT
t_is "a signal is passed on, and we die of it, too" "130 " "$STATUS $(cat err)"
SCRIPT='trap "echo caught; exit 3" TERM; echo ready; while :; do sleep 0.1; done'
signalled TERM
t_is "… or it decides otherwise" "3 caught" "$STATUS $(tail -n 1 signalled)"
SCRIPT='trap "" INT; echo ready; while :; do sleep 0.1; done'
signalled INT INT INT
t_is "the third one kills it" 137 "$STATUS"
t_is "… as the second one said" "vsrpc-virsh: the command goes on; once more kills it" "$(cat err)"
stop "$PID"

# --- left running
start_agent real
t "--detach" exec_ --detach -- sh -c 'echo begun; sleep 1; echo ended; exit 4'
id=$OUT
t_like "… prints an id" '^[0-9a-f]{8}$' "$id"
job() { quick --socket "$SOCKET" job "$id" "$@"; }
t_status "job wait: its exit code" 4 job wait
t "job output" job output
t_is "… what it printed" "begun ended" "$(xargs <<<"$OUT")"
t "jobs" quick --socket "$SOCKET" jobs
t_like "… has it" "$id +exit 4 .* yes +sh -c" "$OUT"
t "jobs --json" quick --json --socket "$SOCKET" jobs
t_json "… as well" "[j['id'] for j in d['data']['jobs']] == ['$id']" "$OUT"
t_status "job signal: too late" 1 job signal TERM
t_like "… and it says so" "has ended already" "$ERR"
t "job remove" job remove
t_status "… and it is no more" 1 job
t_like "… with what may be the cause" "no job '$id'" "$ERR"
t_status "job wait of none: 125, not a command's 1" 125 job wait
id=$(exec_ --detach -- sh -c 'echo begun; exec sleep 100')
t_is "job output does not wait" begun "$(job output)"
t "job signal" job signal kill
t_status "… ends it" 137 job wait
stop "$PID"

# --- what is not understood
SOCKET=/no/such/socket
while IFS='|' read -r status words args; do
	# shellcheck disable=SC2086 # they are several
	t_status "$args" "$status" quick --socket "$SOCKET" $args </dev/null
	t_like "… $words" "$words" "$ERR"
done <<'END'
125|--detach and --tty exclude each other|exec --detach --tty -- true
125|standard input is no terminal|exec -t -- true
125|standard input is no terminal|shell
125|not a size|exec --output-limit x -- true
125|not a mode in octal|exec --umask 9 -- true
2|'../x' is not the id of a job|job ../x
2|is none of output, signal, wait, remove|job ab12 stop
2|needs an operand|job ab12 signal
2|takes no such operand|job ab12 wait now
2|'FOO' is not a signal|job ab12 signal FOO
2|'now' is not --follow|job ab12 output now
END

done_testing
