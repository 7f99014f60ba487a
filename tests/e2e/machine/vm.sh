#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What happens to the machine around the agent: its port unplugged, paused,
# saved and restored, taken back to an older state, reset, undefined, renamed.
# guest: own
# shellcheck source=../disturb.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../disturb.sh"

virsh_() { virsh -q -c "$URI" "$@"; }
virsh_quietly() { virsh_ "$@" 2>/dev/null; }
state_is() { [ "$(virsh_ domstate "$DOMAIN")" = "$1" ]; }

# flight NAME SECONDS: a command under way in the guest, which says done at its
# end and writes down each time it is begun.
flight() {
	bg "$1" "${NEXT[@]}" exec --timeout 60 -- sh -c "echo x >>/tmp/$1.ran; sleep $2; echo done"
	t "a command is under way" t_within 10 second test -e "/tmp/$1.ran"
}
times() { second sh -c "wc -l </tmp/$1.ran" 2>/dev/null; }

# --- the port unplugged and plugged in again
# libvirt wants it word for word, and back without its state.
channel_xml() {
	virsh_ dumpxml "$DOMAIN" | "$PYTHON" -c 'import sys, xml.etree.ElementTree as tree
for channel in tree.parse(sys.stdin).iter("channel"):
    target = channel.find("target")
    if target.get("name") == sys.argv[1]:
        target.attrib.pop("state", None)
        print(tree.tostring(channel, encoding="unicode"))' "$PORT"
}
# Once in some hundred times the guest's kernel hangs when its port comes back: then
# neither agent answers. That is no business of ours, so all is begun anew.
kernel_lives() {
	t_within 5 "$VSRPC" "$DOMAIN" ping || t_within 20 second true || {
		virsh_ qemu-monitor-command "$DOMAIN" --hmp 'info registers' | grep -E '^(RIP|EIP)' >&3
		echo "Bail out! the guest's kernel hangs" >&3
		exit "$BAIL_OUT"
	}
} 3>&1 >/dev/null 2>&1
unplug() { virsh_ detach-device "$DOMAIN" "$WORK/port.xml" --live; }
plug() { virsh_ attach-device "$DOMAIN" "$WORK/port.xml" --live; }
channel_xml >port.xml
t "the port is unplugged" unplug
t_status "… which is said" 125 "$VSRPC" "$DOMAIN" ping
t_like "… with the ports there are" "try: --channel.*test.vserial.0" "${ERR//$'\n'/ }"
t "it is plugged in again" plug
kernel_lives
t "… and found by the agent" t_within 5 "$VSRPC" "$DOMAIN" ping
t_next "… the next command is right"

flight unplug 3
t "the port is unplugged in the middle of it" unplug
bg_end unplug 20
t_is "… its outcome is unknown" 123 "$RC"
t_like "… which is said" 'outcome unknown|may have run' "$ERR"
t "it is plugged in again" plug
kernel_lives
t "… and found by the agent" t_within 5 "$VSRPC" "$DOMAIN" ping
t_next "… the next command is right"

flight replug 3
t "the port is unplugged in the middle of another" unplug
t "… and plugged in again at once" plug
kernel_lives
bg_end replug 30
t_is "… which is answered" "0 done" "$RC $OUT"
t_next "… the next command is right"
t_is "… it was run once" 1 "$(times replug)"

# --- paused
flight pause 3
t "the guest is paused" virsh_ suspend "$DOMAIN"
start=$(now_ms)
t_status "a new command is not answered" 125 "$VSRPC" --channel test.vserial.0 "$DOMAIN" ping
t_like "… for the guest is paused, and what to type is said" "paused.*virsh resume $DOMAIN" "${ERR//$'\n'/ }"
t_ms "… soon" 0 8000 $(($(now_ms) - start))
sleep $((30 - ($(now_ms) - start) / 1000)) # the time it is paused, longer than any silence that is borne
t_not "the command under way is still waited for" bg_ended pause
t "the guest goes on after 30 s" virsh_ resume "$DOMAIN"
bg_end pause 10
t_is "… the command is answered" "0 done" "$RC $OUT"
t_like "… what it waited for was said" 'paused' "$ERR"
t_next "… the next command is right"
t_is "… it was run once" 1 "$(times pause)"

# A copy whose turns are far apart has no request under way when the guest is
# paused: it waits all the same.
head -c 600000 /dev/urandom >slow
t "a file is there" "$VSRPC" -q "$DOMAIN" upload slow /tmp/slow
t "a folder is there" second mkdir /tmp/slowly
came() { [ "$(wc -c <bg.download.out)" -ge 50000 ] && [ ! -s bg.download.end ]; }
goes() { second sh -c 'ls -A /tmp/slowly | grep -q .'; }
while IFS='|' read -r way begun option from to; do # a part has a name only with --resume
	bg "$way" "$VSRPC" "$DOMAIN" "$way" "$option" --limit-rate 60000 "$from" "$to"
	t "$way: it is under way" t_within 20 "$begun"
	t "… the guest is paused" virsh_ suspend "$DOMAIN"
	sleep 12 # the time it is paused, longer than a silence that is not looked into
	t_not "… it is still waited for" bg_ended "$way"
	t "… the guest goes on" virsh_ resume "$DOMAIN"
	bg_end "$way" 60
	t_is "… and so does the copy" 0 "$RC"
	t_like "… what it waited for was said" 'paused' "$ERR"
done <<'END'
download|came|--no-progress|/tmp/slow|-
upload|goes|--resume|slow|/tmp/slowly/slow
END
t "… whole in one direction" cmp slow bg.download.out
t_is "… and in the other" "$(md5_of slow)" "$(second md5sum /tmp/slowly/slow | cut -d' ' -f1)"
second rm -r /tmp/slow /tmp/slowly

# --- saved, and restored
flight saved 4
t "the guest is saved" virsh_ managedsave "$DOMAIN"
bg_end saved 30
t_is "… the outcome of the command is unknown" 123 "$RC"
t_like "… because the guest does not run" 'not running|saved|shut off' "$ERR"
t_status "a new command is not answered" 125 "$VSRPC" "$DOMAIN" ping
t_like "… for the guest does not run, and what to type is said" "not running.*virsh start $DOMAIN" "${ERR//$'\n'/ }"
t "the guest is restored" virsh_ start "$DOMAIN"
t_next "… the next command is right"
t_is "… the old one was run once" 1 "$(times saved)"

flight quick 4
t "the guest is saved" virsh_ managedsave "$DOMAIN"
t "… and restored at once" virsh_ start "$DOMAIN"
bg_end quick 30
t_like "… the command is answered or its outcome unknown" '^(0 done|123 )$' "$RC $OUT"
t_next "… the next command is right"
t_is "… the old one was run once" 1 "$(times quick)"

# --- taken back to an older state
# What restores the same file twice goes back in time the second time.
(umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >key)
printf 'security: {auth_key_file: %s}\nlogging: {file: none}\n' "$WORK/key" >host.yaml
t "a key for an agent" "$VSRPC" "$DOMAIN" upload --mode 0600 key /tmp/agent.key
agent_on_spare signed 'enable_auth: true\n  auth_key_file: /tmp/agent.key' >agent
signing=("$VSRPC" --config "$WORK/host.yaml" --channel test.spare.0 "$DOMAIN")
t "an agent that wants signatures" t_within 10 "${signing[@]}" ping
field() { "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)["data"][sys.argv[1]])' "$1"; }
raw() { # PORT METHOD TARGET [CURL-OPTION…]
	SOCKET=$(live_socket "$1") http "${@:2}"
}
by_hand() { # STEP…: see there; what is signed can be sent more than once
	"$PYTHON" "$HERE/../../peer/signed.py" --body "$body" "$(live_socket test.spare.0)" key fields "$@"
}
body='{"argv": ["sh", "-c", "echo x >>/tmp/signed.ran"]}'
send_session() { # SESSION
	raw "$PORT" POST /api/v1/shell/exec -H "X-Session: $1" --data-binary '{"argv": ["sh", "-c", "echo x >>/tmp/session.ran"]}'
}

t "the guest's state is saved" virsh_ save "$DOMAIN" "$WORK/state"
t "… and restored" virsh_ restore "$WORK/state"
t_next "… the next command is right"
t "a signed request, twice" by_hand sync sign send send
mapfile -t answers <<<"$OUT"
t_json "… is carried out" "d['code'] == 0" "${answers[0]}"
t_json "… but not again" "d['code'] == 4002" "${answers[1]}"
t_is "… so that it ran once" 1 "$(times signed)"
t "another, of the same time" by_hand sync sign send
t_json "… is carried out" "d['code'] == 0" "$OUT"
session=$(raw "$PORT" GET '/api/v1/sync?id=51' | field session)
t_like "there is a session" '^[0-9a-f]{32}$' "$session"
t "the guest is switched off" virsh_ destroy "$DOMAIN"
t "… and taken back to the older state" virsh_ restore "$WORK/state"
t_next "… the next command is right"
t_is "… it knows nothing of what came after" '' "$(second sh -c 'ls /tmp/signed.ran 2>/dev/null')"
# The agent has the boot id, the clock and the nonces of before; what is left is
# the session, which ended with the connection.
while IFS='|' read -r code words steps; do
	# shellcheck disable=SC2086 # steps are words
	t "the signed request of the time after, $words" by_hand $steps
	t_json "… does not count any more" "d['code'] == $code" "$OUT"
done <<'END'
4003|as it was|send
4002|without its session|send-without
4003|as it was, in a new session|sync send
4002|without its session, in a new one|sync send-without
4002|with another session|sync send-now
4003|in any of the next sessions|sync sync sync sync sync send
END
t "a request of the session after" send_session "$session"
t_json "… neither" "d['code'] == 4003" "$OUT"
t_is "… and nothing of this has run" '' "$(second sh -c 'ls /tmp/signed.ran /tmp/session.ran 2>/dev/null')"
NEXT=("${signing[@]}")
t_next "the next command of who has the key is right"
NEXT=("$VSRPC" "$DOMAIN")
second kill "$(cat agent)"
rm -f state

# --- the guest boots again
# On a busy machine an emulated one needs longer for that than a client waits.
printf 'connection:\n  connect_timeout: 60\n' >boots.yaml
NEXT=("$VSRPC" --config boots.yaml "$DOMAIN")
flight reset 30
t "the guest is reset in the middle of it" virsh_ reset "$DOMAIN"
bg_end reset 90
t_is "… the outcome of the command is unknown" 123 "$RC"
t_like "… because the guest has rebooted" 'rebooted' "$ERR"
t_next "… the next command is right"
t_is "… it was not run again" '' "$(times reset)"
bg reboot "${NEXT[@]}" exec --timeout 60 -- reboot -f
bg_end reboot 90
t_is "a command that reboots the guest has no known outcome" 123 "$RC"
t_like "… because the guest has rebooted" 'rebooted' "$ERR"
t_next "… the next command is right"
t "… and the reboot was not asked for again" [ "$(second sh -c 'cut -d. -f1 /proc/uptime')" -ge 1 ]
NEXT=("$VSRPC" "$DOMAIN")

# --- undefined, gone, and defined by another name
flight undefined 3
virsh_ dumpxml --inactive "$DOMAIN" >domain.xml
t "the domain is undefined" virsh_ undefine "$DOMAIN"
bg_end undefined 10
t_is "… what was under way is answered" "0 done" "$RC $OUT"
t_next "… the next command is right"
flight gone 30
t "the domain vanishes" virsh_ destroy "$DOMAIN"
start=$(now_ms)
bg_end gone 20
t_ms "… which is noticed at once" 0 3500 $(($(now_ms) - start))
t_is "… the outcome of what was under way is unknown" 123 "$RC"
t_like "… because the domain is not there any more" "(domain '$DOMAIN': not running|no domain '$DOMAIN'( at [^ ]+)?); outcome unknown" "$ERR"
t_status "… the next command" 125 "$VSRPC" "$DOMAIN" ping
t_like "… says so" "no domain '$DOMAIN'" "$ERR"
again() { # NAME
	sed "s|<name>.*</name>|<name>$1</name>|" domain.xml >again.xml
	virsh_ define again.xml
}
renamed=$DOMAIN-renamed
t_finally virsh_quietly undefine "$renamed"
t_finally virsh_quietly destroy "$renamed"
t "it is defined by another name" again "$renamed"
t "… and started" virsh_ start "$renamed"
NEXT=("$VSRPC" "$renamed")
t "… and answers" t_within 30 "$VSRPC" "$renamed" ping
t_next "… the next command is right"
virsh_ destroy "$renamed"
virsh_ undefine "$renamed"
again "$DOMAIN" # for the runner, which removes it

done_testing
