#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Ctrl-C and its relatives at any moment: what became of the command is said, the
# channel is usable at once, and nothing half-done is left behind.
# roads: both
# shellcheck source=../disturb.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../disturb.sh"

# A background command of a shell ignores INT and QUIT, one below nohup(1) HUP; a
# user's does not.
start() { # ARG…: in the background, as $victim
	env --default-signal=INT,QUIT,HUP "$VSRPC" "$@" >out 2>err </dev/null &
	victim=$!
}

ended() { # SECONDS: its exit status is in RC, what it said in ERR
	RC=hangs
	if t_within $(($(t_patience "${1}000") / 1000)) gone "$victim"; then
		wait "$victim" 2>/dev/null
		RC=$?
	else
		t_kill -KILL "$victim"
	fi
	ERR=$(cat err)
}

gone() { [ ! -d "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status"; }
runs() { second sh -c 'grep -q "^sleep.$1" /proc/[0-9]*/cmdline' sh "$1"; }
runs_not() { ! runs "$1"; }

# --- a command that runs
seconds=6000
for signal in INT TERM HUP QUIT; do
	seconds=$((seconds + 1))
	start "$DOMAIN" exec --timeout 0 -- sleep "$seconds"
	t "a command is under way" t_within 10 runs "$seconds"
	t_kill "-$signal" "$victim"
	ended 5
	t_is "$signal is passed on, and ends us as it ended the command" $((128 + $(kill -l "$signal"))) "$RC"
	t_is "… without a word" '' "$ERR"
	t "… nothing of it is left" t_within 5 runs_not "$seconds"
	t_next "… and the next command is right at once"
done

# A request that is one piece of work is taken back.
start "$DOMAIN" call POST shell/exec '{"argv": ["sleep", "6010"], "timeout": 0}'
t "a request is under way" t_within 10 runs 6010
t_kill -INT "$victim"
ended 5
t_is "INT ends it, and its status is that of the signal" 130 "$RC"
t_like "… and it says what became of the command" 'the command was ended in the guest \(SIGTERM\) after [0-9.]+ s' "$ERR"
t "… which is true" t_within 5 runs_not 6010
t_next "… and the next command is right at once"

start "$DOMAIN" call POST shell/exec '{"argv": ["sh", "-c", "trap : TERM; while :; do sleep 6011; done"], "timeout": 0}'
t "one that ignores TERM is under way" t_within 10 runs 6011
t_kill -INT "$victim"
sleep 0.3 # a second Ctrl-C by hand; within 0.1 s it would be taken for the first
t_kill -INT "$victim"
ended 1
t_is "a second INT ends us at once" 130 "$RC"
t_next "… and the next command is right at once"
t "… nothing of it is left" t_within 15 runs_not 6011

# A guest that does not answer must not keep us.
start "$DOMAIN" exec --timeout 0 -- sleep 6012
t "a command is under way" t_within 10 runs 6012
t_next "… and so is its talk with the agent" # what was said at its start is over
virsh -q suspend "$DOMAIN" >/dev/null
for n in 1 2 3 4; do
	t_kill -INT "$victim" 2>/dev/null
	sleep 0.2 # as above
done
ended 5
virsh -q resume "$DOMAIN" >/dev/null
t_is "the fourth INT is the end of our patience with a guest that sleeps" 130 "$RC"
t_like "… and it says so" 'the agent ends the command within 5 s' "$ERR"
t_next "… and the next command is right at once"
t "… nothing of it is left" t_within 15 runs_not 6012
virsh -q suspend "$DOMAIN" >/dev/null
start "$DOMAIN" exec --timeout 0 -- sleep 6013
t "it tries" t_within 10 at_lock "$victim"
t_kill -INT "$victim" 2>/dev/null
ended 5
virsh -q resume "$DOMAIN" >/dev/null
t_is "who cannot even begin leaves at the first" 130 "$RC"
t_next "… and the next command is right at once"
t "… nothing of it was begun" runs_not 6013

# --- copies
head -c 100000000 /dev/zero >big
# Wherever it is hit: at connecting, in the middle, at the end.
for ms in 010 030 100 200 300; do
	start "$DOMAIN" upload big /tmp/interrupted
	sleep "0.$ms" # the moment is what the test varies
	t_kill -INT "$victim" 2>/dev/null
	ended 5
	case $RC in
	130) t "an upload that is interrupted after $ms ms leaves no file" second sh -c '! ls -A /tmp | grep interrupted' ;;
	0) t "an upload that was sooner than $ms ms is whole" second sh -c 'test "$(wc -c </tmp/interrupted)" = 100000000' ;;
	*) t_is "an upload interrupted after $ms ms" "130 or 0" "$RC: $ERR" ;;
	esac
	t_next "… and the next command is right at once"
	second rm -f /tmp/interrupted
done
second sh -c 'head -c 100000000 /dev/zero >/tmp/big'
left_over() { find . -type f ! -name big ! -name out ! -name err ! -name 'bg.*'; }
for ms in 030 100 200; do
	start "$DOMAIN" download /tmp/big here
	sleep "0.$ms" # as above
	t_kill -INT "$victim" 2>/dev/null
	ended 5
	case $RC in
	130) t "a download that is interrupted after $ms ms leaves no file" test -z "$(left_over)" ;;
	0) t "a download that was sooner than $ms ms is whole" cmp big here ;;
	*) t_is "a download interrupted after $ms ms" "130 or 0" "$RC: $ERR" ;;
	esac
	t_next "… and the next command is right at once"
	rm -f here
done
second rm -f /tmp/big

# --- while it waits for another one
start "$DOMAIN" call POST shell/exec '{"argv": ["sleep", "6020"], "timeout": 0}'
first=$victim
t "a command has the channel" t_within 10 runs 6020
start --wait-lock 60 "$DOMAIN" ping
t "a second one waits for it" t_within 10 at_lock "$victim"
t_kill -INT "$victim"
ended 1
t_is "who waits for the channel leaves at once" 130 "$RC"
victim=$first
t_kill -INT "$victim"
ended 5
t_next "and the channel is free"
done_testing
