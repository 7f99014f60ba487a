# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who source this
#
# Packages of Debian and Ubuntu, by what they are needed for. Everything that is
# used has its package named: what is only recommended by another one (gcc
# recommends libc6-dev) is not there when recommendations are off, and what an
# installation has by itself may be missing in a container. A|B is a package
# whose name depends on the release.

# From a git checkout to the programs, and to an installed tree.
NEEDED_BUILD='autoconf automake gcc libc6-dev make pkgconf|pkg-config libjson-c-dev
	libyaml-dev libssl-dev libvirt-dev libxml2-dev'

# Every test of `make check`: none is left out where these are installed.
NEEDED_CHECK='check bash binutils curl mandoc python3 shellcheck util-linux'

# A guest: libvirt, QEMU, and what its images are made with.
NEEDED_GUEST='libvirt-daemon-system libvirt-clients qemu-utils cpio kmod curl util-linux
	xz-utils zstd'
case $(uname -m) in
x86_64) NEEDED_GUEST+=' qemu-system-x86' ;;
*) NEEDED_GUEST+=' qemu-system-arm' ;;
esac

# The rest of `./quickstart test`: the other compiler, release archives, roots
# of Debian, and what the end-to-end tests use.
NEEDED_TEST='clang mmdebstrap debian-archive-keyring e2fsprogs fakeroot git mount
	procps socat tmux'
