#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The storm: hundreds of clients killed at any byte of anything, each followed at
# once by a normal command. See storm.py, also for how to repeat a round.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

export VSRPC SOCKET DOMAIN PORT WORK
"${PYTHON:-python3}" "$(dirname "$0")/storm.py" "$WORK/result"
t_is "the storm came to its end" 0 $?

declare -A got
while read -r name value; do got[$name]=$value; done <"$WORK/result"
# nothing counts as zero that was not looked at
is() { t_is "$1" "$2" "${got[$3]:-unknown}"; }

is "all rounds were run" "${STORM_ROUNDS:-500}" rounds
t "most victims were in the middle of something (${got[busy_percent]:-0} %)" [ "${got[busy_percent]:-0}" -ge 70 ]
is "every following command had its own answer and exit status 0" 0 wrong
is "none had anybody else's" 0 foreign
is "none came later than 2 s" 0 late
is "nothing was carried out twice" 0 twice
is "no following command was answered and not carried out" 0 lost
is "no request inside a file was carried out" 0 evil
is "no file appeared that was not whole" 0 torn
is "the agent is the same process" 1 same_pid
is "it has as many descriptors as before" 0 fds_more
is "it holds no file without a name" 0 unnamed
is "no temporary file is left" 0 files
is "no command is left" 0 processes
is "no zombie is left" 0 zombies
# 1 MiB: 1024 remembered requests of some 300 bytes, and what malloc keeps in
# pieces; a leak of 2 KiB for each round would be more.
t "it has at most 1 MiB more memory (${got[rss_more]:-unknown} kB)" [ "${got[rss_more]:-9999}" -le 1024 ]

done_testing
