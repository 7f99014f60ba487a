#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# libvirt's daemon ends and is started again. It is one of this script's own, in
# namespaces with folders of their own: others use the machine's.
# shellcheck source=../disturb.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../disturb.sh"

namespaces=(unshare --mount --pid --fork --kill-child --mount-proc --propagation private)
if [ -z "${DAEMON_INSIDE:-}" ]; then
	if [ "$URI" != qemu:///system ] || ! "${namespaces[@]}" true 2>/dev/null; then
		t_skip "libvirt's daemon restarted" "a daemon of its own needs root and namespaces"
		done_testing
		exit
	fi
	DAEMON_INSIDE=1 exec "${namespaces[@]}" bash "$0"
fi
for folder in /run /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /etc/libvirt/qemu; do
	[ ! -d "$folder" ] || mount -t tmpfs tmpfs "$folder" || exit
done
mkdir -m 1777 /run/lock # where libvirt notes who has a channel open

# the name of the guest is not the outer one's, for its files
DOMAIN=$DOMAIN-daemon
NEXT=("$VSRPC" "$DOMAIN")
daemon_pid() { cat /run/libvirtd.pid /run/virtqemud.pid 2>/dev/null | head -n 1; }
daemon_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
daemon_answers() { virsh -q -c "$URI" uri; }
end_daemon() {
	local pid
	pid=$(daemon_pid) && kill -TERM "$pid" && t_within 20 daemon_gone "$pid"
}
start_daemon() {
	"$(command -v libvirtd || command -v virtqemud)" -d </dev/null && t_within 20 daemon_answers
}
flight() { # NAME SECONDS [OPTION…]
	local name=$1 seconds=$2
	shift 2
	bg "$name" "$VSRPC" "$@" "$DOMAIN" exec --timeout 40 -- sh -c "echo x >>/tmp/$name.ran; sleep $seconds; echo done"
	t "a command is under way" t_within 10 aside sh -c "test -e /tmp/$name.ran"
}
aside() { "$VSRPC" -q --socket "$ASIDE" exec -- "$@"; }

t "a daemon of its own, and a guest" "$VM_TOOL" small "$DOMAIN" "$PORT" test.vserial.0
ASIDE=$(live_socket test.vserial.0)
t_next "… that answers" 5000

flight without 3
t "the daemon ends" end_daemon
t "… a client that needs no libvirt is served" aside true
start=$(now_ms)
t_status "… another is not" 125 "${NEXT[@]}" ping
t_like "… and told that libvirt cannot be reached" 'libvirt: cannot connect' "$ERR"
t_ms "… soon" 0 8000 $(($(now_ms) - start))
bg_end without 20
t_is "… the command under way is answered without the daemon" "0 done" "$RC $OUT"
t "the daemon is started again" start_daemon
t_next "… the next command is right"
t_is "… what was under way was run once" 1 "$(aside sh -c 'wc -l </tmp/without.ran')"

flight restart 3
t "the daemon ends" end_daemon
t "… and is started again" start_daemon
t_is "… the guest runs on" running "$(virsh -q -c "$URI" domstate "$DOMAIN")"
bg_end restart 20
t_is "… the command under way is answered" "0 done" "$RC $OUT"
t_next "… the next command is right"

NEXT=("$VSRPC" --transport stream "$DOMAIN")
t_next "through libvirt's stream the guest answers"
flight stream 3 --transport stream
t "the daemon ends, and with it the stream" end_daemon
t "… and is started again" start_daemon
bg_end stream 30
t_like "… the command is answered or its outcome unknown" '^(0 done|123 )$' "$RC $OUT"
t_next "… the next command is right, through the stream"
NEXT=("$VSRPC" "$DOMAIN")
t_next "… and through the socket"
t_is "… what was under way was run once" 1 "$(aside sh -c 'wc -l </tmp/stream.ran')"

"$VM_TOOL" destroy "$DOMAIN"
rm -f "$VSRPC_VM_DIR/$DOMAIN".*
done_testing
