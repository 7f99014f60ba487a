#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each kind of bad manners that a client can have, by itself: what it does to the
# agent, and to the clients behind it.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

PYTHON=${PYTHON:-python3}
HERE=$(dirname "$0")
LATE=2000 # no client may wait longer (ms) when the one before has gone
pid=$(agent_pid "$PORT")
t_like "the agent has a pid" '^[0-9]+$' "$pid"

ours() { "$VSRPC" "$DOMAIN" exec -- echo mine; }
direct() { "$VSRPC" --socket "$SOCKET" exec -- echo mine; } # a little sooner
plain() { http GET /api/v1/ping; }
rude() { "$PYTHON" "$HERE/rude.py" "${RUDE_SOCKET:-$SOCKET}" "$WORK/ready" "$@"; }
settled() { agent_settled "$pid"; }

plain >/dev/null
t "nothing is left to do" t_within 10 settled

# --- clients that are killed
# The victim runs in the background until it has come as far as it is to come.
victim() { # MODE
	rm -f "$WORK/ready"
	"$PYTHON" "$HERE/rude.py" "${RUDE_SOCKET:-$SOCKET}" "$WORK/ready" "$1" &
	victim=$!
	t_within 10 [ -e "$WORK/ready" ]
}

kill_victim() {
	t_kill -9 "$victim"
	wait "$victim" 2>/dev/null
}

# Who is in the socket's queue has connected, and QEMU has not accepted it.
queued() { awk -v path="$SOCKET" '$NF == path && $6 == "02" { n++ } END { exit !n }' /proc/net/unix; }

# The follower waits in the queue when the victim dies: nobody can be sooner.
zero_gap() { # COMMAND…
	local rc=0 follower start limit
	"$@" &
	follower=$!
	t_within 5 queued || echo "the follower is not in the queue" >&2
	start=$EPOCHREALTIME
	kill_victim
	wait "$follower" || rc=$?
	limit=$(t_patience "$LATE")
	awk -v a="$start" -v b="$EPOCHREALTIME" -v late="$limit" \
		'BEGIN { ms = 1000 * (b - a); if (ms > late) { print ms " ms after the victim"; exit 1 } }' >&2 || rc=1
	return "$rc"
}

# The agent has seen the victim leave when it has nothing to do any more.
with_gap() { # COMMAND…
	kill_victim
	t_within 10 settled || return
	"$@"
}

# Behind one that was in the middle of sending, a client without handshake must
# leave the agent a gap: its bytes would be taken for the rest. One that was to
# receive has sent all of its request, so the next one's bytes are a new one; but
# what QEMU still holds of a long answer comes in front of the new answer, so
# curl needs the gap there, too. vsrpc-virsh never does: it syncs.
head -c 8000000 /dev/urandom >"$WORK/big"
t "a large file is there" "$VSRPC" -q "$DOMAIN" upload "$WORK/big" /tmp/rude-big
idle=$(agent_fds "$pid")
t_within 10 settled
for mode in half_head half_json half_put sleeping unread noise; do
	for follower in direct ours; do
		victim $mode
		t "$mode, killed: '$follower' right behind it" zero_gap $follower
		t_is "… gets its own answer" mine "$OUT"
	done
	for follower in ours plain; do
		victim $mode
		t "$mode, killed: '$follower' when the agent has seen it" with_gap $follower
		t_like "… gets its own answer" '^mine$|"pong"' "$OUT"
	done
done
victim sleeping
t "a command's client is killed: curl right behind it" zero_gap plain
t_like "… gets its own answer" '"pong"' "$OUT"
# The grace of a command whose client may come back, and TERM before KILL.
gone() { second sh -c '! pidof sleep'; }
t "none of the commands goes on" t_within 12 gone
t "half a request was not carried out" second test ! -e /tmp/rude-ran
t "half a file did not appear" second test ! -e /tmp/rude-put
no_more_fds() { [ "$(agent_fds "$pid")" = "$idle" ]; }
t "no descriptor is left open" t_within 12 no_more_fds

# --- a slow reader
memory() { second sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status"; }
cpu() { second cut -d' ' -f14,15 "/proc/$1/stat"; } # ticks, user's and kernel's
ticks() { cpu "$pid" | awk '{ print $1 + $2 }'; }
kept=$(memory)
victim slow_reader
start=$(ticks)
sleep 3 # it reads three bytes in this time
used=$(($(ticks) - start)) more=$(($(memory) - kept))
t "a reader of a byte a second costs the agent no work ($used ticks in 3 s)" [ "$used" -le 15 ]
t "… and no memory ($more kB)" [ "$more" -le 1024 ]
t "when it is killed, the next one is answered" zero_gap direct
t_is "… as it should be" mine "$OUT"

# --- half-close: QEMU takes it for a hang-up
t "a client that closes its half is answered or let go" rude half_close
t_like "… and nothing else" $'^(answered|ended)\n(answered|ended)$' "$OUT"
t "the next one is answered" ours

# --- clients that race
race() { # N
	local i pids=() rc=0
	for ((i = 0; i < $1; i++)); do
		"$VSRPC" "$DOMAIN" exec -- echo "racer $i" >"$WORK/race.$i" &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		wait "${pids[i]}" || rc=1
		[ "$(cat "$WORK/race.$i")" = "racer $i" ] || rc=1
	done
	return "$rc"
}
for n in 2 3 10; do
	t "$n clients at once are all answered, each with its own" race "$n"
done

# --- a channel that somebody else holds
printf 'connection:\n  connect_timeout: 2\n' >"$WORK/host.yaml"
impatient() { "$VSRPC" --config "$WORK/host.yaml" "$@"; }
waited() { # at least so many ms, at most so many
	local start=$EPOCHREALTIME rc=0 min=$1 max
	max=$(t_patience "$2")
	shift 2
	"$@" || rc=$?
	awk -v a="$start" -v b="$EPOCHREALTIME" -v min="$min" -v max="$max" 'BEGIN {
		ms = 1000 * (b - a); if (ms < min || ms > max) { print ms " ms"; exit 1 } }' >&2 || rc=99
	return "$rc"
}
victim holder
t_status "a client of another kind has the channel" 125 waited 1500 6000 impatient "$DOMAIN" exec -- true
t_like "… it is called busy, and the process is named" "busy.*pid $victim" "$ERR"
t "when it leaves, who waits is answered" zero_gap direct
"$VSRPC" "$DOMAIN" exec -- sleep 10 &
sharing=$!
t "a command runs" t_within 5 second pidof sleep
t "another one is answered meanwhile" waited 0 1000 "$VSRPC" --wait-lock 5 "$DOMAIN" exec -- echo mine
t_is "… as it should be" mine "$OUT"
t "and the first goes on" wait "$sharing"
"$VSRPC" "$DOMAIN" call POST shell/exec '{"argv": ["sleep", "6"]}' >/dev/null &
holder=$!
t "one that does not share has the channel" t_within 5 second pidof sleep
t_status "another gives up when its wait is over" 125 waited 900 4000 \
	"$VSRPC" --wait-lock 1 "$DOMAIN" exec -- true
t_like "… and says who is busy with what" "busy.*call POST shell/exec.*pid $holder" "$ERR"
t "one that waits longer is answered" "$VSRPC" --wait-lock 20 "$DOMAIN" exec -- echo mine
t_is "… as it should be" mine "$OUT"
t "and the first had its answer" wait "$holder"

# --- noise and foreign answers in front of ours, from a scripted port
"$PYTHON" "$HERE/../../peer/agent.py" "$WORK/peer" "$WORK/counts" foreign_first &
peer=$!
t_within 5 [ -S "$WORK/peer" ]
t "somebody else's whole answer in front of ours" "$VSRPC" --socket "$WORK/peer" exec -- echo ran
t_is "… is not taken" ran "$OUT"
t_kill "$peer"
rm -f "$WORK/peer"
"$PYTHON" "$HERE/../../peer/agent.py" "$WORK/peer" "$WORK/counts" noise &
peer=$!
t_within 5 [ -S "$WORK/peer" ]
t "100 KiB of noise in front of ours" "$VSRPC" --socket "$WORK/peer" exec -- echo ran
t_is "… is thrown away" ran "$OUT"
t_kill "$peer"
wait 2>/dev/null

# --- requests that stop arriving; the third port gets an agent with short deadlines
sed 's/^device:/server:\n  request_timeout: 5\n&/; s/virtio-rpc-guest.log/short.log/' \
	"$HERE/../../vm/guest_config.yaml" >"$WORK/short.yaml"
t "a configuration with a deadline of 5 s" "$VSRPC" -q "$DOMAIN" upload "$WORK/short.yaml" /tmp/short.yaml
second sh -c 'setsid vsrpc-agent --config /tmp/short.yaml --device /dev/virtio-ports/test.spare.0 \
	</dev/null >/dev/null 2>&1 &'
RUDE_SOCKET=$(live_socket test.spare.0)
spare() { "$VSRPC" --channel test.spare.0 "$DOMAIN" "$@"; }
t "an agent with it" t_within 10 spare ping
spare_pid=$(agent_pid test.spare.0)
idle=$(agent_fds "$spare_pid")
for mode in stalled_head stalled_json stalled_put; do
	t "$mode comes to an end" rude $mode
	t_is "… with 408 and quarantine" 'HTTP/1.1 408 Request Timeout in time: True' "$OUT"
	t "… and the next client is answered" spare exec -- true
done
t "a request that comes byte by byte is answered" rude bytewise
t_is "… as it should be" pong "$OUT"
spare_fds() { [ "$(agent_fds "$spare_pid")" = "$1" ]; }
victim unread
t "a download that nobody reads is held open" t_within 5 spare_fds $((idle + 1))
t "… until the deadline" t_within 5 spare_fds "$idle"
kill_victim
t "… and the next client is answered" spare exec -- true
second kill "$spare_pid"
RUDE_SOCKET=''

# --- a request that is sent again is not carried out again
append='{"argv": ["sh", "-c", "echo once >>/tmp/rude-once; sleep 1; echo done"]}'
again() { http POST /api/v1/shell/exec -H "X-Request-ID: $id" -D "$WORK/head" --data "$append"; }
lines() { second sh -c 'cat /tmp/rude-once 2>/dev/null' | grep -c .; }
begun() { [ "$(lines)" -ge 1 ]; }
id=rude-$RANDOM-$$
again >"$WORK/lost" 2>&1 &
curl=$!
t "a command with an id has begun" t_within 5 begun
pkill -9 -P "$curl" curl # the shell's child: the function runs in one
wait "$curl" 2>/dev/null
t_within 5 settled
t "its client was killed; it is sent again and answered" again
t_json "… with what it printed" "d['code'] == 0 and d['data']['stdout'] == 'done\\n'" "$OUT"
t_is "… and was carried out once" 1 "$(lines)"
first=$OUT
t "sent a third time it is answered" again
t_like "… from memory" 'X-Replayed: 1' "$(tr -d '\r' <"$WORK/head")"
t_is "… with the same words" "${first%\"timestamp\"*}" "${OUT%\"timestamp\"*}"
t_is "… and was carried out once" 1 "$(lines)"
append='{"argv": ["true"]}'
t "the same id for something else" again
t_json "… is refused" "d['code'] == 2001" "$OUT"

t_is "the agent is the same process" "$pid" "$(agent_pid)"
t "no file of ours is left" second sh -c 'rm -f /tmp/rude-* /tmp/short.*; ! ls -a /tmp | grep -q rude'
done_testing
