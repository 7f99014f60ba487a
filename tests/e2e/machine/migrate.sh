#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Live migration. libvirt does not migrate to the machine where the guest is
# already, so these are two plain QEMU processes, with the kernel and the initrd
# of the guest that libvirt runs.
# shellcheck source=../disturb.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../disturb.sh"

kernel=$VSRPC_VM_DIR/kernel/vmlinuz initrd=$VSRPC_VM_DIR/$DOMAIN.initrd
accel=$("$VM_TOOL" accel)
case $(uname -m) in
x86_64) machine=pc console=ttyS0 ;;
*) machine=virt console=ttyAMA0 ;;
esac
[ "$accel" = kvm ] || accel=tcg
cpu=max
[ "$(uname -m) $accel" != "x86_64 tcg" ] || cpu=max,erms=off,fsrm=off # see vm_xml_cpu
cmdline=$("$PYTHON" -c 'import sys, xml.etree.ElementTree as tree
print(tree.parse(sys.argv[1]).findtext("os/cmdline"))' "$VSRPC_VM_DIR/$DOMAIN.xml")
cmdline="${cmdline%vsrpc.port=*} console=$console vsrpc.port=$PORT,test.vserial.0"

declare -A PIDS=()
qemu() { # NAME [OPTION…]: sockets NAME.port, NAME.second and NAME.qmp
	local name=$1
	shift
	"qemu-system-$(uname -m)" -machine "$machine,accel=$accel" -cpu "$cpu" -m 192 \
		-nodefaults -no-user-config -display none \
		-kernel "$kernel" -initrd "$initrd" -append "$cmdline" \
		-serial "file:$WORK/$name.console" -qmp "unix:$WORK/$name.qmp,server=on,wait=off" \
		-device virtio-serial \
		-chardev "socket,id=port,path=$WORK/$name.port,server=on,wait=off" \
		-device "virtserialport,chardev=port,name=$PORT" \
		-chardev "socket,id=second,path=$WORK/$name.second,server=on,wait=off" \
		-device virtserialport,chardev=second,name=test.vserial.0 \
		"$@" </dev/null 2>"$WORK/$name.stderr" &
	PIDS[$name]=$!
	t_within 20 test -S "$name.qmp" || { t_diag "$(cat "$name.stderr")" && return 1; }
}
end_qemu() { # NAME: as libvirt ends the one a guest has left
	t_kill "${PIDS[$1]}" && wait "${PIDS[$1]}" 2>/dev/null
	unset "PIDS[$1]"
}

at=a
on() { "$VSRPC" --socket "$WORK/$at.port" "$@"; }
second() { "$VSRPC" -q --socket "$WORK/$at.second" exec -- "$@"; }
raw() { # METHOD TARGET [CURL-OPTION…]
	SOCKET=$WORK/$at.port http "$@"
}

# move TO: the guest goes there, and nobody has touched its port since.
move() {
	local from=$at
	t "a second QEMU waits for the guest" qemu "$1" -incoming "unix:$WORK/$1.incoming"
	t "the guest goes there" "$PYTHON" "$(dirname "$0")/qmp.py" "$from.qmp" migrate "unix:$WORK/$1.incoming"
	t_is "… and has left" postmigrate "$OUT"
	at=$1 NEXT=("$VSRPC" --socket "$WORK/$1.port")
	t "… and runs" t_within 10 runs
}
runs() { [ "$("$PYTHON" "$(dirname "$0")/qmp.py" "$at.qmp" status)" = running ]; }

t "a QEMU without libvirt is started" qemu a
NEXT=("$VSRPC" --socket "$WORK/a.port")
t "… and its guest answers" t_within 180 second true
t_next "… at the first port, too" 5000
t "a file to download" second sh -c 'head -c 50331648 /dev/urandom >/tmp/big; md5sum /tmp/big >/tmp/big.md5'

# --- the channel idle
move b
t_next "after a migration with the channel idle the next command is right"
t "… nor was another agent needed" second test -e /tmp/big.md5
end_qemu a
t_next "… it is right without the QEMU it came from"

# --- output blocked: a client that does not read
bg unread "$PYTHON" -c 'import select, socket, sys
s = socket.socket(socket.AF_UNIX)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect(sys.argv[1])
s.send(b"GET /api/v1/file/content?path=/tmp/big HTTP/1.1\r\nHost: virtio-rpc\r\n\r\n")
s.recv(1)
open(sys.argv[2], "w").close()
end = select.poll()
end.register(s, 0)
end.poll()  # until QEMU has gone' "$WORK/b.port" "$WORK/unread"
t "somebody downloads and does not read" t_within 10 [ -e unread ]
move c
t_next "after a migration with output blocked the next command is right"
rm -f big
t "… so is a download" on download /tmp/big big
t_is "… byte for byte" "$(second cut -d' ' -f1 /tmp/big.md5)" "$(md5_of big)"
rm -f big
end_qemu b
bg_end unread 5
t_is "… the one who did not read is told by the end of its socket" 0 "$RC"

# --- commands under way: one of ours, and one of curl, which comes again by its id
bg ours "$VSRPC" --socket "$WORK/c.port" exec --timeout 60 -- sh -c 'echo x >>/tmp/ours.ran; sleep 50; echo done'
t "a command is under way" t_within 10 second test -e /tmp/ours.ran
move d
end_qemu c # its socket goes with it
bg_end ours 30
t_is "what was under way where the guest is no more has no known outcome" 123 "$RC"
t_like "… which is said" 'outcome unknown' "$ERR"
t_next "after a migration with a command under way the next one is right"

id=$RANDOM-$RANDOM-moved
body='{"argv": ["sh", "-c", "echo x >>/tmp/moved.ran; sleep 2; echo done"]}'
ask() { raw POST /api/v1/shell/exec -H "X-Request-ID: $id" -D "$WORK/head" --data-binary "$body"; }
bg curl ask
t "one of curl is under way" t_within 10 second test -e /tmp/moved.ran
move e
t "the same request with the same id at the new place" ask
t_json "… gets the answer" "d['code'] == 0 and d['data']['stdout'] == 'done\n'" "$OUT"
t_like "… from memory" 'X-Replayed: 1' "$(cat head)"
t_is "… it was run once" 1 "$(second sh -c 'wc -l </tmp/moved.ran')"
t_next "… the next command is right"
end_qemu d
bg_end curl 20

done_testing
