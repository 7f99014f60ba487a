# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What a guest is made of and where it comes from: packages of the host's own
# distribution, downloaded with the host's own apt (so its mirrors, proxies and
# keys apply) and unpacked, never installed.

# vm_download PACKAGE DIR: fetch into DIR. Stale package lists name versions the
# mirror no longer has, so one failure is worth an update and a second try.
vm_download() {
	(
		cd "$2" || exit
		apt-get -q download "$1" && exit
		vm_as_root apt-get -q update && apt-get -q download "$1"
	) || vm_error "cannot download the package $1"
}

vm_as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# vm_unpack PACKAGE DIR: download and unpack into DIR.
vm_unpack() {
	local debs
	debs=$(mktemp -d "$VM_DIR/deb.XXXXXX") || return
	vm_download "$1" "$debs" && mkdir -p "$2" && dpkg-deb -x "$debs"/*.deb "$2"
	local rc=$?
	rm -rf "$debs"
	return "$rc"
}

# --- kernel ---------------------------------------------------------------

vm_kernel_metapackages() {
	local arch
	arch=$(dpkg --print-architecture)
	case $(vm_os_release ID) in
	ubuntu) echo linux-image-virtual linux-image-generic ;;
	*) echo "linux-image-cloud-$arch" "linux-image-$arch" ;;
	esac
}

# The image package that the first known metapackage depends on.
vm_kernel_package() {
	local meta name
	for meta in $(vm_kernel_metapackages); do
		name=$(apt-cache depends "$meta" 2>/dev/null |
			sed -n 's/^[ |]*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
		[ -n "$name" ] && { echo "$name" && return; }
	done
	return 1
}

# Modules that the guests use, wherever the kernel does not have them built in.
VM_MODULES='virtio_pci virtio_console virtio_blk virtio_rng ext4 button'

# vm_modules TREE VERSION OUT: copy the modules and what they depend on, and
# write the order in which to load them. Only `modprobe` knows soft
# dependencies (ext4 wants a crc32c).
vm_modules() {
	local tree=$1 version=$2 out=$3 module file name
	depmod -b "$tree" "$version" || return
	for module in $VM_MODULES; do
		modprobe -d "$tree" -S "$version" --show-depends "$module" 2>/dev/null
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r file; do
			name=${file##*/}
			case $name in # busybox insmod does not decompress
			*.zst) name=${name%.zst} && zstd -dqc "$file" >"$out/$name" ;;
			*.xz) name=${name%.xz} && xz -dc "$file" >"$out/$name" ;;
			*) cp "$file" "$out/$name" ;;
			esac || return
			echo "$name" >>"$out/order"
		done
}

# vm_build_kernel OUT: a folder with vmlinuz, and modules/ in loading order.
vm_build_kernel() {
	local out=$1 package version tree=$1/tree
	mkdir -p "$out/modules" || return
	package=$(vm_kernel_package) || {
		vm_as_root apt-get -q update && package=$(vm_kernel_package)
	} || vm_error "apt knows no kernel image package" || return
	version=${package#linux-image-}
	version=${version#unsigned-}
	vm_unpack "$package" "$tree" || return
	if [ "$(vm_os_release ID)" = ubuntu ]; then
		vm_unpack "linux-modules-$version" "$tree" || return
	fi
	# modules live below /usr/lib where the package is already usr-merged
	[ -d "$tree/lib" ] || ln -s usr/lib "$tree/lib" || return
	: >"$out/modules/order"
	vm_modules "$tree" "$version" "$out/modules" || return
	cp "$tree/boot/vmlinuz-$version" "$out/vmlinuz" && chmod a+r "$out/vmlinuz" &&
		rm -rf "$tree"
}

# Keyed on the release and not on the newest version: a second run must not
# depend on the network. `quickstart clean` is how to get a newer one.
vm_kernel() {
	vm_cached "$VM_DIR/kernel" "$(vm_key "$(vm_release)" "$VM_MODULES" 1)" vm_build_kernel
}

# --- busybox and qemu-ga ---------------------------------------------------

# Downloaded even where the host has one: /bin/busybox is dynamic on some hosts,
# and installing busybox-static would remove the other package.
vm_build_busybox() {
	vm_unpack busybox-static "$1.d" || return
	find "$1.d" -name busybox -type f -perm -100 -exec cp {} "$1" \; && rm -rf "$1.d" && [ -x "$1" ]
}

vm_busybox() {
	vm_cached "$VM_DIR/busybox" "$(vm_key "$(vm_release)" 1)" vm_build_busybox
}

vm_build_qemu_ga() {
	vm_unpack qemu-guest-agent "$1.d" || return
	find "$1.d" -name qemu-ga -type f -perm -100 -exec cp {} "$1" \; && rm -rf "$1.d" && [ -x "$1" ]
}

vm_qemu_ga() {
	vm_cached "$VM_DIR/qemu-ga" "$(vm_key "$(vm_release)" 1)" vm_build_qemu_ga
}

# --- the Debian or Ubuntu root ----------------------------------------------

VM_ROOT_PACKAGES='systemd,systemd-sysv,udev,dbus,kmod,procps,mount,passwd,login'

# The host's own sources as one-line entries. apt itself parses them, so it does
# not matter whether they stand in sources.list or in deb822 files; repositories
# of others are left out by their Origin.
vm_sources() {
	local origin keyring
	case $(vm_os_release ID) in
	ubuntu) origin=Ubuntu keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg ;;
	*) origin=Debian keyring=/usr/share/keyrings/debian-archive-keyring.gpg ;;
	esac
	[ -r "$keyring" ] && keyring="[signed-by=$keyring] " || keyring=
	# shellcheck disable=SC2016 # these are apt's variables
	apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' |
		awk -v o="$origin" -v k="$keyring" \
			'$1 == o && !seen[$0]++ { print "deb " k $2 " " $3 " " $4 }'
}

# Proxies, certificates and the like from the host's apt.conf: mmdebstrap reads
# none of it by itself.
vm_apt_options() {
	apt-config dump | grep -E '^Acquire::(http|https|Retries|ForceIP|Check)' |
		grep -v ' "";$'
	return 0
}

# vm_elf_packages ELF: the packages that own the libraries of a host program.
vm_elf_packages() {
	local library
	ldd "$1" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' |
		while read -r library; do
			# dpkg may know the file with or without /usr
			dpkg -S "$library" 2>/dev/null || dpkg -S "/usr$library" 2>/dev/null ||
				dpkg -S "$(readlink -f "$library")" 2>/dev/null
		done | cut -d: -f1 | sort -u | paste -sd,
}

# mmdebstrap wants root or a range of user ids to be root in.
vm_mmdebstrap_prefix() {
	[ "$(id -u)" = 0 ] && return
	vm_have newuidmap && grep -q "^$(id -un):" /etc/subuid && unshare -U true 2>/dev/null && return
	echo sudo
}

# vm_low_descriptors COMMAND…: mmdebstrap 1.5 has a shell write to a descriptor
# of its own, and dash knows only those of one digit: where more of them were
# taken already, it finds no packages ("nothing to extract").
vm_low_descriptors() { "$@" 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-; }

# vm_build_root_tar PACKAGES OUT. The tar comes by stdout, to be ours even when
# mmdebstrap runs under sudo.
vm_build_root_tar() {
	local packages=$1 out=$2 suite
	suite=$(vm_os_release VERSION_CODENAME)
	vm_have mmdebstrap || vm_error 'there is no mmdebstrap: ./quickstart test installs what the tests need' || return
	[ -n "$(vm_sources)" ] || vm_as_root apt-get -q update || return
	vm_apt_options >"$out.apt"
	# The customize hook drops the options again: a proxy may carry a password.
	# shellcheck disable=SC2016,SC2046 # $1 is for the hook's shell; a prefix is none or words
	vm_sources | vm_low_descriptors $(vm_mmdebstrap_prefix) mmdebstrap --variant=essential --include="$packages" --format=tar \
		--aptopt="$out.apt" --aptopt='Acquire::Languages "none"' \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook='rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap' \
		--customize-hook="sh '$VM_LIB/customize-root' \"\$1\"" \
		"$suite" - - >"$out"
	local rc=$?
	rm -f "$out.apt"
	return "$rc"
}

# vm_build_root_image TAR OUT: ext4 without a mount. mke2fs can read the tar
# itself only in very new versions, so it goes through a folder; fakeroot keeps
# the owners right for users who are not root.
vm_build_root_image() {
	local tar=$1 out=$2 fake=
	[ "$(id -u)" = 0 ] || fake=fakeroot
	rm -rf "$out.d" && mkdir "$out.d" || return
	# shellcheck disable=SC2016
	$fake sh -euc '
		tar -xf "$1" -C "$2" --numeric-owner --exclude="./dev/*"
		size=$(du -sm "$2" | cut -f1)
		mke2fs -q -t ext4 -b 4096 -O ^has_journal -m 0 -d "$2" "$3" "$((size * 5 / 4 + 256))M"
	' sh "$tar" "$out.d" "$out"
	local rc=$?
	rm -rf "$out.d"
	return "$rc"
}

# vm_root_image AGENT: the image without our files in it; those come with the
# initrd, so a new agent never means a new image.
vm_root_image() {
	local packages key
	packages=$VM_ROOT_PACKAGES,$(vm_elf_packages "$1") || return
	packages=${packages%,}
	key=$(vm_key "$(vm_release)" "$packages" "$VM_LIB/customize-root" 1)
	vm_cached "$VM_DIR/root.tar" "$key" vm_build_root_tar "$packages" &&
		vm_cached "$VM_DIR/root.ext4" "$key" vm_build_root_image "$VM_DIR/root.tar"
}
