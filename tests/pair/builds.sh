# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Builds of other versions, kept beside the guests' images. Needs
# tests/vm/common.sh; its error contract holds here, too.

PAIR_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# The table: "NAME COMMIT" lines.
pair_versions() { sed '/^#/d; /^[[:space:]]*$/d' "$PAIR_LIB/versions"; }

# Compilers get stricter: warnings of an old version are no errors.
pair_build_in() { # COMMIT SOURCE OUT
	git -C "$VM_TOP" archive "$1" | tar -x -C "$2" &&
		cd "$2" && ./bootstrap && mkdir -p build && cd build && ../configure && make -j"$(nproc)" &&
		cp vsrpc-virsh vsrpc-agent "$3"
}

# The source is not kept; the log is, when it failed.
pair_build_version() { # COMMIT OUT
	local commit=$1 out=$2 rc=0
	rm -rf "$out.source" && mkdir -p "$out.source" "$out" || return
	(
		trap 'rm -rf "$out" "$out.source" "$out.log"; exit 130' INT TERM HUP
		# a shell of its own: it changes the folder
		(pair_build_in "$commit" "$out.source" "$out") >"$out.log" 2>&1 </dev/null
	) || rc=$?
	rm -rf "$out.source"
	if [ "$rc" = 0 ]; then
		rm -f "$out.log"
	else
		[ ! -e "$out.log" ] || tail -n 20 "$out.log" >&2
		vm_error "version $commit cannot be built"
	fi
}

# pair_build NAME COMMIT: sets PAIR_BUILD to a folder with both programs.
# Return: 77 where the history is not there (an archive of a release, a clone
# without depth).
pair_build() {
	local commit
	commit=$(git -C "$VM_TOP" rev-parse --quiet --verify "$2^{commit}" 2>/dev/null) || {
		vm_error "version $1 NOT TESTED: commit $2 is not in the history here (git fetch --unshallow?)"
		return 77
	}
	PAIR_BUILD=$VM_DIR/versions/$1
	vm_cached "$PAIR_BUILD" "$(vm_key "$commit" "$(vm_release)" 1)" pair_build_version "$commit"
}
