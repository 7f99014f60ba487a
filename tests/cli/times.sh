#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Times and retries by the table of virtio-rpc-host(5), with short times: how often
# an agent is asked that answers badly, and how long that takes at least. With a
# clock of its own, and all rows: tests/unit/host/client/test-attempts.c.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

cat >times.yaml <<END
logging: { file: none }
connection: { lock_dir: $WORK, connect_timeout: 3, read_timeout: 1, write_timeout: 1 }
retry:
  max_retries: 2
  retry_interval: 0.2
  backoff_factor: 3
  timeout_retries: 2
  timeout_interval: 0.5
  internal_retries: 1
  internal_interval: 0.7
END
cat >once.yaml <<END
logging: { file: none }
connection: { lock_dir: $WORK, read_timeout: 11 }
retry: { max_retries: 3, timeout_retries: 0 }
END
head -c 1000000 /dev/zero >big

requests() { grep -cv /sync "$COUNTS"; }
syncs() { grep -c /sync "$COUNTS"; }
at_least() { awk -v took="$1" -v s="$2" 'BEGIN { exit !(took >= s) }'; }

# Two of the numbers are the least that it may take, and what it takes when nothing
# else runs.
row=0
while IFS='|' read -r mode config status n_requests n_syncs least most words hint command; do
	start_peer "$mode$((row += 1))" "$mode"
	begin=$EPOCHREALTIME
	# shellcheck disable=SC2086 # several words
	t_status "$mode, $command: exit status" "$status" "$VSRPC" --config "$WORK/$config.yaml" --socket "$SOCKET" $command
	took=$(since "$begin")
	t_like "… with the reason" "$words" "$ERR"
	t_like "… and the next step" "$hint" "$ERR"
	t_is "… requests, connections" "$n_requests $n_syncs" "$(requests) $(syncs)"
	t "… after ${least} s at least ($took)" at_least "$took" "$least"
	t "… and soon ($took)" soon "$took" "$most"
	stop "$PID"
done <<'END'
hang|times|125|3|3|4|7|timed out while waiting|--timeout SECONDS|ping
keeps_all_waiting|times|125|3|3|4|7|timed out while waiting|--timeout SECONDS|ping
keeps_all_waiting|once|125|1|1|11|14|timed out while waiting|restart virtio-rpc|ping
hang|times|123|1|1|1|3|outcome unknown||service x restart
deaf|times|125|0|3|4|7|timed out while sending|connection.write_timeout|upload big /tmp/x
close|times|125|3|3|0.8|4|connection lost||ping
close|times|125|3|3|0.8|4|connection lost||call POST /api/v1/file/download {}
shuts|times|125|0|3|0.8|4|broke before the agent answered|virsh list|ping
no_sync|times|125|0|3|3|5|no answer on channel|restart virtio-rpc|ping
fails|times|125|2|1|0.7|4|Internal error|journalctl|ping
fails|times|125|1|1|0|3|Internal error|journalctl|service x restart
fails|times|125|1|1|0|3|Internal error|journalctl|call GET custom/x
close|times|123|1|1|0|4|outcome unknown||call GET custom/x?y
hang|times|123|1|1|1|14|outcome unknown||call GET nothing/ours
END

# --- what is done with files, and what handlers do, has the time that it takes, if
# there are signs of life
sed 's/read_timeout: 1/read_timeout: 0.5/' times.yaml >toils.yaml
while read -r command; do
	start_peer "toils${command%% *}" toils
	# shellcheck disable=SC2086 # several words
	"$VSRPC" --config "$WORK/toils.yaml" --socket "$SOCKET" $command >out 2>err </dev/null
	t_is "$command is not over after read_timeout" "" "$(grep 'timed out' err)"
	t_is "… and asks for each thing once" 1 "$(cut -d' ' -f3 "$COUNTS" | grep -v - | sort | uniq -c | awk '$1 > most { most = $1 } END { print most + 0 }')"
	stop "$PID"
done <<'END'
stat /f
ls /f
cat /f
download /f f
upload times.yaml /f
rm /f
mkdir /f
call GET custom/x
END

done_testing
