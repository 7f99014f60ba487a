#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What happens to the agent: killed in the middle of an upload, a second one at
# its port, children that will not go, output without end, a full disk, a clock
# that is set.
# shellcheck source=../disturb.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../disturb.sh"

in_guest() { "$VSRPC" -q "$DOMAIN" exec -- "$@"; }

# --- killed in the middle of an upload of what reads like requests
# Kills the agent once the file without a name has this many bytes.
kill_at='touch /tmp/killer
while [ -d "/proc/$1" ]; do
	for fd in /proc/$1/fd/*; do
		case $(readlink "$fd") in *deleted*) ;; *) continue ;; esac
		size=$(stat -L -c %s "$fd") && [ "$size" -ge "$2" ] && kill -9 "$1" && exit 0
	done
done
exit 1'
size=$((20 << 20))
curl_put() { # curl goes on sending to whoever serves the port now
	curl -sS --max-time 200 --limit-rate 16M --speed-limit 1 --speed-time 8 --unix-socket "$SOCKET" \
		-T "$1" "http://virtio-rpc/api/v1/file/content?path=/tmp/up.$1"
}
clear_up() { second sh -c 'rm -f /tmp/up.* /tmp/marker /tmp/killer'; }

killed_upload() { # FILE WHO COMMAND…
	local file=$1 who=$2 pid left
	shift 2
	clear_up
	pid=$(agent_pid "$PORT")
	bg killer "$VSRPC" -q --channel test.vserial.0 "$DOMAIN" exec --timeout 150 -- \
		sh -c "$kill_at" sh "$pid" $((size / 3))
	t_within 10 in_guest test -e /tmp/killer
	bg upload "$@"
	bg_end killer 20
	t_is "agent killed while $who uploads '$file'" 0 "$RC"
	bg_end upload 40
	if [ "$RC" = 0 ]; then
		t_is "… the upload is repeated, and right" "$(md5_of "$file")" "$(second md5sum "/tmp/up.$file" | cut -d' ' -f1)"
	else
		t_like "… the upload ends with a status that says so" '^(28|55|56|1|123|125)$' "$RC"
		t_like "… and with words" . "$ERR"
		t_is "… and there is no file" '' "$(second sh -c 'ls /tmp/up.* 2>/dev/null')"
	fi
	t_next "… the next command is right"
	t_not "… it is another agent" [ "$(agent_pid "$PORT")" = "$pid" ]
	left=$(second sh -c 'test ! -e /tmp/marker || wc -l </tmp/marker')
	t_is "… no request out of the file has run" '' "$left"
	t_is "… nothing half is left" '' "$(second sh -c 'ls -A /tmp | grep vsrpc')"
}

for file in plain sync; do
	# shellcheck disable=SC2094 # one is a word, the other a file
	"$PYTHON" "$HERE/hostile.py" "$file" "$size" /tmp/marker >"$file"
	killed_upload "$file" curl curl_put "$file"
done
killed_upload sync vsrpc-virsh "$VSRPC" --timeout 60 "$DOMAIN" upload sync /tmp/up.sync

# --- the agent lives, but who uploads such a file leaves and another comes
for file in plain sync; do
	clear_up
	t "clients leave anywhere in '$file', each followed at once by another" \
		"$PYTHON" "$HERE/leave.py" "$SOCKET" "$file" 30
	t_next "… the next command is right"
	t_is "… no request out of the file has run" '' "$(second sh -c 'test ! -e /tmp/marker || wc -l </tmp/marker')"
	t_is "… there is no file" '' "$(second sh -c 'ls -A /tmp | grep "^up\|vsrpc"')"
done
clear_up
t "the same file is uploaded when nobody interferes" "$VSRPC" "$DOMAIN" upload plain /tmp/up.plain
t_is "… and is right" "$(md5_of plain)" "$(second md5sum /tmp/up.plain | cut -d' ' -f1)"
t_is "… and not obeyed" '' "$(second sh -c 'ls /tmp/marker 2>/dev/null')"
clear_up
rm -f plain sync

# --- a second agent at the same port
first=$(agent_on_spare first)
t "an agent is started at the spare port" t_within 10 spare_answers
other=$(agent_on_spare other)
told() { second grep -qi "$1" /tmp/other.log; }
t "a second one says that the port is taken" t_within 10 told 'busy.*waiting for it'
switches() { second awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$other/status"; }
before=$(switches)
sleep 4 # the time over which it is watched
after=$(switches)
t "… and hardly wakes up ($((after - before)) times in 4 s)" [ $((after - before)) -le 12 ]
t "… the first one still answers" spare_answers
NEXT=("$VSRPC" --channel test.spare.0 "$DOMAIN")
bg flight "$VSRPC" -v --channel test.spare.0 "$DOMAIN" exec --timeout 100 -- sh -c 'echo x >>/tmp/first.ran; sleep 200'
t "a command is under way" t_within 10 second test -e /tmp/first.ran
second kill -9 "$first"
t "the first one ends, and the second one takes the port" t_within 10 told 'found'
bg_end flight 20
t_is "… what was under way is not said to be done: outcome unknown" 123 "$RC"
t_like "… because the agent is another one" 'agent was restarted' "$ERR"
t_like "… which said so itself, without a silence first" 'another agent has the channel in the guest now' "$ERR"
t_next "… the next command is right"
t_is "… and ran once" 1 "$(second wc -l /tmp/first.ran | cut -d' ' -f1)"
second sh -c "kill $other; rm -f /tmp/first* /tmp/other*; for p in \$(pidof sleep); do kill \$p; done"
NEXT=("$VSRPC" "$DOMAIN")

# --- children that will not go
# Each of them writes down its pid, to be looked for afterwards.
stubborn='trap "" TERM HUP INT; echo $$ >>/tmp/pids'
living() { second sh -c 'for p in $(cat /tmp/pids); do [ ! -d /proc/$p ] || echo $p; done'; }
none_lives() { [ -z "$(living)" ]; }

second rm -f /tmp/pids
bg child "$VSRPC" --json "$DOMAIN" exec --timeout 1 -- sh -c "$stubborn; (echo \$\$; exec sleep 301) & while :; do sleep 1; done"
bg_end child 15
t_is "a child that ignores TERM ends with its timeout" 124 "$RC"
t_ms "… soon after it" 1000 8000 "$MS"
t "… its group has gone" t_within 5 none_lives
t_is "… with all who were in it" '' "$(second sh -c 'grep -l "[s]leep.301" /proc/[0-9]*/cmdline 2>/dev/null')"
t_next "… the next command is right"

daemon="(setsid sh -c '$stubborn; while :; do sleep 1; done' &)"
for end in 'exit 3' 'while :; do sleep 1; done'; do
	second rm -f /tmp/pids
	# it must have its pid written down before the leader goes, or its time ends
	time=$(($(t_patience 2000) / 1000))
	bg child "$VSRPC" --json "$DOMAIN" exec --timeout "$time" -- sh -c "$daemon; until [ -s /tmp/pids ]; do :; done; echo out; $end"
	bg_end child $((time + 15))
	if [ "$end" = 'exit 3' ]; then
		t_is "a daemon that holds the pipes does not hold up exec" 3 "$RC"
	else
		t_is "… nor does it when the command is timed out" 124 "$RC"
	fi
	t_ms "… it is answered in time" 0 $((time * 1000 + 6000)) "$MS"
	t_json "… what there was of output is there, and that somebody is left" \
		"d['data']['stdout'] == 'out\n' and d['data']['orphans'] is True" "$OUT"
	t_not "… for it is no business of ours" none_lives
	t_next "… the next command is right"
	second sh -c 'kill -9 $(cat /tmp/pids)'
done

# --- 1 GiB of output
peak() { second awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }
rss() { second awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
pid=$(agent_pid "$PORT")
t "output without end can be asked for" second sh -c "echo 5 >/proc/$pid/clear_refs"
before=$(rss "$pid")
limit=$(($(t_patience 80000) / 1000))
BG_LIMIT=$((limit + 10)) bg gib "$VSRPC" "$DOMAIN" exec --timeout "$limit" -- dd if=/dev/zero bs=1M count=1024
bg_end gib $((limit + 5))
t_is "a command that prints 1 GiB comes to its end" 0 "$RC"
t_is "… all of it arrives" $((1 << 30)) "$(stat -c %s "$WORK/bg.gib.out")"
peak=$(peak "$pid")
t "… and the agent stays small: $peak kB" [ "$peak" -lt 16384 ]
rm -f "$WORK/bg.gib.out"
# In one answer it cannot arrive.
second sh -c "echo 5 >/proc/$pid/clear_refs"
http POST /api/v1/shell/exec -H 'Content-Type: application/json' \
	-d '{"argv": ["dd", "if=/dev/zero", "bs=1M", "count=256"]}' -o "$WORK/bg.gib.out"
t_like "shell/exec cuts it, and says so" '"truncated": ?true' "$(tail -c 200 "$WORK/bg.gib.out")"
got=$((32 << 20)) # max_output_size
peak=$(peak "$pid")
# what is kept of it once, and the agent itself
t "… with bounded memory: $peak kB" [ "$peak" -le $(((got >> 10) * 5 / 4 + 8192)) ]
t_next "… the next command is right"
given_back() { [ "$(rss "$pid")" -le $((before + 4096)) ]; }
t "… and the memory is given back" t_within 10 given_back
t_is "… by the same agent" "$pid" "$(agent_pid "$PORT")"
rm -f "$WORK"/bg.*

# --- a full disk
in_guest sh -c 'mkdir -p /mnt/full && mount -t tmpfs -o size=4m tmpfs /mnt/full && echo kept >/mnt/full/old'
used() { in_guest sh -c 'df /mnt/full | tail -n 1' | awk '{ print $3 }'; }
there() { in_guest ls -A /mnt/full; }
before=$(used)
head -c $((16 << 20)) /dev/urandom >big
json_upload() {
	"$PYTHON" -c 'import base64, json, sys
print(json.dumps({"path": "/mnt/full/new", "content": base64.b64encode(open("big", "rb").read(5 << 20)).decode()}))' >body
	http POST /api/v1/file/upload -H 'Content-Type: application/json' --data-binary @body
}
full() { # WHO, with what it said in OUT
	t_like "… $1 is told why" 'No space left on device' "$OUT$ERR"
	t_is "… nothing new is there" old "$(there)"
	t_is "… not even without a name: the room is back" "$before" "$(used)"
	t_next "… the next command is right"
}
t_status "an upload to a full disk fails" 1 "$VSRPC" "$DOMAIN" upload big /mnt/full/new
full vsrpc-virsh
t_status "one over a file fails" 1 "$VSRPC" "$DOMAIN" upload big /mnt/full/old
full vsrpc-virsh
t_is "… which is as it was" kept "$(in_guest cat /mnt/full/old)"
t "curl's PUT is answered" http PUT '/api/v1/file/content?path=/mnt/full/new' -H 'Expect:' -T big
full "curl's PUT"
t "file/upload is answered" json_upload
full file/upload
head -c $((3 << 20)) big >fits
t "what fits is taken" "$VSRPC" "$DOMAIN" upload fits /mnt/full/new
t_is "… and right" "$(md5_of fits)" "$(in_guest md5sum /mnt/full/new | cut -d' ' -f1)"
in_guest umount /mnt/full
rm -f big fits body

# --- a clock that is set
set_clock() { second sh -c 'date -s "@$(($(date +%s) + $1))" >/dev/null' sh "$1"; }
running() { second test -e /tmp/clock.ran; }
for step in 86400 -172800 86400; do
	bg clock "$VSRPC" --json "$DOMAIN" exec --timeout 3 -- sh -c 'touch /tmp/clock.ran; sleep 60'
	t "a command is under way" t_within 10 running
	t "the clock is set by $step s meanwhile" set_clock "$step"
	bg_end clock 15
	t_is "… the timeout is not led astray" 124 "$RC"
	t_ms "… neither early nor late" 2900 6000 "$MS"
	t_json "… nor is the time it took" "2900 <= d['data']['duration_ms'] <= 6000" "$OUT"
	t_next "… the next command is right"
	second rm -f /tmp/clock.ran
done

(umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >key)
printf 'security: {auth_key_file: %s}\nlogging: {file: none}\n' "$WORK/key" >host.yaml
t "a key for an agent" "$VSRPC" "$DOMAIN" upload --mode 0600 key /tmp/agent.key
agent=$(agent_on_spare signed 'enable_auth: true\n  auth_key_file: /tmp/agent.key')
NEXT=("$VSRPC" --config "$WORK/host.yaml" --channel test.spare.0 "$DOMAIN")
t "an agent that wants signatures" t_within 10 "${NEXT[@]}" ping
t_not "… does" spare_answers
for step in 86400 -172800 86400; do
	t "the clock is set by $step s" set_clock "$step"
	t_next "… the next signature counts"
done
second sh -c "kill $agent; rm -f /tmp/signed.* /tmp/agent.key"

done_testing
