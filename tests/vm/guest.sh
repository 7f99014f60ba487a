# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Putting the guests together. Both are booted with the kernel given to QEMU
# directly and an initrd made of several archives, one after the other (the
# kernel unpacks them all): a cached one with busybox and modules, and a small
# one with the agent and its configuration. That keeps "new agent, boot it"
# at about a second.
#
# The archives are not compressed: they go in by DMA at memory speed, while an
# emulated CPU needs most of a second to decompress them.

vm_cpio() { # FOLDER OUT
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --quiet -0 -o -H newc -R 0:0) >"$2"
}

# vm_copy_elf PROGRAM ROOT [PATH]: a program and its shared libraries, the
# loader included, at the paths where the loader will look for them.
vm_copy_elf() {
	local program=$1 root=$2 path=${3:-$1} libraries missing file
	install -D -m 755 "$program" "$root$path" || return
	libraries=$(ldd "$program" 2>/dev/null) || return 0 # static
	missing=$(awk '/not found/ { print $1 }' <<<"$libraries")
	[ -z "$missing" ] || vm_error "$program needs $missing" || return
	grep -o '/[^ ]*' <<<"$libraries" | while read -r file; do
		case $file in "$program"*) continue ;; esac
		[ -e "$root$file" ] || install -D -m 755 "$file" "$root$file" || return
	done
}

# getpwnam() and friends load these at run time, so ldd does not name them.
# glibc 2.34 has "files" inside; older ones have not.
vm_copy_nss() {
	local root=$1 libc file
	libc=$(ldconfig -p | awk '$1 == "libc.so.6" { print $NF; exit }')
	for file in "${libc%/*}"/libnss_files.so.2 "${libc%/*}"/libnss_compat.so.2; do
		[ ! -e "$file" ] || install -D -m 755 "$file" "$root$file" || return
	done
}

# --- the cached part --------------------------------------------------------

# vm_build_base INIT OUT: busybox, modules, and INIT as /init.
vm_build_base() {
	local init=$1 out=$2 root=$2.d
	rm -rf "$root" && mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,proc,sys,dev,root,vsrpc} || return
	cp "$VM_DIR/busybox" "$root/bin/busybox" &&
		cp -r "$VM_DIR/kernel/modules" "$root/vsrpc/modules" &&
		install -m 755 "$init" "$root/init" && vm_cpio "$root" "$out"
	local rc=$?
	rm -rf "$root"
	return "$rc"
}

vm_base() { # small|disk
	vm_kernel && vm_busybox || return
	vm_cached "$VM_DIR/base-$1.cpio" \
		"$(vm_key "$VM_LIB/init-$1" "$VM_DIR/kernel.key" "$VM_DIR/busybox.key" 1)" \
		vm_build_base "$VM_LIB/init-$1"
}

# --- the small guest --------------------------------------------------------

# vm_build_small AGENT CONFIG QEMU_GA|- OUT
vm_build_small() {
	local agent=$1 config=$2 ga=$3 out=$4 root=$4.d
	rm -rf "$root" && mkdir -p "$root/etc/virtio-rpc" || return
	vm_copy_elf "$agent" "$root" /usr/sbin/vsrpc-agent &&
		vm_copy_nss "$root" &&
		install -m 644 "$config" "$root/etc/virtio-rpc/guest_config.yaml" || return
	[ "$ga" = - ] || vm_copy_elf "$ga" "$root" /usr/sbin/qemu-ga || return
	vm_cpio "$root" "$out.cpio" && cat "$VM_DIR/base-small.cpio" "$out.cpio" >"$out"
	local rc=$?
	rm -rf "$root" "$out.cpio"
	return "$rc"
}

# vm_small_initrd OUT AGENT CONFIG [QEMU_GA]
vm_small_initrd() {
	local out=$1 agent=$2 config=$3 ga=${4:--}
	vm_need_agent "$agent" && vm_base small || return
	vm_cached "$out" "$(vm_key "$agent" "$config" "$ga" "$VM_DIR/base-small.cpio.key" 1)" \
		vm_build_small "$agent" "$config" "$ga"
}

vm_need_agent() {
	[ -x "$1" ] || vm_error "there is no agent at $1: build it first (./quickstart does), or set VSRPC_BUILD"
}

# --- the Debian guest -------------------------------------------------------

# A folder named lib would replace the guest's link lib -> usr/lib.
vm_usr_merge() {
	local dir
	for dir in bin sbin lib lib64; do
		[ -d "$1/$dir" ] || continue
		mkdir -p "$1/usr/$dir" && cp -a "$1/$dir/." "$1/usr/$dir/" && rm -rf "${1:?}/$dir" || return
	done
}

# vm_stage BUILD ROOT: what `make install` gives, less what is for the host.
vm_stage() {
	[ -f "$1/Makefile" ] || vm_error "$1 is no build folder: run ./quickstart first" || return
	make -s -C "$1" install DESTDIR="$2" >&2 || return
	find "$2" \( -name 'vsrpc-virsh*' -o -name 'host_config*' \) -delete
	find "$2" -type d \( -name man -o -name doc -o -name bash-completion \) -prune -exec rm -rf {} +
	vm_usr_merge "$2"
}

# vm_place_config CONFIG ROOT: where the installed agent looks for it, which
# depends on the --sysconfdir the build was configured with.
vm_place_config() {
	local dir
	dir=$(find "$2" -type d -path '*etc/virtio-rpc' | head -n 1)
	install -D -m 644 "$1" "${dir:-$2/etc/virtio-rpc}/guest_config.yaml"
}

# vm_build_debian BUILD CONFIG OUT
vm_build_debian() {
	local build=$1 config=$2 out=$3 root=$3.d
	rm -rf "$root" && mkdir -p "$root/vsrpc/overlay" || return
	vm_stage "$build" "$root/vsrpc/overlay" &&
		vm_place_config "$config" "$root/vsrpc/overlay" &&
		install -D -m 644 "$VM_LIB/vsrpc-demo.service" \
			"$root/vsrpc/overlay/etc/systemd/system/vsrpc-demo.service" &&
		vm_cpio "$root" "$out.cpio" &&
		cat "$VM_DIR/base-disk.cpio" "$out.cpio" >"$out"
	local rc=$?
	rm -rf "$root" "$out.cpio"
	return "$rc"
}

# vm_debian_initrd OUT BUILD CONFIG. Staging takes a second, so it is keyed on
# the things that matter most often; `touch` the config to force it.
vm_debian_initrd() {
	local out=$1 build=$2 config=$3
	vm_need_agent "$build/vsrpc-agent" && vm_base disk &&
		vm_root_image "$build/vsrpc-agent" || return
	vm_cached "$out" "$(vm_key "$build/vsrpc-agent" "$config" "$build/Makefile" \
		"$VM_LIB/vsrpc-demo.service" "$VM_DIR/base-disk.cpio.key" \
		"$(vm_installed_files "$build")" 1)" \
		vm_build_debian "$build" "$config"
}

# Units and rules are generated in the build folder or lie in data/.
vm_installed_files() {
	find "$1/data" "$VM_TOP/data" -type f -exec sha256sum {} + 2>/dev/null | sha256sum
}
