#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# QEMU without libvirt, its options and both configurations typed from the
# specification; the kernel and the initrd are those of the guest that libvirt
# runs, with another configuration and nothing on the agent's command line.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

case $(uname -m) in
x86_64) machine=pc console=ttyS0 ;;
*) machine=virt console=ttyAMA0 ;;
esac
accel=$("$VM_TOOL" accel)
[ "$accel" = kvm ] || accel=tcg
cpu=max
[ "$(uname -m) $accel" != "x86_64 tcg" ] || cpu=max,erms=off,fsrm=off # see vm_xml_cpu

mkdir -p root/etc/virtio-rpc
specified_guest_config /dev/virtio-ports/channel.0 /var/log/virtio-rpc-guest.log >root/etc/virtio-rpc/guest_config.yaml
specified_host_config "$WORK/virtio-serial.sock" "$WORK/virtio-rpc-host.log" >host_config.yaml
# shellcheck disable=SC2016 # it is for the guest
sed 's| --device "$port"$||' "${VM_TOOL%/*}/init-small" >root/init
chmod 755 root/init
# The kernel unpacks them all, and the last one wins.
(cd root && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) >more.cpio
cat "$VSRPC_VM_DIR/$DOMAIN.initrd" more.cpio >initrd

"qemu-system-$(uname -m)" -machine "$machine,accel=$accel" -cpu "$cpu" \
	-nodefaults -no-user-config -display none -serial "file:$WORK/console" \
	-kernel "$VSRPC_VM_DIR/kernel/vmlinuz" -initrd initrd -append "console=$console quiet no_timer_check vsrpc.port=channel.0" \
	-name guest-vm \
	-m 256 \
	-smp 1 \
	-device virtio-serial-pci,id=virtio-serial0 \
	-chardev "socket,id=channel0,path=$WORK/virtio-serial.sock,server=on,wait=off" \
	-device virtserialport,chardev=channel0,name=channel.0 </dev/null 2>stderr &

host() { "$VSRPC" --config "$WORK/host_config.yaml" "$@"; }
answers() { [ -S virtio-serial.sock ] && host ping; }
t "the guest answers" t_within 180 answers || t_diag "$(cat stderr console)"
t_is "… when its server has said so" "[INFO] VirtioRPC Server started on /dev/virtio-ports/channel.0" \
	"$(grep -o '\[INFO\] VirtioRPC Server started on [^ ,]*' console)"
export VIRTIO_SOCKET=$WORK/virtio-serial.sock
t "ping by its socket" "$VSRPC" --socket "$VIRTIO_SOCKET" ping
t_json "…" "d['code'] == 0 and d['message'] == 'pong'" "$OUT"
t "info by the variable" "$VSRPC" info
t_json "…" "d['data']['os'] == 'Linux'" "$OUT"
t "exec" "$VSRPC" exec "ls -la /tmp"
t_like "…" '^total ' "$OUT"
head -c 1024 /dev/urandom >local.txt
t "upload" "$VSRPC" upload local.txt /tmp/remote.txt
t_is "…" "Upload successful: /tmp/remote.txt (1024 bytes)" "$OUT"
t "download" "$VSRPC" download /tmp/remote.txt back.txt
t "… is the same" cmp local.txt back.txt
t "a log of the guest" "$VSRPC" download /var/log/syslog syslog.txt
t_status "a command that is on no list" 126 "$VSRPC" exec "rm /tmp/remote.txt"
t_status "a path that is read-only" 126 "$VSRPC" upload local.txt /etc/local.txt
t_like "the host's log is where its configuration says" 'GET /api/v1/ping 200 0' "$(cat virtio-rpc-host.log)"
done_testing
