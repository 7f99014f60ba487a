#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What goes wrong is said with the layer it went wrong in and the next step.
# shellcheck source=../lib.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../lib.sh"

off=$DOMAIN-off bare=$DOMAIN-bare
define() { # NAME
	sed -e "s|<name>.*</name>|<name>$1</name>|" -e "s|$DOMAIN\.console|$1.console|" -e '/<uuid>/d' "$VSRPC_VM_DIR/$DOMAIN.xml" >"$WORK/$1.xml"
	[ "$1" = "$off" ] || sed -i "/<channel/,/<\/channel>/d" "$WORK/$1.xml"
	virsh -q -c "$URI" define "$WORK/$1.xml" >/dev/null
}
cleanup() {
	virsh -q -c "$URI" resume "$DOMAIN" >/dev/null 2>&1
	virsh -q -c "$URI" destroy "$bare" >/dev/null 2>&1
	virsh -q -c "$URI" undefine "$off" >/dev/null 2>&1
	virsh -q -c "$URI" undefine "$bare" >/dev/null 2>&1
	rm -f "$VSRPC_VM_DIR/$bare.console"
}
t_finally cleanup

# says CODE STATE DOMAIN OPTION…: --json has the layer's code, and list its state.
says() {
	local code=$1 state=$2 name=$3 out
	shift 3
	out=$("$VSRPC" --json "$@" "$name" ping 2>/dev/null)
	t_json "… $state: has its code" "d['code'] == $code and d['data']['error_type'] != 'CONNECTION_LOST' and d['data']['hint']" "$out"
	out=$("$VSRPC" --json "$@" list "$name" 2>/dev/null)
	t_json "… $state: is listed so" "len(d) == 1 and d[0]['state'].startswith('$state') and d[0]['code'] == $code" "$out"
}

t_status "no such domain" 125 "$VSRPC" "${DOMAIN}x" ping
t_like "… says so" "no domain '${DOMAIN}x'" "$ERR"
t_like "… and which it could have been" "did you mean '$DOMAIN'" "$ERR"
t_is "nothing is on standard output" '' "$OUT"
says 6004 'no such domain' "${DOMAIN}x"

t "a domain that is off can be defined" define "$off"
t_status "a domain that is off" 125 "$VSRPC" "$off" ping
t_like "… is said to be not running" "domain '$off': not running" "$ERR"
t_like "… with the command that starts it" "virsh start $off" "$ERR"
says 6005 'not running' "$off"

t "a domain without channels can be defined" define "$bare"
virsh -q -c "$URI" start "$bare" >/dev/null
t_status "a domain without a channel" 125 "$VSRPC" "$bare" ping
t_like "… says so" "has no channel" "$ERR"
t_like "… with the command that adds one" "try: virsh attach-device $bare .*channel.xml --live --config" "$ERR"
says 6007 'no channel' "$bare"
t "the channel.xml that is shipped can be attached" virsh -q -c "$URI" attach-device "$bare" "$VSRPC_BUILD/../data/channel.xml" --config
t_like "… and is the agent's" "name='org.vsrpc.agent.0'" "$(virsh -c "$URI" dumpxml --inactive "$bare")"

t_status "a channel that is not there" 125 "$VSRPC" --channel no.such.0 "$DOMAIN" ping
t_like "… lists those that are" "org.vsrpc.agent.0, test.vserial.0" "$ERR"
t_status "libvirt's own channel is refused" 125 "$VSRPC" --channel org.qemu.guest_agent.0 "$DOMAIN" ping
t_like "… for it belongs to another program" "belongs to another program" "$ERR"
t_status "a libvirt that is not there" 125 "$VSRPC" -c 'qemu+unix:///system?socket=/no/such' "$DOMAIN" ping
t_like "… names the layer" "libvirt: cannot connect" "$ERR"

t_status "a socket that does not exist" 125 "$VSRPC" --socket /no/such/socket ping
t_like "… says so" "socket '/no/such/socket' does not exist" "$ERR"
t_status "a file that is no socket" 125 "$VSRPC" --socket "$WORK/$off.xml" ping
if [ "$(id -u)" = 0 ]; then
	# a copy, for a checkout below /root is out of nobody's reach
	open=$(mktemp -d /tmp/vsrpc-open.XXXXXX)
	chmod 755 "$open"
	cp "$VSRPC" "$open/vsrpc-virsh"
	t_status "a socket without permission" 125 setpriv --reuid 65534 --regid 65534 --clear-groups \
		env HOME=/ "$open/vsrpc-virsh" --socket "$SOCKET" ping
	rm -rf "$open"
	t_like "… says so" "permission denied" "$ERR"
	t_like "… and whose the door is" "belongs to [a-z-]+:[a-z-]+, mode [0-7]{4}" "$ERR"
else
	t_skip "a socket without permission" "only root can become nobody"
fi

# The agent of the second port is stopped, so that nobody serves it: init of the
# small guest starts it again, unless it is only stopped.
in_guest() { "$VSRPC" "$DOMAIN" exec -- "$@"; }
second=$(in_guest sh -c 'for p in $(pidof vsrpc-agent); do
	if tr "\0" " " </proc/$p/cmdline | grep -q test.vserial.0; then echo $p; fi; done')
t_like "the second agent has a pid" '^[0-9]+$' "$second"
in_guest kill -STOP "$second"
start=$EPOCHREALTIME
t_status "an agent that hangs" 125 "$VSRPC" --channel test.vserial.0 "$DOMAIN" ping
t_soon "… and given up after connect_timeout" 8000 "$start"
t_like "… is no answer, with a hint" "no answer on channel.*try:" "${ERR//$'\n'/ }"
t "… and does not touch the other channel" "$VSRPC" "$DOMAIN" ping
says 6012 'agent silent' "$DOMAIN" --channel test.vserial.0
in_guest kill -CONT "$second"
t "it answers again when it goes on" t_within 10 "$VSRPC" --channel test.vserial.0 "$DOMAIN" ping

# The link of the port away: an agent killed now waits for it, and nobody has
# the port open.
in_guest sh -c 'mv /dev/virtio-ports/test.vserial.0 /dev/virtio-ports/hidden'
in_guest kill -9 "$second"
t "libvirt sees the port closed" t_within 10 sh -c "virsh -c '$URI' dumpxml '$DOMAIN' | grep \"name='test.vserial.0'\" | grep -q disconnected"
t_status "an agent that does not run" 125 "$VSRPC" --channel test.vserial.0 "$DOMAIN" ping
t_like "… is said to be not running in the guest" "the agent does not run in the guest" "$ERR"
t_like "… with the unit to start" "systemctl start virtio-rpc" "$ERR"
says 6011 'agent not running' "$DOMAIN" --channel test.vserial.0
in_guest sh -c 'mv /dev/virtio-ports/hidden /dev/virtio-ports/test.vserial.0'
t "started again, it answers" t_within 15 "$VSRPC" --channel test.vserial.0 "$DOMAIN" ping

t "a guest can be paused" virsh -q -c "$URI" suspend "$DOMAIN"
start=$EPOCHREALTIME
t_status "a paused guest gives no answer" 125 "$VSRPC" "$DOMAIN" ping
t_soon "… within connect_timeout" 8000 "$start"
t_like "… is said to be paused, with the command that resumes it" "paused.*virsh resume $DOMAIN" "${ERR//$'\n'/ }"
says 6006 paused "$DOMAIN"
virsh -q -c "$URI" resume "$DOMAIN"
t "it answers after being resumed" t_within 10 "$VSRPC" "$DOMAIN" ping

done_testing
