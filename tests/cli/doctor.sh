#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# doctor: each layer fails in turn, with what mends it, and the rest is not
# looked at.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

# state_of CHECK: of the output, "ok", "warn", "FAIL" or "-"
state_of() { awk -v check="$1" '!/^ / && $2 == check { print $1 }' <<<"$OUT"; }
# how many checks its last line names
not_looked_at() { sed -n '$s/^- *not looked at: //p' <<<"$OUT" | tr ',' '\n' | grep -c .; }
by_socket() { quick --socket "$SOCKET" "$@" doctor; }

# --- a socket: all is well
printf 'security: {allowed_commands: ["*"]}\nlogging: {file: none}\nrate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}\n' >open.yaml
t "a real agent" start_agent open
t "--socket: all is well" by_socket
for check in socket client sync version clock auth abilities kernel policy limits; do
	t_is "… $check" ok "$(state_of $check)"
done
t_is "… libvirt's layers are no rows" '' "$(state_of libvirt)$(state_of channel)"
t_like "… the time that the sync took" 'answered in [0-9.]+ ms' "$OUT"
t_like "… any command" 'commands: \*;' "$OUT"
t_like "… and all else" 'services: all; variables: all but the loader' "$OUT"
t_is "… no word about shells" 0 "$(grep -c shell <<<"$OUT")"
t "--json" quick --json --socket "$SOCKET" doctor
t_json "… is an array of checks" "isinstance(d, list) and all(types(r, check=str, state=str, message=str) and 'mend' in r for r in d) and {r['check']: r['state'] for r in d}['sync'] == 'ok'" "$OUT"
stop "$PID"

printf 'logging: {file: none}\n' >strict.yaml
t "an agent with the default policy" start_agent strict
t "policy: the list and the paths" by_socket
if [ "$(id -u)" = 0 ]; then
	t_like "… who looks, and as whom" 'commands: ls, cat, .*; as (vsrpc-look|nobody): ls, cat, head' "$OUT"
fi
t_like "… what binds commands, and what transfers" 'with certain arguments only: systemctl, service, journalctl; transfers: reads below' "$OUT"
t_like "… named" 'commands: ls, cat, .*reads below: /tmp/, .*/etc/; writes below: /tmp/.*, except /etc/; neither below: /etc/shadow' "$OUT"
t_like "… what binds services and variables" 'opasswd; services: as systemctl or service; variables: harmless ones$' "$(grep policy <<<"$OUT")"
t_like "… a hint that there is no shell" 'no shell is among them' "$OUT"
t_like "the kernel, and what it is too old for" "ok +kernel +Linux $(uname -r | sed 's,[.+],.,g')(, which has all|; without)" "$OUT"
t_like "limits" '10 requests a second, 100 a minute, 5 at the same time' "$OUT"
stop "$PID"

printf 'logging: {file: none}\nsecurity: {allowed_commands: [/usr/bin/systemctl], allowed_env: [LESS, "APP_*"]}\nserver: {handlers: [{method: GET, path: /api/v1/backup, command: [/bin/true]}, {method: PUT, path: /api/v1/custom/x, command: [/bin/true]}]}\n' >more.yaml
t "an agent with more" start_agent more
t "policy: what is there besides" by_socket
t_like "… is named" '; services: as systemctl; variables: harmless ones, LESS, APP_\*; handlers: GET /api/v1/backup, PUT /api/v1/custom/x$' "$(grep policy <<<"$OUT")"
stop "$PID"
printf 'logging: {file: none}\nsecurity: {allowed_commands: [ls]}\n' >less.yaml
t "an agent with less" start_agent less
t "policy: no services" by_socket
t_like "… is said" '; services: none;' "$OUT"
stop "$PID"

# --- the socket
SOCKET=$WORK/none.sock
t_status "no socket" 1 by_socket
t_is "… fails" FAIL "$(state_of socket)"
t_is "… and nothing behind it is looked at" 9 "$(not_looked_at)"
"$PYTHON" -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$SOCKET"
t_status "a socket that nobody listens at" 1 by_socket
t_like "… fails" 'FAIL +socket .*nobody listens' "$OUT"
rm -f "$SOCKET"
: >"$SOCKET"
t_status "no socket but a file" 1 by_socket
t_like "… fails" 'FAIL +socket ' "$OUT"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	mkdir -m 0700 closed
	chmod 755 .
	chmod 644 quick.yaml
	while IFS='|' read -r mode hint; do
		chmod "$mode" closed
		t_status "no right to the folder, mode $mode" 1 setpriv --reuid=65534 --regid=65534 --clear-groups "$VSRPC" --config quick.yaml --socket "$WORK/closed/a.sock" doctor
		t_like "… fails" 'FAIL +socket .*permission denied' "$OUT"
		t_like "… with who may" "$hint" "$OUT"
	done <<-END
		0710|run as root or add yourself to group 'root' \\('$WORK/closed' belongs to
		0700|run as root \\('$WORK/closed' belongs to
	END
else
	t_skip "no right to the folder" "not root"
fi

# --- the agent
start_peer mute no_sync
begin=$EPOCHREALTIME
t_status "no sync" 1 by_socket
took=$(since "$begin")
t_is "… fails" FAIL "$(state_of sync)"
if [ "$(state_of client)" = ok ]; then
	t_like "… whose causes are those that are left" 'FAIL +sync .*: the agent does not run or hangs +in the guest: systemctl restart virtio-rpc' "${OUT//$'\n'/ }"
	t_is "… and not a client that is not there" 0 "$(grep -c 'another client' <<<"$OUT")"
else
	t_skip "the causes that are left" "this kernel does not tell"
fi
t_is "… behind a socket that is fine" ok "$(state_of socket)"
t_is "… the rest is not looked at" 7 "$(not_looked_at)"
t "… in little more than the time to connect ($took s)" soon "$took" 4
t_status "ping says so, too" 125 quick --socket "$SOCKET" ping
t_like "… with the mend" 'the agent does not run or hangs.*in the guest: systemctl restart virtio-rpc' "${ERR//$'\n'/ }"
stop "$PID"
start_peer old good
t "another version of the agent" by_socket
t_is "… is a warning" warn "$(state_of version)"
t_like "… with both versions" 'agent has 9\.9, this program [0-9]' "$OUT"
stop "$PID"
start_peer slow clock_behind
t "a clock that is an hour behind" by_socket
t_is "… is a warning" warn "$(state_of clock)"
t_like "… with what is wrong and how to set it" '(3599|3600|3601) s behind.*date -s @[0-9]+' "${OUT//$'\n'/ }"
stop "$PID"
start_peer hung hang
begin=$EPOCHREALTIME
t_status "an agent that answers nothing but the sync" 1 by_socket
took=$(since "$begin")
t_is "… fails where the next answer was wanted" FAIL "$(state_of auth)"
t "… in time ($took s)" soon "$took" 7
stop "$PID"

# --- somebody else has the channel
t "an agent" start_agent open
"$PYTHON" -c 'import signal, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.send(b"GET /api/v1/ping HTTP/1.1\r\nHost: virtio-rpc\r\n\r\n")
assert b"pong" in s.recv(4096)
open("there", "w").close()
signal.pause()' "$SOCKET" &
client=$!
PEERS+=("$client")
t "a foreign client connects" t_within 10 [ -e there ]
t_status "a foreign client" 1 by_socket
if [ "$(state_of client)" = - ]; then
	t_skip "… is the failure" "this kernel does not tell"
else
	t_like "… is the failure" "FAIL +client +'python[^']*' \(pid $client\) is connected.*kill $client" "${OUT//$'\n'/ }"
	t_is "… the rest is not looked at" 8 "$(not_looked_at)"
fi
stop "$client"
t "it leaves" t_within 10 by_socket
"$VSRPC" --config quick.yaml --socket "$SOCKET" exec -- sleep 100 </dev/null 2>/dev/null &
other=$!
PEERS+=("$other")
locked() { grep -qs sleep ./*.lock; }
t "a command of ours" t_within 10 locked
t "… which only waits makes room" by_socket
stop "$other"
"$VSRPC" --config quick.yaml --socket "$SOCKET" --timeout 100 call POST /shell/exec '{"argv": ["sleep", "100"], "timeout": 200}' 2>/dev/null &
other=$!
PEERS+=("$other")
t "one that wants an answer" t_within 10 locked
t_status "… is in the way" 1 by_socket
t_like "… and is named" "FAIL +client .*busy: '.*call POST /shell/exec .*' \(pid $other" "$OUT"
stop "$other"
t "it ends" t_within 10 by_socket
stop "$PID"

# --- signatures
head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >guest.key
tr 0-9a-f a-f0-9 <guest.key >wrong.key
chmod 600 ./*.key
printf 'security: {enable_auth: true, auth_key_file: %s}\nlogging: {file: none}\n' "$WORK/guest.key" >auth.yaml
with_key() { # KEY-FILE: doctor with that key
	printf 'logging: {file: none}\nsecurity: {auth_key_file: %s}\nconnection: {connect_timeout: 2, lock_dir: %s}\n' "$1" "$WORK" >key.yaml
	"$VSRPC" --config key.yaml --socket "$SOCKET" doctor
}
t "an agent that wants signatures" start_agent auth
t_status "no key" 1 by_socket
t_like "… fails and says where it goes" 'FAIL +auth .*no key.*auth_key_file' "${OUT//$'\n'/ }"
t_status "no key file of that name" 1 with_key "$WORK/no.key"
t_like "… fails" 'FAIL +auth .*No such file' "$OUT"
chmod 644 wrong.key
t_status "a key that others can read" 1 with_key "$WORK/wrong.key"
t_like "… fails with chmod" 'FAIL +auth .*mode 0644.*chmod 600' "${OUT//$'\n'/ }"
chmod 600 wrong.key
t_status "the wrong key" 1 with_key "$WORK/wrong.key"
t_like "… fails and says what to compare" 'FAIL +auth .*must be the same' "${OUT//$'\n'/ }"
t "the right key" with_key "$WORK/guest.key"
t_like "… is said to be" 'ok +auth +signed, with the right key' "$OUT"
stop "$PID"
chmod 644 wrong.key
t "an agent that wants none" start_agent open
t "a key that could not be used" with_key "$WORK/wrong.key"
t_is "… is a warning" warn "$(state_of auth)"
agent=$PID agent_socket=$SOCKET

# --- libvirt's layers
"$PYTHON" -c 'import signal, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(8); signal.pause()' "$WORK/stuck.sock" &
PEERS+=($!)
t "a libvirt that accepts and says nothing" t_within 10 [ -S stuck.sock ]
begin=$EPOCHREALTIME
t_status "… fails" 1 quick -c "qemu+unix:///system?socket=$WORK/stuck.sock" web1 doctor
took=$(since "$begin")
t_like "… in words" 'FAIL +libvirt +no answer within 6 s' "$OUT"
t_is "… the rest is not looked at" 14 "$(not_looked_at)"
t "… in time ($took s)" soon "$took" 8
t_status "no libvirt there" 1 quick -c "qemu+unix:///system?socket=$WORK/nobody" web1 doctor
t_is "… fails" FAIL "$(state_of libvirt)"

# shellcheck disable=SC2016 # quotes of XML
channel() { # NAME STATE [PATH]
	printf "<channel type='unix'>%s<target type='virtio' name='%s' state='%s'/></channel>" "${3:+<source mode='bind' path='$3'/>}" "$1" "$2"
}
domain() { # NAME RUNSTATE [XML…]: 1 runs, 3 paused, 5 off, 6 crashed
	printf "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>%s</name><uuid>11111111-2222-3333-4444-%012d</uuid><memory>1024</memory><os><type>hvm</type></os><test:runstate>%s</test:runstate>%s<devices>" "$1" "$((++serial))" "$2" "${EXTRA:-}"
	shift 2
	printf '%s' "$@"
	printf '</devices></domain>\n'
}
serial=0
ours=$(channel org.vsrpc.agent.0 connected "$agent_socket")
ga=$(channel org.qemu.guest_agent.0 connected /no/ga)
{
	echo '<node>'
	domain web1 1 "$ours" "$ga" "$(channel a.b.0 connected /nowhere)"
	domain paused 3 "$ours"
	domain off 5 "$ours"
	domain crashed 6 "$ours"
	EXTRA='<test:hasmanagedsave>1</test:hasmanagedsave>' domain saved 5 "$ours"
	domain "no'ne" 1 "$ga"
	domain two 1 "$(channel a.b.0 connected /nowhere)" "$(channel c.d.0 connected /nowhere)"
	domain nosource 1 "$(channel org.vsrpc.agent.0 connected)"
	domain only 1 "$ga" "$(channel test.vserial.0 connected "$agent_socket")"
	echo '</node>'
} >node.xml
sut() { quick -c "test://$WORK/node.xml" "$@"; }
if sut list >/dev/null 2>&1; then
	t "a domain: all is well" sut web1 doctor
	# the test driver says nothing about the port: see tests/e2e/domains/doctor.sh
	for check in libvirt domain state channel socket client sync version clock auth abilities kernel policy limits; do
		t_is "… $check" ok "$(state_of $check)"
	done
	t_like "… which channel, why, and which not" "org\.vsrpc\.agent\.0 \(our own name\); also there: a\.b\.0; left to their owners: org\.qemu\.guest_agent\.0" "$OUT"
	t_is "… port" - "$(state_of port)"
	t_like "… the URI" "libvirt +test:///" "$OUT"
	t "the only channel that can be meant" sut only doctor
	t_like "… and why" "test\.vserial\.0 \(the only one" "$OUT"
	while IFS='|' read -r name check words rest; do
		t_status "$name: a FAIL" 1 sut "$name" doctor
		t_is "$name: … of $check" FAIL "$(state_of "$check")"
		t_like "$name: … in words" "$words" "$OUT"
		t_is "$name: … and the rest is not looked at" "$rest" "$(not_looked_at)"
	done <<'END'
web2|domain|did you mean 'web1'|13
paused|state|paused.*virsh .*resume paused|12
off|state|not running.*virsh .*start off|12
crashed|state|crashed|12
saved|state|saved and not running.*virsh .*start saved|12
no'ne|channel|virsh .*attach-device 'no'\\''ne' /[^ ]*/channel.xml --live --config|11
two|channel|several channels.*a\.b\.0, c\.d\.0|11
END
	t_status "a channel without a socket" 1 sut --transport socket nosource doctor
	t_like "… fails" 'FAIL +socket .*no socket.*--transport stream' "${OUT//$'\n'/ }"
	t_status "… but for the stream" 1 sut nosource doctor
	t_is "… whose client is known" ok "$(state_of client)"
	t_like "… which the test driver has not" 'ok +socket .*stream: the channel has no socket.*FAIL +sync' "${OUT//$'\n'/ }"
	t_status "--channel that is not there" 1 sut --channel x.y.0 only doctor
	t_like "… has the XML with its name" "echo \"<channel type='unix'><target type='virtio' name='x\.y\.0'/></channel>\" \| virsh -c [^ ]+ attach-device only /dev/stdin --live --config" "$OUT"
	t_status "--channel that is libvirt's" 1 sut --channel org.qemu.guest_agent.0 web1 doctor
	t_is "… has no XML" 0 "$(grep -c '<channel' <<<"$OUT")"
	t_like "… as it is another's" 'FAIL +channel .*belongs to another program' "$OUT"
	t_status "several" 1 sut 'web1,off,web2' doctor
	t_is "… with a name in front" 15 "$(grep -c '^web1: ok \|^web1: -' <<<"$OUT")"
	t_is "… each in one block" 3 "$(cut -d: -f1 <<<"$OUT" | uniq | wc -l)"
	t_like "… and a summary" '3 domains: 1 succeeded, 2 failed' "$ERR"
	t_status "--all takes those without a channel, too" 1 sut --all doctor
	t_like "… as they are what is looked for" "no'ne: FAIL" "$OUT"
	t_status "several with --json" 1 sut --json 'web1,off' doctor
	t_json "… a line for each, with its domain" "sorted(d) == ['checks', 'domain', 'exit_status'] and len(d['checks']) == 15" "$(head -n 1 <<<"$OUT")"
else
	t_skip "libvirt's layers" "this libvirt has no test driver"
fi
stop "$agent"

done_testing
