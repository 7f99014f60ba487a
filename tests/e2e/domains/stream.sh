#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The channel through libvirt instead of its socket, and which of them is taken.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

sut() { "$VSRPC" --transport stream "$DOMAIN" "$@"; }
quick() { "$VSRPC" --transport "$1" --timeout 1 "$DOMAIN" ping; }
pumps() { pgrep -cf "^$VSRPC --transport stream( .*)? $DOMAIN " || :; }

# --- the same as over the socket
t "ping" sut ping
t_json "… pong" "d['message'] == 'pong'" "$OUT"
t "-v" "$VSRPC" -v --transport stream "$DOMAIN" ping
t_like "… says which road, and why" "channel '$PORT' through libvirt: asked for" "$ERR"
t "info" sut info
t "exec" sut exec -- sh -c 'echo out; echo err >&2'
t_is "… its output" out "$OUT"
t_is "… its errors" err "$ERR"
for code in 0 1 77 255; do
	t_status "exec exits with $code" "$code" sut exec -- sh -c "exit $code"
done
t_status "exec of what is not there" 127 sut exec -- /no/such/program
t_status "a signal's exit status" 143 sut exec -- sh -c 'kill -TERM $$'
head -c 8388608 /dev/urandom >local
t "upload of 8 MiB" sut upload local /tmp/stream
t "download of 8 MiB" sut download /tmp/stream back
t_is "… with the same bytes" "$(md5_of local)" "$(md5_of back)"
t "much output" sut exec -- head -c 1500000 /dev/zero
t "the other channel" "$VSRPC" --transport stream --channel test.vserial.0 "$DOMAIN" ping
t "several domains" "$VSRPC" --transport stream "$DOMAIN,$DOMAIN" ping
t_like "… prefixed as ever" "^$DOMAIN" "$OUT"
t "list" "$VSRPC" --transport stream list
t_like "… shows the agent" "$DOMAIN +[0-9]+ +$PORT +connected" "$OUT"
t "the socket right behind the stream" "$VSRPC" --transport socket "$DOMAIN" ping
t "the stream right behind the socket" sut ping
echo 'connection: {transport: stream}' >stream.yaml
t "connection.transport" "$VSRPC" --config stream.yaml -v "$DOMAIN" ping
t_like "… is taken" "through libvirt: asked for" "$ERR"
t "--transport wins over it" "$VSRPC" --config stream.yaml --transport socket -v "$DOMAIN" ping
t_like "… indeed" "socket '/" "$ERR"

# --- mistakes
t_status "a wrong word" 2 "$VSRPC" --transport pigeon "$DOMAIN" ping
t_like "… is told" "'pigeon': not auto, socket or stream" "$ERR"
echo 'connection: {transport: pigeon}' >pigeon.yaml
t_status "a wrong word in the configuration" 125 "$VSRPC" --config pigeon.yaml "$DOMAIN" ping
t_like "… is told with its key" "connection.transport: .*'pigeon'" "$ERR"
t_status "--socket has no stream" 2 "$VSRPC" --transport stream --socket "$SOCKET" ping
t_status "a channel that is not there" 125 "$VSRPC" --transport stream --channel no.such.0 "$DOMAIN" ping
t_like "… is named" "no channel 'no.such.0'" "$ERR"
t_status "a domain that is not there" 125 "$VSRPC" --transport stream no-such-domain ping

# --- killed at any moment, and the next one at once
victims_of() { # COMMAND…: of 20 rounds, those whose following command went wrong
	local wrong=0 i victim
	for ((i = 0; i < 20; i++)); do
		"$VSRPC" --transport stream "$DOMAIN" "$@" >/dev/null 2>&1 &
		victim=$!
		sleep "0.0$((RANDOM % 10))$((RANDOM % 10))" # the random moment
		{ t_kill -KILL "$victim" && wait "$victim"; } 2>/dev/null
		[ "$(timeout 100 "$VSRPC" --transport stream --timeout 50 "$DOMAIN" exec -- echo "round $i" 2>>wrong.err)" = "round $i" ] ||
			wrong=$((wrong + 1))
	done
	echo "$wrong"
}
t_is "20 times kill -9 in a command, a right one at once behind it" 0 "$(victims_of exec -- sleep 3)"
t_is "20 times kill -9 in an upload" 0 "$(victims_of upload local /tmp/stream2)"
t_is "20 times kill -9 in a download" 0 "$(victims_of download /tmp/stream back2)"
[ ! -s wrong.err ] || t_diag "$(cat wrong.err)"
no_pumps() { [ "$(pumps)" = 0 ]; }
t "no process is left behind" t_within 5 no_pumps

# --- busy
# Clients of another machine, or virsh console, know nothing of our lock.
mkdir locks
echo "connection: {lock_dir: $WORK/locks}" >elsewhere.yaml
"$VSRPC" --config elsewhere.yaml --transport stream "$DOMAIN" exec --timeout 60 -- sleep 50 &
holder=$!
is_busy() { quick "$1" 2>&1 | grep -q "busy: $2"; }
t "a stream has the channel" t_within 10 is_busy stream another
t_status "a second stream is busy" 125 quick stream
t_like "… and says so" "busy: another client has it open through libvirt" "$ERR"
t_status "the socket is busy, too" 125 quick socket
t_like "… and names libvirt's daemon" "busy: '(libvirtd|virtqemud)' \(pid [0-9]+\) is connected" "$ERR"
{ t_kill -KILL "$holder" && wait "$holder"; } 2>/dev/null
t "free again at once" sut ping
mkfifo hold
exec 7<>hold
socat - "UNIX-CONNECT:$SOCKET" <&7 >/dev/null &
holder=$!
t "a foreign client is named" t_within 10 is_busy socket "'socat' (pid $holder)"
t_status "… also over the stream" 125 quick stream
t_like "… with its program" "busy: 'socat' \(pid $holder\)" "$ERR"
t "… and in list" "$VSRPC" list
t_like "… with pid" "$DOMAIN .*busy \(socat, pid $holder\)" "$OUT"
t_kill "$holder"
wait "$holder" 2>/dev/null
exec 7>&-
t "… until it leaves" t_within 5 quick stream
t "and the socket works" "$VSRPC" "$DOMAIN" ping

# --- a client that leaves while libvirt opens the channel: libvirtd keeps the
# channel for ever when it really goes in that moment
waiting=()
exec 7<>hold
for _ in 1 2 3 4 5; do
	socat - "UNIX-CONNECT:$SOCKET" <&7 >/dev/null 2>&1 &
	waiting+=($!)
done
t "a full queue" t_within 10 is_busy socket "'socat'"
t_status "the stream does not wait longer than it may" 125 quick stream
t_like "… and says who has the channel" "busy: 'socat'" "$ERR"
t_kill "${waiting[@]}" 2>/dev/null
wait "${waiting[@]}" 2>/dev/null
exec 7>&-
t "… and the channel is free when they have left" t_within 15 quick stream
t "… for the socket, too" quick socket

# --- auto
t "auto takes the socket" "$VSRPC" -v "$DOMAIN" ping
t_like "… and says so" "socket '$SOCKET'" "$ERR"
# Another user, who cannot enter the socket's folder. libvirt lets nobody in
# without polkit; a bridge of root's does.
open=$(mktemp -d) # where everybody may go, which $WORK is not
bridge=$open/bridge
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/ "$@"; }
if [ "$(id -u)" = 0 ] && [ "$URI" = qemu:///system ] && command -v setpriv >/dev/null; then
	chmod 755 "$open"
	cp "$VSRPC" "$open/vsrpc-virsh"
	socat "UNIX-LISTEN:$bridge,mode=777,fork" UNIX-CONNECT:/run/libvirt/libvirt-sock &
	bridging=$!
	t "a bridge to libvirt" t_within 60 test -S "$bridge"
	by_bridge() { as_nobody "$open/vsrpc-virsh" -v -c "qemu:///system?socket=$bridge" "$@"; }
	t "who may not enter the socket's folder gets the stream" by_bridge "$DOMAIN" ping
	t_like "… and is told why" "through libvirt: socket '.*': permission denied" "$ERR"
	t_status "--transport socket does not" 125 by_bridge --transport socket "$DOMAIN" ping
	t_like "… and says whose the socket is" "permission denied.*belongs to" "${ERR//$'\n'/ }"
	t_kill "$bridging"
	wait "$bridging" 2>/dev/null
	if ! as_nobody virsh -c "$URI" list >/dev/null 2>&1; then
		t_status "who may not use libvirt either is refused" 125 as_nobody "$open/vsrpc-virsh" "$DOMAIN" ping
		t_like "… by libvirt's own words" "libvirt: .*: " "$ERR"
	fi
else
	t_skip "a socket that may not be entered" "not root"
fi
rm -rf "$open"
cat >tunnel <<-EOF
	#!/bin/sh
	exec socat - UNIX-CONNECT:/run/libvirt/libvirt-sock
EOF
chmod +x tunnel
if [ -S /run/libvirt/libvirt-sock ] && [ "$URI" = qemu:///system ]; then
	remote="qemu+ext:///system?command=$WORK/tunnel"
	t "a remote URI" "$VSRPC" -v -c "$remote" "$DOMAIN" ping
	t_like "… takes the stream" "through libvirt: libvirt is on another machine" "$ERR"
	t "… with a list" "$VSRPC" -c "$remote" list
	t_like "… that shows the agent" "$DOMAIN .*connected" "$OUT"
	t "… and files" "$VSRPC" -c "$remote" "$DOMAIN" download /tmp/stream back3
	t_is "… whole" "$(md5_of local)" "$(md5_of back3)"
	cut_tunnels() { pkill -x socat -P "$(pgrep -d, -f "^$VSRPC ")"; }
	over_it() { # COMMAND…: in the guest, by now
		"$VSRPC" --config elsewhere.yaml -c "$remote" "$DOMAIN" exec -- "$@" >lost.out 2>&1 &
		victim=$!
		t "a command over it" t_within 10 is_busy stream another
	}
	over_it sh -c 'sleep 3; echo done'
	cut_tunnels
	t "… is found again when the connection to libvirt is lost" wait "$victim"
	t_is "… with its answer" 'done' "$(cat lost.out)"
	over_it sleep 50
	mv tunnel no-tunnel
	cut_tunnels
	begin=$EPOCHREALTIME
	t_status "… has no known outcome when there is no way back" 123 wait "$victim"
	t_soon "… at once" 20000 "$begin"
	t_like "… and says so" "outcome unknown" "$(cat lost.out)"
		mv no-tunnel tunnel
	t "… and the channel is free" t_within 10 quick stream
	t_status "… unless the socket is asked for" 125 "$VSRPC" -c "$remote" --transport socket --timeout 1 no-such-domain ping
else
	t_skip "a remote URI" "no libvirt-sock"
fi

# --- what hangs has its deadline
t_finally eval 'virsh -q -c "$URI" resume "$DOMAIN" 2>/dev/null'
virsh -q -c "$URI" suspend "$DOMAIN"
begin=$EPOCHREALTIME
t_status "an upload into a paused guest ends" 125 "$VSRPC" --transport stream --timeout 2 "$DOMAIN" upload local /tmp/stream3
t_soon "… in time" 10000 "$begin"
virsh -q -c "$URI" resume "$DOMAIN"
t "… and all is well afterwards" t_within 10 quick stream
t "no process is left behind here either" t_within 10 no_pumps

done_testing
