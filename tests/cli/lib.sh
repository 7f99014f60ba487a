# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For the scripts here, which need neither libvirt's daemon nor QEMU. Run by
# "make check" (which sets top_srcdir and top_builddir) or by hand in a build
# folder. Helpers of tests/e2e/lib.sh, and:
#   VSRPC, AGENT      the programs
#   WORK              an empty folder, removed afterwards; also the current one
#   start_agent NAME [OPTION…]  a real agent at $WORK/NAME.sock, with NAME.yaml
#   start_peer NAME MODE        a fake one, see tests/peer/agent.py
# tests/kernel/ has scripts run once more with these:
#   VSRPC_TEST_AGENT    another agent than the build's
#   VSRPC_TEST_WITHOUT  calls that start_agent's does without, see tests/kernel/without.c
: "${top_srcdir:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${top_builddir:=$PWD}"
# shellcheck source=../e2e/lib.sh
. "$top_srcdir/tests/e2e/lib.sh"

VSRPC=$top_builddir/vsrpc-virsh AGENT=${VSRPC_TEST_AGENT:-$top_builddir/vsrpc-agent}
PYTHON=${PYTHON:-python3}
PEERS=() # what to end at the end
WITHOUT=()
[ -z "${VSRPC_TEST_WITHOUT:-}" ] ||
	WITHOUT=("$top_builddir/tests/kernel/without" "$VSRPC_TEST_WITHOUT" --)

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

need() { command -v "$1" >/dev/null 2>&1 || skip_all "there is no $1"; }
for program in "$VSRPC" "$AGENT"; do
	[ -x "$program" ] || skip_all "this build has no ${program##*/}"
done
need "$PYTHON"
need curl

WORK=$(mktemp -d) || exit
cleanup() { # which a second signal does not break off
	trap '' INT TERM HUP
	[ ${#PEERS[@]} = 0 ] || stop "${PEERS[@]}"
	rm -rf "$WORK" "$WORK.out" "$WORK.err"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
cd "$WORK" || exit

# Nothing of the machine's own configuration or environment.
unset VIRTIO_SOCKET LIBVIRT_DEFAULT_URI
printf 'logging:\n  file: none\nconnection:\n  lock_dir: %s\n' "$WORK" >host.yaml
printf 'logging:\n  file: none\nretry:\n  max_retries: 1\n  retry_interval: 0.1\n  timeout_interval: 0.1\nconnection:\n  connect_timeout: 2\n  lock_dir: %s\n' "$WORK" >quick.yaml
virsh_() { "$VSRPC" --config "$WORK/host.yaml" "$@"; }
quick() { "$VSRPC" --config "$WORK/quick.yaml" "$@"; }

# shellcheck disable=SC2034 # PID and SOCKET are for the scripts
start_agent() {
	local name=$1
	shift
	SOCKET=$WORK/$name.sock
	"${WITHOUT[@]}" "$AGENT" --config "$WORK/$name.yaml" --listen "$SOCKET" "$@" 2>"$WORK/$name.stderr" &
	PID=$!
	PEERS+=("$PID")
	t_within 20 test -S "$SOCKET" || { t_diag "$(cat "$WORK/$name.stderr")"; return 1; }
}

# shellcheck disable=SC2034
start_peer() {
	SOCKET=$WORK/$1.sock
	COUNTS=$WORK/$1.counts
	rm -f "$SOCKET" # of a peer before it, which nobody listens at
	"$PYTHON" "$top_srcdir/tests/peer/agent.py" "$SOCKET" "$COUNTS" "$2" &
	PID=$!
	PEERS+=("$PID")
	t_within 20 test -S "$SOCKET"
}

stop() { t_kill "$@"; wait "$@" 2>/dev/null; }

# soon TOOK SECONDS: it took less, or no more than the load of this machine makes of
# them (t_patience).
soon() {
	awk -v took="$1" -v ms="$(t_patience "${2}e3")" 'BEGIN { exit !(took * 1000 < ms) }'
}
since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'; }
below() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'; }

# Domains of libvirt's test driver: `node NAME` writes those on its standard input
# to NAME.xml, for test://$WORK/NAME.xml.
# shellcheck disable=SC2016 # quotes of XML
channel() { # NAME [PATH]
	printf "<channel type='unix'>%s<target type='virtio' name='%s' state='connected'/></channel>" "${2:+<source mode='bind' path='$2'/>}" "$1"
}
domain() { # NAME UUID-END [CHANNEL…]
	printf "<domain type='test'><name>%s</name><uuid>11111111-2222-3333-4444-%012d</uuid><memory>1024</memory><os><type>hvm</type></os><devices>" "$1" "$2"
	shift 2
	printf '%s' "$@"
	printf '</devices></domain>\n'
}
node() { printf '<node>\n%s\n</node>\n' "$(cat)" >"$1.xml"; }
