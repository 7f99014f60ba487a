# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What every part of the guest machinery needs: where things are, waiting
# with a deadline, and a cache keyed on what went into a file.
#
# Error contract of all the libraries in this folder: a function says on
# stderr what went wrong and returns non-zero. None of them relies on set -e,
# which bash switches off inside every `f || …`.

VM_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VM_TOP=$(cd "$VM_LIB/../.." && pwd)
: "${VSRPC_BUILD:=$VM_TOP/build}"       # the build whose programs are used
: "${VSRPC_VM_DIR:=$VM_TOP/build/vm}"   # images, downloads, console logs
: "${VSRPC_PORT:=org.vsrpc.agent.0}"    # the port a guest gets by default
# shellcheck disable=SC2034 # used by those who source this
VM_DIR=$VSRPC_VM_DIR

vm_error() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	return 1
}

# Names of its own for the guests of each checkout's tests: two of them can test at
# the same time, and what a killed run of one has left is in nobody's way.
vm_test_prefix() { echo "${VSRPC_TEST_PREFIX:-vsrpc-test-$(vm_key "$VM_TOP" | head -c 6)}"; }

vm_have() { command -v "$1" >/dev/null 2>&1; }

# vm_wait SECONDS COMMAND…: poll until the command succeeds. The short sleep is
# the poll step, never what makes something true.
vm_wait() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}

# vm_key WORD-OR-FILE…: one hash over the words and over the content of those
# that name files.
vm_key() {
	local item
	for item in "$@"; do
		if [ -f "$item" ]; then
			sha256sum <"$item"
		else
			printf '%s\n' "$item"
		fi
	done | sha256sum | cut -d' ' -f1
}

# vm_remove PATH…: also what root has made for somebody else.
vm_remove() {
	rm -rf "$@" 2>/dev/null || vm_as_root rm -rf "$@"
}

# vm_cached OUT KEY BUILDER ARG…: make OUT by `BUILDER ARG… OUT.tmp` unless it
# was made with the same key. The lock lets two checkouts' worth of test runs
# share one cache; the rename means a half-made OUT is never seen.
vm_cached() {
	local out=$1 key=$2
	shift 2
	mkdir -p "${out%/*}" || return
	(
		flock 9
		[ -e "$out" ] && [ "$(cat "$out.key" 2>/dev/null)" = "$key" ] && exit 0
		vm_remove "$out" "$out.tmp" "$out.key" || exit
		"$@" "$out.tmp" || exit
		mv "$out.tmp" "$out" && printf '%s\n' "$key" >"$out.key"
	) 9>"$out.lock"
}

# The distribution and release of this host, as one word.
vm_release() {
	# shellcheck disable=SC1091
	(. /etc/os-release && printf '%s-%s-%s' "$ID" "$VERSION_ID" "$(uname -m)")
}

vm_os_release() {
	# shellcheck disable=SC1091
	(. /etc/os-release && eval "printf '%s' \"\${$1:-}\"")
}

# Some of the tools below live in sbin, which is not in every user's PATH.
PATH=$PATH:/usr/sbin:/sbin
