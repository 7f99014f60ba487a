#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# exec while it runs: live output, input, signals; and what is left running.
# roads: both
# shellcheck source=../lib.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../lib.sh"

run() { "$VSRPC" "$DOMAIN" exec "$@"; }

# --- live: no line may wait for the next, or for the end
coproc LIVE { run -- sh -c 'echo one; read a; echo "two $a"; read b; echo "three $b" >&2; read c; exit $c' 2>&1; }
# shellcheck disable=SC2034 # read by name
live_pid=$LIVE_PID
exec 5<&"${LIVE[0]}" 6>&"${LIVE[1]}"
read -r -t 20 line <&5
t_is "a line is there before the command goes on" one "$line"
echo A >&6
read -r -t 20 line <&5
t_is "what is typed reaches the command, and its answer us" 'two A' "$line"
echo B >&6
read -r -t 20 line <&5
t_is "standard error likewise" 'three B' "$line"
echo 42 >&6
wait "$live_pid"
t_is "the last input decides its exit code" 42 $?
exec 5<&- 6>&-

# --- input
t_is "input comes from a pipe" hello "$(echo hello | run -- cat)"
echo "from a file" >in
t_is "input comes from a file" 'from a file' "$(run -- cat <in)"
t_is "the end of an empty input is passed on" 0 "$(run -- wc -c </dev/null | tr -d ' ')"
t_is "… of an empty file, too" 0 "$(: >empty && run -- wc -c <empty | tr -d ' ')"
t_is "-n leaves the input alone" rest "$({ run -n -- cat; cat; } <<<rest)"
head -c 5000000 /dev/urandom >in
t_is "5 MB of input arrive whole" "$(md5_of in)" "$(run -- md5sum <in | cut -d' ' -f1)"
# shellcheck disable=SC2002 # a pipe is what is wanted
t_is "… through a pipe as well" "$(md5_of in)" "$(cat in | run -- md5sum | cut -d' ' -f1)"
run -- cat <in >out
t "… and back" cmp in out
t_is "input that nobody wants is no error" '' "$(head -c 5000000 /dev/zero | run -- true 2>&1)"
t_is "a reader that stops ends the input" 5 "$(run -- head -c 5 <in | wc -c)"
mkdir -p tree/empty 'tree/a b' && echo x >'tree/a b/c' && ln -s 'a b/c' tree/link
t "tar goes in" sh -c 'tar c tree | "$0" "$1" exec -- sh -c "mkdir -p /tmp/t && tar x -C /tmp/t"' "$VSRPC" "$DOMAIN"
t_is "… and out again" 'x' "$(run -- tar c -C /tmp/t tree | tar xO 'tree/a b/c')"
run -- rm -rf /tmp/t

# --- output
run -- sh -c 'yes 0123456789 | head -c 30000000' >out
t_is "30 MB of output arrive whole" "$(yes 0123456789 | head -c 30000000 | md5sum)" "$(md5sum <out)"
t_is "both outputs keep their bytes" "$(seq 20000 | md5sum)$(seq 20000 | md5sum)" \
	"$(run -- sh -c 'seq 20000; seq 20000 >&2' 2>err | md5sum)$(md5sum <err)"
t_is "who has read enough ends the command" 0 "$(run -- yes 2>err | head -n 1 | grep -cv '^y$')"
gone() { ! run -- pidof "$1" >/dev/null; }
t "… in the guest as well" t_within 10 gone yes
t_is "… without a word" '' "$(cat err)"
t_is "a slow reader gets everything" "$(seq 300000 | md5sum)" "$(run -- seq 300000 | { sleep 1; cat; } | md5sum)" # it is to be slow
t "--output-limit" run --output-limit 1K -- sh -c 'yes | head -c 100000'
t_is "… cuts there" 1024 "$(wc -c <"$WORK.out" | tr -d ' ')"
t_like "… and says so" 'output is not complete: it was cut at 1024 bytes' "$ERR"
t_status "… the exit code is the command's" 3 run --output-limit 10 -- sh -c 'yes | head -c 100; exit 3'

# --- words
t_is "a word that is not UTF-8" $'\377\376' "$(run -- printf '%s' $'\377\376')"
t_is "… nor is a variable" $'a\377' "$(run --env $'X=a\377' -- sh -c 'printf %s "$X"')"
t_is "an empty word" '<>' "$(run -- printf '<%s>' '')"
long=$(head -c 100000 /dev/zero | tr '\0' y)
t_is "a word of 100 kB, beside one that is not UTF-8" 100001 "$(run -- printf '%s%s' "$long" $'\377' | wc -c)"
t_status "an empty string is no command" 125 run ''

# --- how it ends
for signal in $(seq 1 31); do
	case $signal in 17 | 18 | 19 | 20 | 21 | 22 | 23 | 28) continue ;; esac # these do not end it
	id=$(run --detach -- sleep 7000)
	"$VSRPC" "$DOMAIN" job "$id" signal "$signal"
	t_status "killed by signal $signal" $((128 + signal)) "$VSRPC" "$DOMAIN" job "$id" wait
	"$VSRPC" -q "$DOMAIN" job "$id" remove >/dev/null
done
codes=$(for code in $(seq 0 255); do
	run -n -- sh -c "exit $code"
	[ $? = "$code" ] || echo "$code"
done)
t_is "every exit code comes through" '' "$codes"
t_status "--timeout kills the whole group" 124 run --timeout 1 -- sh -c 'sleep 7001 & sleep 7001'
t_like "… and says so" 'timed out after 1 s' "$ERR"
t_is "… nothing of it is left" '' "$(run -- sh -c 'grep -l "^sleep.7001" /proc/[0-9]*/cmdline 2>/dev/null')"
t "who leaves a child on its pipes" "$VSRPC" -v "$DOMAIN" exec -- sh -c 'sleep 7002 & echo done'
t_is "… does not wait for it" 'done' "$OUT"
t_like "… and it is told of with -v" 'goes on and has its outputs still' "$ERR"
run -- sh -c 'kill $(pidof sleep)'
t "--json" "$VSRPC" --json "$DOMAIN" exec -- sh -c 'echo out; echo err >&2; sleep 0.2'
t_json "… has everything" "d['code'] == 0 and d['data']['exit_code'] == 0 and d['data']['stdout'] == 'out\n' and d['data']['stderr'] == 'err\n'
	and d['data']['duration_ms'] >= 200 and d['data']['output'] == 8 and not d['data']['truncated'] and not d['data']['orphans'] and not d['data']['timed_out']" "$OUT"
t_status "--json of a killed one" 137 "$VSRPC" --json "$DOMAIN" exec -- sh -c 'kill -9 $$'
t_json "… names the signal" "d['data']['signal'] == 'SIGKILL' and d['data']['exit_code'] == 137" "$OUT"
t_status "--json of a timeout" 124 "$VSRPC" --json "$DOMAIN" exec --timeout 0.5 -- sleep 60
t_json "… is its code" "d['code'] == 1002 and d['data']['timed_out']" "$OUT"

# --- who it is
t_is "the environment is that of a login" '/root root root /bin/sh C.UTF-8' "$(run -- sh -c 'echo $HOME $USER $LOGNAME $SHELL $LANG')"
t_is "--user" '1000:1000 /home/user user /home/user' "$(run --user user -- sh -c 'echo $(id -u):$(id -g) $HOME $USER $(pwd)')"
t_is "--user with a group" '1000:1' "$(run --user user:daemon -- sh -c 'echo $(id -u):$(id -g)')"
t_is "… has that user's groups" 1000 "$(run --user user -- id -G)"
t_status "an unknown user" 125 run --user nobody-there -- true
t_like "… is named" "nobody-there" "$ERR"
t_is "--umask" 0077 "$(run --umask 077 -- sh -c umask)"
t_is "its descriptors are three" '0 1 2' "$(run -- sh -c 'cd /proc/self/fd && for f in *; do [ -e /proc/$$/fd/$f ] && echo $f; done' | xargs)"
t_is "no signal is blocked or ignored" '0000000000000000 0000000000000000' "$(run -- sed -n 's/^Sig\(Blk\|Ign\):.//p' /proc/self/status | xargs)"
t_is "--shell" 'a b' "$(run --shell 'x="a b"; echo $x | cat')"
t_is "… joins its operands" 6 "$(run --shell -- echo '$((1 + 2' '+ 3))')"
t_status "… and exits as it does" 5 run --shell 'exit 5'

# --- signals of ours
start() { # ARG…: in the background, as $victim
	rm -f out # what the last one said
	env --default-signal=INT,QUIT,HUP "$VSRPC" "$DOMAIN" exec "$@" >out 2>err </dev/null &
	victim=$!
}
has() { grep -qs "$1" out; }
for signal in INT TERM HUP QUIT; do
	start -- sh -c "trap 'echo caught; exit 7' $signal; echo ready; while :; do sleep 0.1; done"
	t "$signal: the command is ready" t_within 10 has ready
	t_kill "-$signal" "$victim"
	wait "$victim"
	t_is "$signal is passed on, and the command decides" 7 $?
	t_is "… with its output" $'ready\ncaught' "$(cat out)"
	t_is "… and no word of ours" 0 "$(grep -c vsrpc-virsh err)"
done
start -- sh -c 'trap "" INT; echo ready; sleep 7003; sleep 7003'
t "who ignores INT is ready" t_within 10 has ready
heard() { ! grep -qE '^S(ig|hd)Pnd:.*[2367abef]$' "/proc/$victim/status"; } # INT is bit 1
for n in 1 2 3; do
	t_kill -INT "$victim"
	t_within 10 heard
	sleep 0.3 # within 0.1 s it is the same one
done
wait "$victim"
t_is "the third INT kills it" 137 $?
t_like "… the second said so" 'once more kills it' "$(cat err)"

# --- without us
lives() { run -- sh -c 'grep -q "^sleep.$0" /proc/[0-9]*/cmdline' "$1"; }
dead() { ! lives "$1"; }
start -- sh -c 'setsid sleep 7006 & sleep 7006 & yes; sleep 7006'
t "a command prints without end" t_within 10 has y
t_kill -KILL "$victim"
wait "$victim" 2>/dev/null
t "killed in the middle: the next command is answered" run -- echo next
t_is "… with its own output" next "$OUT"
gone() { ! run -- pidof "$1" >/dev/null; }
t "… and what ran ends" t_within 15 gone yes
run -- sh -c 'kill $(pidof sleep)' # one had a session of its own; a control group would have had it
t "a dead client's command is no job any more" t_within 15 sh -c '! "$0" "$1" jobs | grep -q "sleep 7006"' "$VSRPC" "$DOMAIN"

# Behind so many bytes the connection breaks, each time; both roads lead to this one.
"${PYTHON:-python3}" "$(dirname "$0")/../../peer/cut.py" "$WORK/cut" "$SOCKET" cut.counts 700000 4000000 &
cut=$!
t "a channel that breaks is there" t_within 60 test -S "$WORK/cut"
head -c 9000000 /dev/urandom >in
status=0
"$VSRPC_BUILD/vsrpc-virsh" --socket "$WORK/cut" exec -- sh -c 'cat; echo once >&2; exit 9' <in >out 2>err || status=$?
t_is "over a channel that breaks: exit code and standard error" "9 once" "$status $(cat err)"
t "… and each byte" cmp in out
t "… over several connections" [ "$(grep -c cut cut.counts)" -ge 4 ]
t_kill "$cut"

# --- in the background
id=$(run --detach -- sh -c 'echo begun; read x; sleep 0.5; echo ended; exit 9')
t_like "--detach prints an id" '^[0-9a-f]{8}$' "$id"
t "jobs lists it" "$VSRPC" "$DOMAIN" jobs
t_like "… by its id and command" "$id +(running|exit 9) .* yes +sh -c" "$OUT"
t_is "job ID output --follow" $'begun\nended' "$("$VSRPC" "$DOMAIN" job "$id" output --follow)"
t_status "job ID wait has its exit code" 9 "$VSRPC" "$DOMAIN" job "$id" wait
t_is "its output can be read again" $'begun\nended' "$("$VSRPC" "$DOMAIN" job "$id" output)"
t "job ID" "$VSRPC" "$DOMAIN" job "$id"
t_json "… is its status" "d['data']['id'] == '$id' and d['data']['state'] == 'ended' and d['data']['exit_code'] == 9" "$OUT"
t "job ID remove" "$VSRPC" "$DOMAIN" job "$id" remove
t_status "… it is forgotten" 1 "$VSRPC" "$DOMAIN" job "$id"
t_like "… which is said" 'Job not found' "$ERR"
id=$(run --detach -- sleep 7004)
t "job ID signal" "$VSRPC" "$DOMAIN" job "$id" signal TERM
t_status "… ends it" 143 "$VSRPC" "$DOMAIN" job "$id" wait
t_status "… once" 1 "$VSRPC" "$DOMAIN" job "$id" signal SIGTERM
id=$(run --detach -- sh -c 'seq 400000')
t_is "output is held back, not lost" "$(seq 400000 | md5sum)" "$("$VSRPC" "$DOMAIN" job "$id" output --follow | md5sum)"
t "a job can be removed while it runs" "$VSRPC" "$DOMAIN" job "$(run --detach -- sleep 7005)" remove
no_7005() { ! run -- sh -c 'grep -q "^sleep.7005" /proc/[0-9]*/cmdline'; }
t "… and ends" t_within 10 no_7005
t_status "a start that fails has no job" 127 run --detach -- no-such-program
t_status "no id, no job" 2 "$VSRPC" "$DOMAIN" job '../ping'

done_testing
