#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# After everything the scripts of a folder did to it: the agent is idle without a
# wake-up, small, and has kept nothing open.
# shellcheck source=lib.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../lib.sh"

pid=$(agent_pid "$PORT")
t_like "the agent has a pid" '^[0-9]+$' "$pid"

switches() { agent_switches "$pid"; }
settled() { agent_settled "$pid"; }
# A timer of what came before may still end in the first of these times.
idle_for_3s() {
	local before
	before=$(switches)
	sleep 3 # the time over which it must not wake up
	[ "$(switches)" = "$before" ]
}
fds() { agent_fds "$pid"; }
# A command is remembered for a moment after its client has left; what is detached
# may stay.
forgotten() { ! "$VSRPC" "$DOMAIN" jobs | grep -qE '^[0-9a-f]{8} .* no  '; }
t "what others have run is forgotten" t_within 20 forgotten
"$VSRPC" "$DOMAIN" ping >/dev/null
t "nothing is left to do after a ping" t_within 10 settled
t "no wake-up in 3 s with no client" t_within 3 idle_for_3s
before=$(switches)
t "it answers after that" "$VSRPC" "$DOMAIN" ping
t "… for which it did wake up" [ "$(switches)" -gt "$before" ]

"${PYTHON:-python3}" -c 'import signal, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.send(b"GET /api/v1/ping HTTP/1.1\r\nHost: virtio-rpc\r\n\r\n")
assert b"pong" in s.recv(4096)
open(sys.argv[2], "w").close()
signal.pause()' "$SOCKET" "$WORK/there" &
client=$!
t "a client connects, asks once and stays" t_within 10 [ -e "$WORK/there" ]
t "nothing is left to do" t_within 10 settled
t "no wake-up in 3 s with an idle client" t_within 3 idle_for_3s
t_kill "$client"
wait "$client" 2>/dev/null
t "the next client is answered" "$VSRPC" "$DOMAIN" ping

idle=$(fds)
i=0
while [ "$i" -lt 30 ]; do
	"$VSRPC" "$DOMAIN" exec -- sh -c 'echo $RANDOM' >/dev/null
	http POST /api/v1/shell/exec --data 'x' >/dev/null
	"$VSRPC" "$DOMAIN" upload "$0" /tmp/again >/dev/null
	i=$((i + 1))
done
t_is "30 rounds of commands leave no descriptor open" "$idle" "$(fds)"
t "a few descriptors are enough" [ "$idle" -lt 12 ]
t_is "no zombies in the guest" '' "$(second sh -c 'grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null')"
rss=$(second sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
t "the agent needs less than 16 MiB ($rss kB)" [ "${rss:-99999}" -lt 16384 ]
second rm -f /tmp/again

done_testing
