# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034 # OUT, ERR, RC and MS are for those who source this
#
# lib.sh, and what the scripts of faults/ share that disturb the guest or its
# agent: commands that run beside the disturbance, and the one after it.
#
#   second COMMAND…                 in the guest, by the agent of the second port
#   bg NAME COMMAND…                start it beside the script
#   bg_end NAME SECONDS             wait for its end: RC, OUT, ERR and MS
#   t_next "description" [MS]       the next command is right, and in time
#   t_ms "description" MIN MAX MS   a time is within bounds
#   agent_on_spare NAME [LINE [PROGRAM]]  one more agent, at test.spare.0; prints
#                                   its pid
# shellcheck source=lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

RC='' MS=''
BAIL_OUT=99                  # exit status: tests/e2e/run begins the script anew, once
NEXT_MS=2000                 # what a user takes for "at once"
NEXT=("$VSRPC" "$DOMAIN")    # whom t_next asks
BG_LIMIT=${BG_LIMIT:-300}    # nothing that runs beside a script lives longer
HERE=$(cd "${BASH_SOURCE[0]%/*}/faults" && pwd)
PYTHON=${PYTHON:-python3}

now_ms() {
	local now=${EPOCHREALTIME/[.,]/}
	echo $((now / 1000))
}

second() { "$VSRPC" -q --channel test.vserial.0 "$DOMAIN" exec -- "$@"; }

bg() {
	local name=$1
	shift
	rm -f "$WORK/bg.$name".*
	(
		rc=0 start=$(now_ms)
		[ "$(type -t "$1")" = function ] || set -- timeout -s KILL "$BG_LIMIT" "$@"
		"$@" </dev/null >"$WORK/bg.$name.out" 2>"$WORK/bg.$name.err" || rc=$?
		echo "$rc $(($(now_ms) - start))" >"$WORK/bg.$name.tmp"
		mv "$WORK/bg.$name.tmp" "$WORK/bg.$name.end"
	) >/dev/null 2>&1 &
}

bg_ended() { [ -e "$WORK/bg.$1.end" ]; }

# One that does not end in time has the status "hangs" and goes on.
bg_end() {
	RC=hangs MS=$(($2 * 1000))
	! t_within "$2" bg_ended "$1" || read -r RC MS <"$WORK/bg.$1.end"
	OUT=$(tr -d '\0' <"$WORK/bg.$1.out") ERR=$(tr -d '\0' <"$WORK/bg.$1.err")
}

t_ms() {
	if [ "$4" -ge "$2" ] && [ "$4" -le "$(t_patience "$3")" ]; then
		t_result ok "$1"
	else
		t_result 'not ok' "$1"
		t_diag "took $4 ms, expected $2 to $3"
	fi
}

# Right is its own output and nothing else, and no time is lost over what went
# before.
t_next() {
	local limit token=next-$RANDOM$RANDOM start took rc=0
	limit=$(t_patience "${2:-$NEXT_MS}")
	start=$(now_ms)
	t_run "${NEXT[@]}" exec -- echo "$token" || rc=$?
	took=$(($(now_ms) - start))
	if [ "$rc" = 0 ] && [ "$OUT" = "$token" ] && [ "$took" -le "$limit" ]; then
		t_result ok "$1"
	else
		t_failed "$1" "$rc after $took ms (at most $limit; expected $token)" "${NEXT[@]}"
	fi
}

# Its log is in the guest's /tmp/NAME.log. LINE replaces the one that switches
# authentication off, PROGRAM the agent that is tested. Ended by `second kill PID`.
agent_on_spare() { # NAME [LINE [PROGRAM]]
	# shellcheck disable=SC2016 # the guest's shell expands
	second sh -c 'sed "s|file: /var/log/.*|file: stderr|; s|enable_auth: false|$2|" \
		/etc/virtio-rpc/guest_config.yaml >"/tmp/$1.yaml"
	setsid "$3" --config "/tmp/$1.yaml" --device /dev/virtio-ports/test.spare.0 \
		</dev/null >"/tmp/$1.log" 2>&1 & echo $!' sh "$1" "${2:-enable_auth: false}" "${3:-vsrpc-agent}"
}

spare_answers() { "$VSRPC" --channel test.spare.0 --timeout 30 "$DOMAIN" ping; }

# The agent that serves the port, of those that init started.
agent_pid() { # PORT
	# shellcheck disable=SC2016
	"$VSRPC" -q --channel "${2:-test.vserial.0}" "$DOMAIN" exec -- sh -c 'for p in $(pidof vsrpc-agent); do
		if tr "\0" " " </proc/$p/cmdline | grep -q "ports/$1 *\$"; then echo $p; fi; done' sh "$1"
}
