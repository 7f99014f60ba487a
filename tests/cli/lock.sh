#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Two commands and one channel.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

requests() { grep -v /sync "$COUNTS"; }
sent() { [ "$(requests | wc -l)" -ge "${1:-1}" ]; }
starts() { grep -c '/jobs ' "$COUNTS"; }
busy() { # in the background: a command whose start takes until free
	: >"$COUNTS"
	rm -f "$SOCKET.go"
	"$VSRPC" --config quick.yaml --socket "$SOCKET" exec -- true >busy.out 2>busy.err &
	BUSY=$!
	t_within 20 sent
}
free() { : >"$SOCKET.go"; }

start_peer late late
busy
begin=$EPOCHREALTIME
t_status "--wait-lock 0: does not wait" 125 quick --wait-lock 0 --socket "$SOCKET" ping
took=$(since "$begin")
t_like "… and names the holder" "busy: 'vsrpc-virsh .*--socket $SOCKET exec -- true' \(pid $BUSY, user [^ ]*\) has had the channel for [0-9] s" "$ERR"
t_like "… and the option" "vsrpc-virsh --wait-lock 60 … waits longer \(ps -fp $BUSY shows who it is\)" "$ERR"
t "… at all ($took)" soon "$took" 1
t_status "--wait-lock 0.5: for half a second" 125 quick --wait-lock 0.5 --socket "$SOCKET" ping
t_status "--wait-lock x" 2 quick --wait-lock x --socket "$SOCKET" ping
ln -s "$SOCKET" other
t_status "the socket under another name" 125 quick --wait-lock 0 --socket other ping
sed 's/^  connect_timeout.*/&\n  lock_wait: 0/' quick.yaml >impatient.yaml
t_status "connection.lock_wait" 125 "$VSRPC" --config impatient.yaml --socket "$SOCKET" ping
"$VSRPC" --config quick.yaml --socket "$SOCKET" ping >/dev/null &
waiting=$!
t_within 20 at_lock "$waiting"
free
t "the default is long enough for it" wait "$waiting"
t "… and the first has not been disturbed" wait "$BUSY"
t_is "… nor was it sent twice" 1 "$(starts)"

# --- whoever is killed holds nothing
busy
t_kill -KILL "$BUSY"
wait "$BUSY" 2>/dev/null # the shell says Killed
free
t "the lock of one that was killed" virsh_ --wait-lock 0 --timeout 10 --socket "$SOCKET" ping
stop "$PID"

# --- while another one has the connection of QEMU, so to speak
start_peer wait late
busy
"$VSRPC" --config quick.yaml -v --wait-lock 60 --socket "$SOCKET" ping >/dev/null 2>waiting.err &
waiting=$!
told() { grep -q "waiting for 'vsrpc-virsh .*true' (pid $BUSY)" waiting.err; }
t_within 20 at_lock "$waiting"
t "-v tells for whom it waits" t_within 20 told
begin=$EPOCHREALTIME
t_kill -TERM "$waiting"
wait "$waiting" 2>/dev/null
t_is "a signal while waiting ends it" "143" "$?"
took=$(since "$begin")
t "… at once ($took)" soon "$took" 1
free
wait "$BUSY"
stop "$PID"

# --- none can be had
start_peer free good
sed 's|lock_dir: .*|lock_dir: /no/such/folder|' quick.yaml >nodir.yaml
t "no folder for locks: goes on without" "$VSRPC" --config nodir.yaml --socket "$SOCKET" ping
t_like "… and says so" "no lock.*/no/such/folder.*going on without" "$ERR"
t_is "… once" 1 "$(grep -c 'no lock' <<<"$ERR")"
t "… not with --quiet" "$VSRPC" --config nodir.yaml -q --socket "$SOCKET" ping
t_is "… indeed" '' "$ERR"
sed '/lock_dir/d' quick.yaml >usual.yaml
t "nor when no folder is configured" env -u XDG_RUNTIME_DIR "$VSRPC" --config usual.yaml --socket "$SOCKET" ping
t_is "… indeed" '' "$ERR"
stop "$PID"

# --- a transfer lets others in
start_peer parts parts
head -c $((12 << 20)) /dev/zero >big
quick --socket "$SOCKET" upload big /f >upload.out 2>upload.err &
upload=$!
t_within 20 sent
t "a ping between the parts of an upload" quick --wait-lock 20 --socket "$SOCKET" ping
t "… which ends well" wait "$upload"
t_like "… and the ping stood between them" "^PUT( PUT)* GET( PUT)+ POST$" "$(requests | cut -d' ' -f1 | xargs)"
t_is "… which ended once" 1 "$(requests | grep -c POST)"
stop "$PID"

# --- a fleet: the busy one delays itself only
start_peer a good
a=$SOCKET
start_peer b late
{
	domain idle 1 "$(channel org.vsrpc.agent.0 "$a")"
	domain used 2 "$(channel org.vsrpc.agent.0 "$SOCKET")"
} | node node
sut() { quick -c "test://$WORK/node.xml" "$@"; }
if sut list >/dev/null 2>&1; then
	busy
	begin=$EPOCHREALTIME
	t "list with a busy domain" sut list
	took=$(since "$begin")
	t_like "… says so" "used .* busy " "$OUT"
	t_like "… and has the other one" "idle .* connected " "$OUT"
	t "… after a second ($took)" soon "$took" 2.5
	free
	wait "$BUSY"
	busy
	t "list --json" sut --json list
	t_json "… has it" "[(r['state'], r.get('code')) for r in d] == [('connected', None), ('busy', 6013)]" "$OUT"
	free
	wait "$BUSY"
	busy
	t_status "a fleet with a busy domain" 1 sut --wait-lock 0.5 --all ping
	t_like "… fails for that one" "1 succeeded, 1 failed \(used: 125\)" "$ERR"
	free
	t_like "… by its name" "domain 'used': busy: '.*' \(pid $BUSY" "$ERR"
	wait "$BUSY"

	# --- interrupted: all leave, and the summary is there
	: >"$COUNTS"
	rm -f "$SOCKET.go"
	"$PYTHON" -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$VSRPC" --config quick.yaml -c "test://$WORK/node.xml" --parallel 1 'used,idle' exec -- sleep 100 >"$WORK.out" 2>"$WORK.err" &
	pid=$!
	t_within 20 sent
	begin=$EPOCHREALTIME
	t_kill -INT "$pid"
	free
	wait "$pid" 2>/dev/null
	t_is "an interrupted fleet dies of the signal" 130 "$?"
	took=$(since "$begin")
	ERR=$(<"$WORK.err")
	t_like "… those that had not begun say so" "idle: .*interrupted" "$ERR"
	t_like "… and so does the summary" "2 domains: 0 succeeded, 2 failed \(used: 130, idle: 130\)" "$ERR"
	t "… within 5 s ($took)" soon "$took" 5
else
	t_skip "a fleet" "this libvirt has no test driver"
fi
stop "$PID"

done_testing
