#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The rate limit: what counts, what the host says while it waits, and when it does
# not wait.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

cmd() { virsh_ --socket "$SOCKET" "$@"; }
requests() { grep -cv /sync "$COUNTS"; } # besides those that agree on the start

# --- a busy agent that says only in its body for how long
while IFS='|' read -r words line; do
	start_peer "busy-${line%% *}" busy
	begin=$EPOCHREALTIME
	# shellcheck disable=SC2086 # they are several
	t "$line: waits" cmd $line
	took=$(since "$begin") err=$ERR
	t "$line: … as long as the agent says ($took s)" below 1.4 "$took"
	t_is "$line: … without asking in between" 2 "$(requests)"
	t_like "$line: … and says so" "$words" "$err"
	t_is "$line: … once" "${words:+1}" "$(grep -c waiting <<<"$err" | sed 's/^0$//')"
	stop "$PID"
done <<'END'
^vsrpc-virsh: socket '.*': waiting for the agent, 1 s: much to do$|ping
waiting for the agent, 1 s: much to do|--json info
|-q call GET ping
END
start_peer for-ever busy_for_ever
begin=$EPOCHREALTIME
t_status "a time that nobody waits" 125 cmd ping
took=$(since "$begin") err=$ERR
t "… is not waited ($took s)" soon "$took" 5
t_is "… nor asked again" 1 "$(requests)"
t_like "… and that is said" "much to do; the next request is let in after [0-9]+ s, and no more than 120 s are waited.*try: again in [0-9]+ s" "${err//$'\n'/ }"
stop "$PID"

# --- several domains
start_peer fleet busy
{
	domain web1 1 "$(channel org.vsrpc.agent.0 "$SOCKET")"
	domain web2 2 "$(channel org.vsrpc.agent.0 /nowhere)"
} | node node
if virsh_ -c "test://$WORK/node.xml" list >/dev/null 2>&1; then
	t_status "one of several waits" 1 virsh_ -c "test://$WORK/node.xml" --all ping
	t_like "… and it is said which" "web1: .*domain 'web1': waiting for the agent, 1 s: much to do" "$ERR"
fi
stop "$PID"

# --- the limit of a minute: longer than --timeout
mkdir guest
for i in $(seq 20); do echo "$i" >"guest/$i"; done
cat >minute.yaml <<END
security: {allowed_commands: ["*"], allowed_paths: [$WORK/guest], readonly_paths: []}
logging: {file: none}
rate_limit: {requests_per_minute: 10}
END
t "an agent with a limit of 10 a minute" start_agent minute
G=$WORK/guest
# codes METHOD PATH: the HTTP statuses of several requests, on one connection
codes() { curl -sS --max-time 100 --unix-socket "$SOCKET" -X "$1" -o /dev/null -w '%{http_code}\n' "http://virtio-rpc/api/v1/$2" | sort | uniq -c | xargs; }

# An invented id opens nothing.
t_is "a word that is no id is a clear error, and counts" "5 400" "$(codes GET "file/list?path=$G&transfer=constant&[1-5]")"
t_is "the same request with one id, again and again" "5 200 15 503" "$(codes GET "file/list?path=$G&transfer=c0ffee&[1-20]")"
t_is "what is in the folder belongs to it" "20 200" "$(codes GET "file/content?path=$G/[1-20]&transfer=c0ffee")"
for path in "file/content?path=$G-[1-20]&transfer=c0ffee" "file/content?path=$G/1&transfer=[1-20]" "file/digest?path=$G/[1-20]&transfer=1"; do
	t_is "… nor $path" "20 503" "$(codes GET "$path")"
done

echo x >'a file'
while IFS='|' read -r hint line; do
	begin=$EPOCHREALTIME
	t_status "$line: does not wait in vain" 125 eval "cmd --timeout 5 $line"
	took=$(since "$begin") err=$ERR out=$OUT
	t "$line: … at all ($took s)" soon "$took" 5
	case $line in
	--json*) t_json "$line: … and says for how long" "d['code'] == 5002 and 5 < d['data']['retry_after'] <= 60" "$out" ;;
	*)
		t_like "$line: … and says why" "rate limit \(rate_limit in the configuration of the agent\); the next request is let in after [1-6][0-9] s, --timeout is 5 s" "$err"
		t_like "$line: … and what would do" "  try: vsrpc-virsh --timeout [1-7][0-9] --config [^ ]*/host.yaml --socket [^ ]* $hint" "$err"
		;;
	esac
done <<'END'
info$|info
call GET 'system/info\?x'$|call GET "system/info?x"
exec -- sh -c 'echo [$]x'$|exec -- sh -c 'echo $x'
ls /tmp$|ls /tmp
upload 'a file' /tmp/x$|upload 'a file' /tmp/x
upload -r 'a file' host.yaml /tmp|upload -r 'a file' host.yaml /tmp
download /tmp/x y$|download /tmp/x y
|--json info
|--json exec -- true
END
t "ping is not limited" cmd --timeout 5 ping
stop "$PID"

# --- a copy of many files is some operations: one for 256 of them
mkdir -p many/d
for ((i = 0; i < 1000; i++)); do echo "$i" >"many/d/$i"; done
sed -i 's/requests_per_minute: .*/requests_per_second: 20, requests_per_minute: 20}/' minute.yaml
t "an agent with a limit of 20" start_agent minute
t "upload -r of 1,000 files" cmd --timeout 5 upload -r many "$G"
t "… and download -r" cmd --timeout 5 download -r "$G/many" back
t "… which are all there" diff -r many back
stop "$PID"

done_testing
