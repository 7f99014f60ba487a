#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# doctor on a real guest: all is well, and what it says when a layer is not.
# shellcheck source=../lib.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../lib.sh"

doctor() { "$VSRPC" "$@" "$DOMAIN" doctor; }
state_of() { awk -v check="$1" '!/^ / && $2 == check { print $1 }' <<<"$OUT"; }
libvirt() { virsh -q -c "$URI" "$@"; }
second() { "$VSRPC" --channel test.vserial.0 "$DOMAIN" exec -- "$@"; }

# An emulated guest on a busy machine loses seconds, which doctor rightly tells.
set_clock() { second date -s "@$(date +%s)"; }
t "the guest's clock is set" set_clock
t "all is well" doctor
for check in libvirt domain state channel port socket client sync version clock auth abilities kernel policy limits; do
	t_is "… $check" ok "$(state_of $check)"
done
t_like "… the other channel is named" 'also there: test\.vserial\.0' "$OUT"
t "the second channel" doctor --channel test.vserial.0
t "--socket" "$VSRPC" --socket "$(live_socket)" doctor
set_clock >/dev/null
t "--json" "$VSRPC" --json "$DOMAIN" doctor
t_json "… all ok" "{r['state'] for r in d} <= {'ok', 'skipped'} and len(d) == 15" "$OUT"
t "the agent answers as before" "$VSRPC" "$DOMAIN" ping

# --- an agent that does not go on
agents() { second sh -c "for p in \$(pidof vsrpc-agent); do
	if tr '\\0' ' ' </proc/\$p/cmdline | grep -q $PORT; then echo \$p; fi; done"; }
pid=$(agents)
t_like "the agent has a pid" '^[0-9]+$' "$pid"
second kill -STOP "$pid"
t_status "the agent is stopped" 1 doctor
t_is "… the port is open" ok "$(state_of port)"
t_like "… but it does not answer" 'FAIL +sync .*: the agent hangs, or the guest does +in the guest: systemctl restart virtio-rpc' "${OUT//$'\n'/ }"
t_is "… which is not another client's doing" 0 "$(grep -c 'another client' <<<"$OUT")"
t_status "ping knows it, too" 125 "$VSRPC" "$DOMAIN" ping
t_like "… and says the same" ': the agent hangs, or the guest does.*systemctl restart virtio-rpc' "${ERR//$'\n'/ }"
second kill -CONT "$pid"
t "it goes on" t_within 10 "$VSRPC" "$DOMAIN" ping

# --- somebody else is connected
"${PYTHON:-python3}" -c 'import signal, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.send(b"GET /api/v1/ping HTTP/1.1\r\nHost: virtio-rpc\r\n\r\n")
assert b"pong" in s.recv(4096)
open(sys.argv[2], "w").close()
signal.pause()' "$(live_socket)" "$WORK/there" &
client=$!
t "a foreign client connects and stays" t_within 10 [ -e "$WORK/there" ]
t_status "a foreign client" 1 doctor
t_like "… is named" "FAIL +client .*\(pid $client\) is connected" "$OUT"
t_kill "$client"
wait "$client" 2>/dev/null
t "it leaves" t_within 10 "$VSRPC" "$DOMAIN" ping

# --- a domain that sleeps
libvirt suspend "$DOMAIN"
begin=$EPOCHREALTIME
t_status "paused" 1 doctor
t_like "… says so, with virsh resume" "FAIL +state +paused.*virsh .*resume $DOMAIN" "${OUT//$'\n'/ }"
t_soon "… at once" 4000 "$begin"
libvirt resume "$DOMAIN"
t "resumed" t_within 10 doctor
libvirt managedsave "$DOMAIN"
t_status "saved" 1 doctor
t_like "… says so, with virsh start" "FAIL +state +saved and not running.*virsh .*start $DOMAIN" "${OUT//$'\n'/ }"
libvirt start "$DOMAIN"
t "started" t_within 20 doctor

# --- channels
t_status "a channel that is not there" 1 doctor --channel org.example.7
t_like "… with the XML" "FAIL +channel.*name='org.example.7'.*attach-device $DOMAIN /dev/stdin --live --config" "${OUT//$'\n'/ }"
printf "<channel type='unix'><target type='virtio' name='org.example.7'/></channel>\n" >extra.xml
t "a channel that is only in the configuration" libvirt attach-device "$DOMAIN" extra.xml --config
t_status "… fails" 1 doctor --channel org.example.7
t_like "… and has the restart as the other way" "FAIL +channel.*does not have it.* --live +or, with a restart.*virsh .*shutdown.*domstate.*start" "${OUT//$'\n'/ }"
mend=$(grep -m 1 'attach-device' <<<"$OUT")
t "the first one can be pasted ($mend)" bash -c "$mend"
t_status "a port that nobody ever had open" 1 doctor --channel org.example.7
t_is "… of which libvirt says nothing" - "$(state_of port)"
t_like "… fails at the sync, with the unit to start" 'FAIL +sync .*systemctl restart virtio-rpc' "${OUT//$'\n'/ }"
second sh -c 'setsid vsrpc-agent --config /etc/virtio-rpc/guest_config.yaml --device /dev/virtio-ports/org.example.7 </dev/null >/dev/null 2>&1 &'
t "an agent there" t_within 10 doctor --channel org.example.7
second sh -c "for p in \$(pidof vsrpc-agent); do
	if tr '\\0' ' ' </proc/\$p/cmdline | grep -q example; then kill \$p; fi; done"
disconnected() { libvirt dumpxml "$DOMAIN" | grep -q "org.example.7' state='disconnected'"; }
t "… ends" t_within 10 disconnected
t_status "a port that nobody has open any more" 1 doctor --channel org.example.7
t_is "… fails there" FAIL "$(state_of port)"
t_like "… with the unit to start" 'in the guest: systemctl start virtio-rpc' "$OUT"
libvirt dumpxml "$DOMAIN" | awk '/<channel/ { text = "" } { text = text $0 "\n" } /<\/channel>/ { if (text ~ /org.example.7/) printf "%s", text; text = "" }' >live.xml
t "the channel is taken away again" libvirt detach-device "$DOMAIN" live.xml --live
t "… also from the configuration" libvirt detach-device "$DOMAIN" extra.xml --config
t "all is well again" t_within 10 doctor

done_testing
