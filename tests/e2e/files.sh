# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034 # MIB and MS are for those who source this
#
# lib.sh, and what the scripts share that copy files.
#
#   in_guest COMMAND…            in the guest
#   guest_md5 PATH               MD5 of a file there
#   random BYTES [FILE]          so many random bytes
#   leftovers DIR                what a copy has left beside its target here
#   guest_leftovers DIR          … and in the guest
#   opened PID DIR               a process here has a file below DIR open
#   guest_opened DIR             an agent has
#   in_pty COLUMNS COMMAND…      on a terminal of its own; what that shows
#   ms_of COMMAND…               milliseconds that it takes, in MS; its status
# shellcheck source=lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

PYTHON=${PYTHON:-python3}
MIB=$((1 << 20))
MS=0

in_guest() { "$VSRPC" -q "$DOMAIN" exec -- "$@"; }
guest_md5() { in_guest md5sum "$1" | cut -d' ' -f1; }
guest_has() { in_guest test -e "$1"; }

random() { # BYTES [FILE]
	if [ $# = 1 ]; then head -c "$1" /dev/urandom; else head -c "$1" /dev/urandom >"$2"; fi
}

leftovers() { find "$1" -name '.*vsrpc*'; }
guest_leftovers() { in_guest find "$1" -name '.*vsrpc*'; }

opened() { # shellcheck disable=SC2010 # links are what is looked at
	ls -l "/proc/$1/fd" 2>/dev/null | grep -qF -- "-> $2/"
}
guest_opened() {
	# shellcheck disable=SC2016 # the guest's shell expands
	second sh -c 'for p in $(pidof vsrpc-agent); do ls -l "/proc/$p/fd"; done 2>/dev/null | grep -qF -- "-> $0/"' "$1"
}

in_pty() {
	"$PYTHON" -c '
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
try:
    while piece := os.read(fd, 65536):
        os.write(1, piece)
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' "$@"
}

ms_of() {
	local rc=0 start=${EPOCHREALTIME/[.,]/}
	"$@" || rc=$?
	MS=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
	return "$rc"
}
