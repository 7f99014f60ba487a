# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The gate: every test that has to pass before a change lands, side by side
# where they wait. `./quickstart test` runs it, and so CI does. What takes longer
# than a change can wait for is in tests/long.
#
# Needs tests/suites.sh, tests/vm/ and build() of quickstart.

# Of one suite's tests so many at a time: beside other lanes more of them only wait
# for each other, and what has a time limit fails.
GATE_JOBS=$(nproc)

gate_check() { make -C build-werror -j"$GATE_JOBS" check; }

# Every test once more, from what is released, and with sanitizers. The folder
# is only configured: what is built lies in the archive that was unpacked. Of what
# was freed, as much is kept back as a test needs to be caught using it; the usual
# 256 MB double the time of those that fork much.
gate_distcheck() {
	export ASAN_OPTIONS=quarantine_size_mb=16
	mkdir -p build-dist && (cd build-dist && ../configure -q) &&
		make -C build-dist -j"$GATE_JOBS" distcheck DISTCHECK_CONFIGURE_FLAGS=--enable-sanitizers
}

gate_platform() { JOBS=$GATE_JOBS tests/platform/run "$1"; }

gate_platform_pairs() { VSRPC_BUILD=$VM_TOP/build-werror tests/platform/pairs "$1"; }

gate_e2e() { VSRPC_BUILD=$VM_TOP/build-werror tests/e2e/run "$@"; }

gate_pairs() { VSRPC_BUILD=$VM_TOP/build-werror tests/pair/run; }

# --- the lanes ----------------------------------------------------------------------

lane_build() {
	suite 'make check' automake_counts gate_check
	suite 'clang build' one_count build build-clang CC=clang --enable-werror
}

lane_sanitizers() { suite 'make distcheck, sanitizers' automake_counts gate_distcheck; }

# Its programs are installed when all of its tests have passed.
lane_platform() { # NAME
	suite "$1" automake_counts gate_platform "$1" &&
		suite "$1 and this platform" run_counts gate_platform_pairs "$1"
}

lane_guests() { # KIND…
	local kind
	for kind; do suite "end to end, $kind" run_counts gate_e2e "$kind/"; done
}

lane_peers() {
	suite 'versions meet' run_counts gate_pairs
	lane_guests domains
}

# What a run has left behind, which none may: guests, mounts, processes of our
# programs, and files where temporary ones go.
gate_leftovers() {
	{
		vm_ours | grep "^$(vm_test_prefix)-" | sed 's/^/guest /'
		awk -v ours="$VM_TOP/" 'index($2, ours) == 1 { print "mount " $2 }' /proc/self/mounts
		find /proc/[0-9]*/exe -lname "$VM_TOP/build*/vsrpc-*" 2>/dev/null | sed 's/^/process /'
		find "$TMPDIR" -mindepth 1 -maxdepth 1 | sed 's/^/file /'
	} | sed 's/^/not ok - left behind: /' | awk '{ print } END { exit NR > 0 }'
}

# Short, for the path of a socket has 107 bytes.
gate_tmpdir() {
	TMPDIR=$(mktemp -d) && chmod 1777 "$TMPDIR" && export TMPDIR # as /tmp is
	trap 'rm -rf "$TMPDIR"' EXIT
}

gate() {
	local platform
	suites_begin "$VM_TOP/build/log" && gate_tmpdir || return
	if suite 'build' one_count build build-werror --enable-werror; then
		# the long ones first, so that none of them is left alone in the end
		lane lane_sanitizers
		for platform in $(tests/platform/run); do lane lane_platform "$platform"; done
		lane lane_guests faults
		lane lane_guests small
		lane lane_guests machine debian
		lane lane_build
		lane lane_guests copy
		lane lane_peers
		lanes_wait
	fi
	suite 'nothing is left behind' one_count gate_leftovers
	suites_report
}
