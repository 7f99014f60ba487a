# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# libvirt's daemon and our domains in it. A domain is ours when its metadata
# carry the mark of domain.xml.in; nothing else is ever started, stopped or
# undefined from here.

if [ -z "${VSRPC_URI:-}" ]; then
	[ "$(id -u)" = 0 ] && VSRPC_URI=qemu:///system || VSRPC_URI=qemu:///session
fi
export VSRPC_URI

vm_virsh() { virsh -q -c "$VSRPC_URI" "$@"; }

# --- the daemon -------------------------------------------------------------

# not `version`: that makes libvirt probe QEMU
vm_daemon_answers() { vm_virsh uri >/dev/null 2>&1; }

vm_daemon_start() {
	[ -d /run/systemd/system ] || vm_kvm_group
	vm_daemon_answers && return
	# a session's daemon is started by the client library itself
	[ "$VSRPC_URI" = qemu:///system ] || vm_error "no libvirt at $VSRPC_URI" || return
	if [ -d /run/systemd/system ]; then
		systemctl start libvirtd || systemctl start virtqemud.socket
	else
		vm_daemon_by_hand
	fi
	vm_wait 20 vm_daemon_answers || vm_error "libvirt's daemon does not answer at $VSRPC_URI"
}

# No systemd: containers, chroots, other inits. virtlogd first, because libvirtd
# looks for it when it starts a domain and cannot start it on this system.
vm_daemon_by_hand() {
	local daemon
	for daemon in virtlogd libvirtd; do
		[ $daemon = libvirtd ] && ! vm_have libvirtd && daemon=virtqemud
		vm_have "$daemon" || vm_error "there is no $daemon" || return
		vm_daemon_runs "$daemon" || "$daemon" -d </dev/null || return
	done
}

# Where no udev gives /dev/kvm to the group kvm, do it here; a container that
# shares it may have given it to a number of its own. Otherwise libvirt's probe,
# run as root, sees KVM, its check as the user libvirt-qemu does not, and libvirt
# throws away its cache of QEMU's abilities at every look: 3.5 s, or a minute
# where KVM boots nothing, for each define, each start and each `virsh version`.
vm_kvm_group() {
	[ -c /dev/kvm ] && [ -w /dev/kvm ] && getent group kvm >/dev/null || return 0
	case $(stat -c %G /dev/kvm) in
	root | UNKNOWN) chgrp kvm /dev/kvm && chmod 660 /dev/kvm ;;
	esac
}

vm_daemon_runs() {
	local pid
	pid=$(cat "/run/$1.pid" "/var/run/$1.pid" 2>/dev/null | head -n 1)
	[ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ]
}

# --- KVM or not ---------------------------------------------------------------

# /dev/kvm may exist, open and still boot nothing (nested, restricted hosts), so
# only a kernel that has come to its /init with it counts.
vm_kvm_boots() {
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return
	ulimit -c 0 # QEMU may abort; its subshell (see vm_accel) keeps this to itself
	timeout 10 "qemu-system-$(uname -m)" -machine "$(vm_machine),accel=kvm" -cpu max -m 256 \
		-nodefaults -no-user-config -display none -no-reboot -serial stdio \
		-kernel "$VM_DIR/kernel/vmlinuz" -initrd "$VM_DIR/base-small.cpio" \
		-append "console=$(vm_console_device) vsrpc.probe" </dev/null 2>/dev/null |
		grep -q vsrpc-probe-ok
}

# vm_accel: prints kvm or qemu, libvirt's words. Remembered until this machine
# boots again; VSRPC_ACCEL overrides.
vm_accel() {
	local boot saved
	[ -z "${VSRPC_ACCEL:-}" ] || { echo "$VSRPC_ACCEL" && return; }
	boot=$(cat /proc/sys/kernel/random/boot_id)
	saved=$(cat "$VM_DIR/accel" 2>/dev/null)
	if [ "${saved% *}" != "$boot" ]; then
		vm_base small >&2 || return
		saved="$boot qemu"
		! (vm_kvm_boots) || saved="$boot kvm"
		echo "$saved" >"$VM_DIR/accel"
	fi
	echo "${saved#* }"
}

vm_machine() {
	case $(uname -m) in
	x86_64) echo pc ;; # boots sooner than q35: fewer devices
	*) echo virt ;;
	esac
}

vm_console_device() {
	case $(uname -m) in
	x86_64) echo ttyS0 ;;
	*) echo ttyAMA0 ;;
	esac
}

# --- our domains ----------------------------------------------------------------

vm_exists() { vm_virsh dominfo "$1" >/dev/null 2>&1; }

vm_mark() { vm_virsh metadata "$1" --uri urn:vsrpc:guest 2>/dev/null; }

vm_mark_of() { # DOMAIN ATTRIBUTE
	vm_mark "$1" | sed -n "s/.* $2=[\"']\([^\"']*\)[\"'].*/\1/p"
}

# Ours is what this checkout made, or another that no longer exists or has left
# the guest switched off (its run was killed before it could remove it): nothing
# in such a guest is worth keeping. A running one beside ours is left alone.
vm_is_ours() {
	local by
	by=$(vm_mark_of "$1" by)
	[ -n "$by" ] || return
	[ "$by" = "$(vm_xml_escape "$VM_TOP")" ] || [ ! -e "$by/quickstart" ] ||
		[ "$(vm_virsh domstate "$1" 2>/dev/null)" = 'shut off' ]
}

vm_refuse() {
	local by
	by=$(vm_mark_of "$1" by)
	vm_error "a domain '$1' exists that is not ours${by:+ but belongs to $by (./quickstart clean there removes it)}: left alone"
}

vm_is_running() { [ "$(vm_virsh domstate "$1" 2>/dev/null)" = running ]; }

# vm_destroy NAME: gone, if it is ours; nothing to do if there is none.
vm_destroy() {
	vm_exists "$1" || return 0
	vm_is_ours "$1" || vm_refuse "$1" || return
	vm_virsh destroy "$1" >/dev/null 2>&1
	vm_virsh undefine "$1" --managed-save --snapshots-metadata >/dev/null ||
		vm_virsh undefine "$1" >/dev/null || return
	rm -f "$VM_DIR/$1.qcow2" "$VM_DIR/$1.console"
}

vm_ours() {
	local name
	vm_virsh list --all --name | while read -r name; do
		[ -n "$name" ] && vm_is_ours "$name" && echo "$name"
	done
	return 0
}

vm_xml_escape() {
	local s=${1//&/&amp;}
	s=${s//</&lt;}
	s=${s//"'"/&apos;}
	printf '%s' "$s"
}

vm_xml_channel() {
	printf "<channel type='unix'>\n      <source mode='bind'/>\n"
	printf "      <target type='virtio' name='%s'/>\n    </channel>\n    " "$(vm_xml_escape "$1")"
}

vm_xml_disk() {
	printf "<disk type='file' device='disk'>\n      <driver name='qemu' type='qcow2' cache='unsafe'/>\n"
	printf "      <source file='%s'/>\n      <target dev='vda' bus='virtio'/>\n    </disk>" "$(vm_xml_escape "$1")"
}

# libvirt runs QEMU as a user of its own, who may be unable to enter a checkout
# below a home folder (/root is 0700). Only then QEMU runs as root.
vm_xml_seclabel() {
	local user
	[ "$VSRPC_URI" = qemu:///system ] || return 0
	user=$(getent passwd libvirt-qemu qemu | head -n 1 | cut -d: -f1)
	[ -n "$user" ] && vm_have setpriv || return 0
	setpriv --reuid "$user" --clear-groups test -r "$VM_DIR/kernel/vmlinuz" 2>/dev/null ||
		echo "<seclabel type='static' model='dac' relabel='no'><label>+0:+0</label></seclabel>"
}

# vm_xml_cpu ACCEL: QEMU 7 emulates `rep movsb` byte by byte; without these two
# features nobody in the guest uses it, and copying is four times as fast.
vm_xml_cpu() {
	[ "$1" = qemu ] && [ "$(uname -m)" = x86_64 ] || return 0
	printf "<feature policy='disable' name='erms'/><feature policy='disable' name='fsrm'/>"
}

# What is quiet and quick in an emulated guest, and harmless elsewhere:
# no_timer_check because emulated time jitters, trust_cpu because nothing else
# gives a guest without devices its first random numbers. QEMU emulates the TSC by
# the one of the processor that its thread is on: where those differ (a machine
# that was restored, a nested one) the guest's time leaps by minutes, and its
# kernel stalls. The HPET is emulated by the host's monotonic clock.
VM_CMDLINE='panic=5 loglevel=4 no_timer_check random.trust_cpu=on mitigations=off
	nokaslr cryptomgr.notests rcupdate.rcu_expedited=1 audit=0'
VM_CMDLINE_EMULATED='tsc=unstable clocksource=hpet'

# vm_xml NAME [--memory MIB] [--vcpus N] [--initrd FILE] [--disk QCOW2]
#        [--channel PORT]… [--append WORDS] [--key KEY]
vm_xml() {
	local name=$1 memory=256 vcpus=1 initrd='' disk='' channels='' append='' key='' features='' accel xml
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--memory) memory=$2 ;;
		--vcpus) vcpus=$2 ;;
		--initrd) initrd=$2 ;;
		--disk) disk=$(vm_xml_disk "$2") ;;
		--channel) channels+=$(vm_xml_channel "$2") ;;
		--append) append=$2 ;;
		--key) key=$2 ;;
		*) vm_error "vm_xml: $1?" || return ;;
		esac
		shift 2
	done
	[ "$(uname -m)" != x86_64 ] || features='<features><acpi/></features>'
	xml=$(cat "$VM_LIB/domain.xml.in") && accel=$(vm_accel) || return
	[ "$accel" != qemu ] || append="$VM_CMDLINE_EMULATED $append"
	append="console=$(vm_console_device) ${VM_CMDLINE//[[:space:]]/ } $append"
	vm_fill TYPE "$accel" CPU "$(vm_xml_cpu "$accel")" NAME "$(vm_xml_escape "$name")" BY "$(vm_xml_escape "$VM_TOP")" \
		KEY "$key" MEMORY "$memory" VCPUS "$vcpus" ARCH "$(uname -m)" MACHINE "$(vm_machine)" \
		KERNEL "$(vm_xml_escape "$VM_DIR/kernel/vmlinuz")" INITRD "$(vm_xml_escape "$initrd")" \
		CMDLINE "$(vm_xml_escape "$append")" FEATURES "$features" DISK "$disk" \
		CHANNELS "$channels" CONSOLE "$(vm_xml_escape "$VM_DIR/$name.console")" \
		SECLABEL "$(vm_xml_seclabel)"
	printf '%s\n' "$xml"
}

# vm_fill WORD VALUE…: replace in the caller's $xml. The value is quoted, for
# bash 5.2 gives an unquoted & in it the meaning it has in sed.
vm_fill() {
	while [ $# -gt 0 ]; do
		xml=${xml//"@$1@"/"$2"}
		shift 2
	done
}

# vm_boot NAME OPTION…: define and start; options as in vm_xml. One of ours by
# that name is replaced.
vm_boot() {
	local name=$1
	vm_destroy_domain_only "$name" || return
	rm -f "$VM_DIR/$name.console"
	vm_xml "$@" >"$VM_DIR/$name.xml" &&
		vm_virsh define "$VM_DIR/$name.xml" >/dev/null &&
		vm_virsh start "$name" >/dev/null
}

vm_destroy_domain_only() { # keeps the disk that was just made for it
	[ ! -e "$VM_DIR/$1.qcow2" ] || mv "$VM_DIR/$1.qcow2" "$VM_DIR/$1.qcow2.new"
	vm_destroy "$1" || return
	[ ! -e "$VM_DIR/$1.qcow2.new" ] || mv "$VM_DIR/$1.qcow2.new" "$VM_DIR/$1.qcow2"
}

# --- reaching the agent -----------------------------------------------------------

# vm_channel DOMAIN PORT ATTRIBUTE: from the live XML, always afresh: libvirt
# invents the socket's path at each start.
vm_channel() {
	vm_virsh dumpxml "$1" | awk -v port="$2" -v want="$3" -v q="['\"]" '
		/<channel / { path = "" }
		/<source / && match($0, "path=" q "[^\x27\"]*") { path = substr($0, RSTART + 6, RLENGTH - 6) }
		/<target / && index($0, port) && match($0, "name=" q "[^\x27\"]*") &&
			substr($0, RSTART + 6, RLENGTH - 6) == port {
			if (want == "path") print path
			else if (match($0, "state=" q "[a-z]*")) print substr($0, RSTART + 7, RLENGTH - 7)
		}'
}

vm_socket() { vm_channel "$1" "${2:-$VSRPC_PORT}" path; }

vm_agent_opened() { [ "$(vm_channel "$1" "$2" state)" = connected ]; }

# Any HTTP answer will do; one that asks for a key is an answer, too.
vm_agent_answers() {
	curl -s -o /dev/null --max-time 2 --unix-socket "$(vm_socket "$1" "$2")" \
		http://virtio-rpc/api/v1/ping
}

# vm_wait_agent NAME SECONDS [PORT]. First until the guest has opened the port:
# a request sent earlier would wait in the socket and put the agent, which then
# meets a client that was there before it, into quarantine.
vm_wait_agent() {
	local name=$1 seconds=$2 port=${3:-$VSRPC_PORT}
	vm_wait "$seconds" vm_agent_opened "$name" "$port" &&
		vm_wait "$seconds" vm_agent_answers "$name" "$port" && return
	vm_error "no agent answered in '$name' at port $port within $seconds s; its console ends:"
	tail -n 20 "$VM_DIR/$name.console" >&2
	return 1
}

# One at a time: guests that boot side by side on busy processors are all late.
# The limit is for one that never will. An emulated kernel may stall on such a
# machine, which says nothing about our programs: it gets a second boot, unless
# its console has a word of our agent.
vm_bring_up() { # NAME PORT OPTION…
	local name=$1 port=$2
	shift 2
	(
		flock 9
		for _ in 1 2; do
			vm_boot "$name" "$@" && vm_wait_agent "$name" 180 "$port" && exit
			grep -q VirtioRPC "$VM_DIR/$name.console" && exit 1
		done
		exit 1
	) 9>"$VM_DIR/boot.lock"
}

# --- the two guests -----------------------------------------------------------------

# A guest is kept when it runs and was booted from the same inputs.
vm_is_current() { # NAME KEY
	vm_is_running "$1" && vm_is_ours "$1" && [ "$(vm_mark_of "$1" key)" = "$2" ]
}

# vm_small NAME [PORT…]: the small guest, up and answering at the first PORT.
# $VM_CONFIG, $VM_MEMORY and $VM_AGENT replace the defaults. The port
# org.qemu.guest_agent.0 brings qemu-ga with it; a port in $VM_SPARE is there
# for whoever wants it.
vm_small() {
	local name=$1 initrd=$VM_DIR/$1.initrd ga='' key port options=()
	shift
	[ $# -gt 0 ] || set -- "$VSRPC_PORT"
	case " $* " in *' org.qemu.guest_agent.0 '*)
		vm_qemu_ga || return
		ga=$VM_DIR/qemu-ga ;;
	esac
	vm_may_take "$name" || return
	vm_small_initrd "$initrd" "${VM_AGENT:-$VSRPC_BUILD/vsrpc-agent}" \
		"${VM_CONFIG:-$VM_LIB/guest_config.yaml}" ${ga:+"$ga"} || return
	for port in "$@" ${VM_SPARE:+"$VM_SPARE"}; do options+=(--channel "$port"); done
	key=$(vm_key "$initrd.key" "$* ${VM_SPARE:-}" "${VM_MEMORY:-256}" "$VM_LIB/domain.xml.in")
	if vm_is_current "$name" "$key"; then
		vm_wait_agent "$name" 60 "$1"
	else
		vm_bring_up "$name" "$1" --initrd "$initrd" --memory "${VM_MEMORY:-256}" --key "$key" \
			"${options[@]}" --append "quiet vsrpc.hostname=$name vsrpc.port=$(tr ' ' , <<<"$*")"
	fi
}

# vm_debian NAME: the guest with systemd, its disk fresh on every boot.
vm_debian() {
	local name=$1 initrd=$VM_DIR/$1.initrd key
	vm_may_take "$name" || return
	vm_debian_initrd "$initrd" "$VSRPC_BUILD" "${VM_CONFIG:-$VM_LIB/guest_config.yaml}" || return
	key=$(vm_key "$initrd.key" "$VM_DIR/root.ext4.key" "$VM_LIB/domain.xml.in")
	if vm_is_current "$name" "$key"; then
		vm_wait_agent "$name" 60
	else
		vm_destroy "$name" &&
			qemu-img create -q -f qcow2 -b "$VM_DIR/root.ext4" -F raw "$VM_DIR/$name.qcow2" &&
			vm_bring_up "$name" "$VSRPC_PORT" --initrd "$initrd" --disk "$VM_DIR/$name.qcow2" \
				--memory 512 --vcpus 2 --key "$key" --channel "$VSRPC_PORT" \
				--channel test.vserial.0 --append 'quiet systemd.show_status=0'
	fi
}

vm_may_take() {
	vm_daemon_start || return
	! vm_exists "$1" || vm_is_ours "$1" || vm_refuse "$1"
}
