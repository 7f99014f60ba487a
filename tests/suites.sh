# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Suites of tests, side by side: what runs them, counts what they say, and sums
# it up.
#
# A suite is a command with a log of its own and a counter, which reads from
# that log how many tests passed, failed and were skipped. A lane is a process
# that runs suites one after the other; lanes run at the same time, each in a
# process group of its own, so that all of one can be ended. What a suite makes
# it removes when it gets a SIGTERM.
#
#   suites_begin FOLDER              where the logs go; what was there is removed
#   suite NAME COUNTER COMMAND…      run one; its line is printed when it has ended
#   lane FUNCTION ARG…               start a lane, when there is room for it
#   lanes_wait                       until all of them have ended
#   suites_report                    the table, the slowest tests, the totals;
#                                    fails when a test failed

SUITES_LOG='' # the folder; in it NAME.log, and:
#   results: a line "SECONDS PASSED FAILED SKIPPED NAME" for each suite
#   times:   a line "SECONDS TEST" for each test, written by those that run them
#   failed:  what failed, by name, with its suite
LANES=()      # process groups
LANES_MAX=$(($(nproc) * 2)) # at a time: no processor is idle with these, and more
                            # of them made all of them slower

suites_begin() {
	SUITES_LOG=$1
	rm -rf "$1"
	mkdir -p "$1" && : >"$1/results" && : >"$1/times" && : >"$1/failed"
}

seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

# --- counters: read a log, print "passed failed skipped" ------------------------

# With VERBOSE=1 make shows the summary once more when a test failed.
automake_counts() {
	awk '/^# TOTAL:/ { p = f = s = 0 }
		/^# (PASS|XFAIL):/ { p += $3 } /^# (FAIL|XPASS|ERROR):/ { f += $3 }
		/^# SKIP:/ { s += $3 } END { print p + 0, f + 0, s + 0 }' "$1"
}

# "passed N failed N skipped N", as a run of ours ends; there may be several.
run_counts() {
	awk '/^passed [0-9]+ failed [0-9]+ skipped [0-9]+$/ { p += $2; f += $4; s += $6 }
		END { print p + 0, f + 0, s + 0 }' "$1"
}

one_count() { echo 0 0 0; } # a suite that is one test

# --- one suite -------------------------------------------------------------------

# A suite that failed without naming a failed test is one failure; one that
# passed without naming any is one test.
suite() {
	local name=$1 counter=$2 log=$SUITES_LOG/${1//[ \/]/-}.log start=$EPOCHREALTIME
	local rc=0 passed failed skipped seconds
	shift 2
	VSRPC_TIMES=$SUITES_LOG/times "$@" >"$log" 2>&1 </dev/null || rc=$?
	read -r passed failed skipped < <("$counter" "$log")
	if [ "$rc" != 0 ] && [ "$failed" = 0 ]; then
		failed=1
	elif [ "$rc" = 0 ] && [ $((passed + failed + skipped)) = 0 ]; then
		passed=1
	fi
	seconds=$(seconds_since "$start")
	echo "$seconds $passed $failed $skipped $name" >>"$SUITES_LOG/results"
	suite_show "$name" "$log"
	[ "$failed" = 0 ]
}

# As one write, for other lanes write as well.
suite_show() { # NAME LOG, and those of its caller
	printf '%s\n' "$(
		printf '==> %-32s %5d passed, %d failed, %d skipped (%s s)' \
			"$1" "$passed" "$failed" "$skipped" "$seconds"
		[ "$failed" = 0 ] || suite_failures "$1" "$2"
	)"
}

# What failed, by name and with what is said of it; of what has no name what make,
# the shell and the kernel said.
suite_failures() { # NAME LOG
	local what
	what=$(awk '/^(not ok|FAIL:|ERROR:|XPASS:)/ { print; said = 8; n++; next }
		said-- > 0 && /^#  / { print; next } { said = 0 }
		/: \*\*\* |[Ee]rror|Killed|Terminated|No space/ { last[++m] = $0 }
		END { if (n) exit; print "without a name"
			for (i = m > 20 ? m - 19 : 1; i <= m; i++) print last[i] }' "$2" | head -n 100)
	echo
	awk '{ print "    " $0 }' <<<"$what"
	awk -v suite="$1" '{ print suite ": " $0 }' <<<"$what" >>"$SUITES_LOG/failed"
	tail -n 30 "$2" | sed 's/^/    | /'
}

# --- lanes -------------------------------------------------------------------------

# Waits until fewer than LANES_MAX run.
lane() {
	trap 'lanes_end; exit 130' INT TERM HUP
	while lanes_living && [ "${#LANES[@]}" -ge "$LANES_MAX" ]; do wait -n "${LANES[@]}"; done
	set -m # a process group for each, in which SIGINT is not ignored
	(set +m && "$@") &
	set +m
	LANES+=("$!")
}

lanes_living() {
	local lane living=()
	for lane in "${LANES[@]}"; do ! kill -0 "$lane" 2>/dev/null || living+=("$lane"); done
	LANES=("${living[@]}")
}

lanes_wait() {
	wait "${LANES[@]}"
	trap - INT TERM HUP
	LANES=()
}

# Interrupted: each lane ends what it runs, and is waited for.
lanes_end() {
	local lane
	trap '' INT TERM HUP
	lanes_living
	for lane in "${LANES[@]}"; do kill -TERM -- "-$lane" 2>/dev/null; done
	wait "${LANES[@]}" 2>/dev/null
}

# --- the end -----------------------------------------------------------------------

# On a machine that is made for the tests (CI=true) a skipped one is a failure.
suites_report() {
	printf '\n%8s %8s %8s %10s  %s\n' passed failed skipped seconds suite
	sort -rn "$SUITES_LOG/results" |
		awk '{ printf "%8d %8d %8d %10.1f ", $2, $3, $4, $1; for (i = 5; i <= NF; i++) printf " %s", $i; print "" }'
	printf '\nThe slowest tests:\n'
	sort -rn "$SUITES_LOG/times" | head -n 10 | awk '{ printf "%8.1f s ", $1; for (i = 2; i <= NF; i++) printf " %s", $i; print "" }'
	[ ! -s "$SUITES_LOG/failed" ] || { printf '\nWhat failed:\n' && cut -c 1-300 "$SUITES_LOG/failed"; }
	echo
	awk -v strict="${CI:-}" '{ p += $2; f += $3; s += $4 }
		END {
			if (s) print s " skipped"
			if (strict == "true") f += s
			print p + 0 " passed, " f + 0 " failed"
			exit f > 0
		}' "$SUITES_LOG/results"
}
