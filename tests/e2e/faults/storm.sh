#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The storm: hundreds of clients killed at any byte of anything, each followed at
# once by a normal command. See storm.py, also for how to repeat a round. And what
# an agent does that has no client at all.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

export VSRPC SOCKET DOMAIN PORT WORK
# The third port has an agent that nobody comes to, while its neighbour has the
# storm.
IDLE=${FAULTS_IDLE:-60} # seconds, at least
cpu() { second cut -d' ' -f14,15 "/proc/$1/stat"; } # ticks, user's and kernel's
work_of() { echo "$(agent_switches "$1") $(cpu "$1")"; }
idle_agent() { agent_pid test.spare.0 | grep .; }
idle_settled() { agent_settled "$idle_pid"; }
second sh -c 'setsid vsrpc-agent --device /dev/virtio-ports/test.spare.0 </dev/null >/dev/null 2>&1 &'
t "an agent for the third port" t_within 10 idle_agent
idle_pid=$(idle_agent)
t "… has nothing left to do" t_within 10 idle_settled
idle_work=$(work_of "$idle_pid")
idle_since=$SECONDS
# -B: no compiled files in the source tree
"${PYTHON:-python3}" -B "$(dirname "$0")/storm.py" "$WORK/result"
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

# --- the one without a client
left=$((IDLE - (SECONDS - idle_since)))
[ "$left" -le 0 ] || sleep "$left" # the time over which it must not wake up
t_is "no wake-up and no work in $((SECONDS - idle_since)) s without a client" "$idle_work" "$(work_of "$idle_pid")"
read -r first median < <("${PYTHON:-python3}" -B "$(dirname "$0")/rude.py" "$(live_socket test.spare.0)" "$WORK/ready" first)
# An agent that looks at intervals of 100 ms would need that much more.
t "then the first client is answered at once ($first ms, later ones $median ms)" \
	[ "${first:-999}" -le $((${median:-0} + $(t_patience 50))) ]
second kill "$idle_pid"
t_within 10 second test ! -d "/proc/$idle_pid"

done_testing
