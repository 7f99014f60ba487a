# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For the scripts in the folders here. Each is sourced by nothing and run by
# tests/e2e/run with these variables set:
#   VSRPC   path of vsrpc-virsh        DOMAIN  the guest to use
#   URI     libvirt's URI (also LIBVIRT_DEFAULT_URI, so VSRPC needs no option)
#   SOCKET  the channel's UNIX socket  PORT    the channel's name
#   WORK    an empty folder, removed afterwards; also the current folder
#
# Every helper prints one TAP line. A failing test does not end the script; a
# script that ends without `done_testing` counts as one failure more.
#
#   t "description" COMMAND…                passes when COMMAND exits 0
#   t_not "description" COMMAND…            passes when it does not
#   t_status "description" STATUS COMMAND…  passes when it exits with STATUS
#   t_is "description" EXPECTED ACTUAL
#   t_like "description" PATTERN ACTUAL     PATTERN is an extended regex
#   t_json "description" EXPRESSION TEXT    EXPRESSION is Python, TEXT is d in it
#   t_skip "description" "reason"
#   t_within SECONDS COMMAND…               poll until COMMAND succeeds (for t); so
#                                           long on an idle machine, on a loaded
#                                           one ten times that
#   t_soon "description" MS START           so long ago, or less, was START, an
#                                           $EPOCHREALTIME; longer by t_patience
#   at_lock PID                             it waits for the channel or has it
#   t_patience MS                           prints it, longer by the load of this machine
#   t_finally COMMAND…                      run it when the script ends, however
#   t_kill [-SIGNAL] PID…                   those of our jobs that have not ended;
#                                           fails when one has
# After t, t_not and t_status the command's output is in $OUT and $ERR.

T_COUNT=0
OUT='' ERR=''

t_result() { # ok|not\ ok DESCRIPTION
	T_COUNT=$((T_COUNT + 1))
	printf '%s %d - %s\n' "$1" "$T_COUNT" "${2//#/\\#}"
}

t_diag() { printf '#   %s\n' "${*//$'\n'/$'\n#   '}"; }

# $WORK belongs to the script, which may list it: the captures lie beside it.
t_run() {
	local rc=0
	"$@" >"$WORK.out" 2>"$WORK.err" || rc=$?
	# tr: bash warns about each NUL it drops
	OUT=$(tr -d '\0' <"$WORK.out") ERR=$(tr -d '\0' <"$WORK.err")
	return "$rc"
}

t_failed() { # DESCRIPTION STATUS COMMAND…
	t_result 'not ok' "$1"
	local status=$2
	shift 2
	t_diag "command: $*"
	t_diag "exit status: $status"
	t_diag "stdout: ${OUT:0:2000}"
	t_diag "stderr: ${ERR:0:2000}"
}

t_status() {
	local description=$1 expected=$2 rc=0
	shift 2
	t_run "$@" || rc=$?
	if [ "$rc" = "$expected" ]; then
		t_result ok "$description"
	else
		t_failed "$description" "$rc (expected $expected)" "$@"
	fi
}

t() {
	local description=$1
	shift
	t_status "$description" 0 "$@"
}

t_not() {
	local description=$1 rc=0
	shift
	t_run "$@" || rc=$?
	if [ "$rc" != 0 ]; then
		t_result ok "$description"
	else
		t_failed "$description" 0 "$@"
	fi
}

t_is() {
	if [ "$2" = "$3" ]; then
		t_result ok "$1"
	else
		t_result 'not ok' "$1"
		t_diag "expected: $2"
		t_diag "actual:   ${3:0:2000}"
	fi
}

t_like() {
	if [[ $3 =~ $2 ]]; then
		t_result ok "$1"
	else
		t_result 'not ok' "$1"
		t_diag "pattern: $2"
		t_diag "actual:  ${3:0:2000}"
	fi
}

# The text is one JSON value, d in the Python expression, which must be true.
t_json() { # DESCRIPTION EXPRESSION TEXT
	local why
	if why=$(printf '%s' "$3" | "${PYTHON:-python3}" -c '
import json, sys
d = json.load(sys.stdin)
def types(o, **kinds):
    return all(type(o[k]) in (v if isinstance(v, tuple) else (v,)) for k, v in kinds.items())
if not eval("(" + sys.argv[1] + ")"):
    sys.exit("not true")' "$2" 2>&1); then
		t_result ok "$1"
	else
		t_result 'not ok' "$1"
		t_diag "expression: $2"
		t_diag "text:       ${3:0:2000}"
		t_diag "$(tail -n 1 <<<"$why")"
	fi
}

md5_of() { md5sum <"$1" | cut -d' ' -f1; }

t_skip() {
	T_COUNT=$((T_COUNT + 1))
	printf 'ok %d - %s # SKIP %s\n' "$T_COUNT" "${1//#/\\#}" "$2"
}

# How long it takes is not what is tested: what comes is not waited for longer.
t_within() {
	local deadline=$((SECONDS + 10 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05 # the step of a poll
	done
}

# t_patience MS: an upper time of a machine with nothing else to do, on this one as
# it is now: each process that waits for a processor makes the others slower, and
# most of these times are made of two that wait, ours and the guest's.
t_patience() {
	awk -v ms="$1" -v cores="$(nproc)" '{
		split($4, runs, "/")
		load = (runs[1] > $1 ? runs[1] : $1) / cores
		print int(ms * (load > 1 ? 2 * load : 1)) }' /proc/loadavg
}

t_soon() {
	local limit took
	limit=$(t_patience "$2")
	took=$(awk -v a="$3" -v b="$EPOCHREALTIME" 'BEGIN { print int(1000 * (b - a)) }')
	if [ "$took" -le "$limit" ]; then
		t_result ok "$1"
	else
		t_result 'not ok' "$1"
		t_diag "took $took ms, at most $limit"
	fi
}

# at_lock PID: a command of ours waits for the channel, or has it.
at_lock() { find "/proc/$1/fd" -lname '*.lock' 2>/dev/null | grep -q .; }

# Raw HTTP, for what the CLI would never send: http METHOD TARGET [CURL-OPTION…]
http() {
	local method=$1 target=$2
	shift 2
	curl -sS --max-time 200 --unix-socket "$SOCKET" -X "$method" "$@" "http://virtio-rpc$target"
}

# The path of the live socket, afresh: it changes when the domain restarts.
live_socket() { "$VM_TOOL" socket "$DOMAIN" "${1:-$PORT}"; }

# --- the agent, seen through the small guest's other one, which leaves it in peace

second() { "$VSRPC" --channel test.vserial.0 "$DOMAIN" exec -- "$@"; }

agent_pid() { # [PORT]
	# shellcheck disable=SC2016 # the guest's shell expands
	second sh -c 'for p in $(pidof vsrpc-agent); do
		if tr "\0" " " </proc/$p/cmdline | grep -q "$1"; then echo $p; fi; done' sh "${1:-$PORT}"
}

agent_fds() { second ls "/proc/$1/fd" | grep -c .; } # PID

# Times that it went to sleep: the same number at two looks is no wake-up.
agent_switches() { second sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "/proc/$1/status"; } # PID

agent_settled() { # PID: two looks in a row say the same
	local a b
	a=$(agent_switches "$1")
	sleep 0.3 # from one look to the next
	b=$(agent_switches "$1")
	[ "$a" = "$b" ]
}

# What must not outlive the script: what runs beside it, and what it names here,
# the latest first.
T_FINALLY=()

t_finally() {
	local command
	printf -v command '%q ' "$@"
	T_FINALLY=("$command" "${T_FINALLY[@]}")
}

# bash has waited for a job that has ended, whether we have or not, so that its
# number may be another process's by now, of another run or of the machine's.
t_kill() { # [-SIGNAL] PID…
	local signal=-TERM pid running rc=0
	case ${1:-} in -*) signal=$1 && shift ;; esac
	running=" $(jobs -pr | tr '\n' ' ') "
	for pid; do
		case $running in
		*" $pid "*) kill "$signal" "$pid" || rc=1 ;;
		*) rc=1 ;;
		esac
	done
	return "$rc"
}

t_end() {
	local jobs command
	mapfile -t jobs < <(jobs -pr)
	t_kill "${jobs[@]}" 2>/dev/null
	for command in "${T_FINALLY[@]}"; do eval "$command"; done
}
trap t_end EXIT
trap 'exit 143' INT TERM HUP

done_testing() { printf '1..%d\n' "$T_COUNT"; }

# --- the specification's configuration files as they are, but for paths

specified_guest_config() { # DEVICE LOG
	cat <<END
# guest_config.yaml
device:
  path: $1
  buffer_size: 65536

server:
  max_request_size: 10MB
  request_timeout: 60

security:
  enable_auth: false
  allowed_commands: []  # 空表示使用默认白名单
  allowed_paths:
    - /tmp/
    - /var/log/
    - /home/

logging:
  level: INFO
  file: $2
  max_size: 10MB
  backup_count: 5
END
}

specified_host_config() { # SOCKET LOG
	cat <<END
# host_config.yaml
connection:
  socket_path: $1
  connect_timeout: 5
  read_timeout: 30
  write_timeout: 30

retry:
  max_retries: 3
  retry_interval: 1
  backoff_factor: 2

logging:
  level: INFO
  file: $2
  max_size: 10MB
  backup_count: 5
END
}
