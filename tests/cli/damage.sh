#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Uploads over a channel that changes a byte of them, to a real agent.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

off='rate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}'
(umask 077; printf '0123456789abcdef0123456789abcdef' >key)
mkdir guest
printf '%s\nlogging: {file: none}\n' "$off" >plain.yaml
printf '%s\nsecurity: {enable_auth: true, auth_key_file: %s}\nlogging: {file: none}\n' "$off" "$WORK/key" >signed.yaml
cp host.yaml plain.host.yaml
{ cat host.yaml && printf 'security: {auth_key_file: %s}\n' "$WORK/key"; } >signed.host.yaml

# One zero in each file, which is all that the channel may change of it.
content() { head -c "$1" /dev/zero | tr '\0' "$2"; }
printf 'a\0z' >small
{ content 3000000 a && printf '\0' && content 6500000 b; } >first # in the first of three parts
{ content 9300000 c && printf '\0' && content 2000 d; } >last     # in the last one

# channel TIMES: one that damages so many bytes, at $SOCKET.
channel() {
	COUNTS=$WORK/flip.counts
	rm -f "$WORK/flip.sock"
	"$PYTHON" "$top_srcdir/tests/peer/flip.py" "$WORK/flip.sock" "$AGENT_SOCKET" "$COUNTS" "$1" &
	FLIP=$!
	PEERS+=("$FLIP")
	SOCKET=$WORK/flip.sock
	t_within 20 test -S "$SOCKET"
}
upload() { "$VSRPC" -v --config "$agent.host.yaml" --socket "$SOCKET" upload "$1" "$WORK/guest/$1"; }

while IFS='|' read -r agent file digest; do
	start_agent "$agent"
	AGENT_SOCKET=$SOCKET
	echo old >"guest/$file"
	channel 1000
	t_status "$agent, $file: a copy that is damaged each time" 1 upload "$file"
	t_like "… is said to be" "the copy was damaged on its way: the content is not the one announced \($digest [0-9a-f]+\)" "$ERR"
	t_is "… the target is what it was" old "$(cat "guest/$file")"
	t_is "… and nothing lies beside it" "$file" "$(ls -A guest)"
	t_is "… it was tried twice" 1 "$(grep -c 'damaged on its way; again$' <<<"$ERR")"
	stop "$FLIP"
	channel 1
	t "$agent, $file: a copy that is damaged once is made again" upload "$file"
	t_is "… and right" "$(md5_of "$file")" "$(md5_of "guest/$file")"
	stop "$FLIP"
	channel 0
	t "$agent, $file: a good copy" upload "$file"
	t_is "… is announced once, with its end" "1 md5=$(md5_of "$file")" "$(grep -c md5= "$COUNTS") $(grep -oE 'md5=[0-9a-f]+$' "$COUNTS")"
	stop "$FLIP"
	stop "$PID"
	rm -f guest/*
done <<'END'
plain|small|MD5
plain|first|MD5
plain|last|MD5
signed|small|SHA-256
signed|first|SHA-256
signed|last|SHA-256
END

# --- what others send
start_agent plain
put() { http PUT "/api/v1/file/content?path=$WORK/guest/f$1" --data-binary @small "${@:2}"; }
echo old >guest/f
sum=$(md5_of small) sha=$(sha256sum <small | cut -d' ' -f1)
t_json "another MD5 is announced" "d['code'] == 1004 and d['data']['md5'] == '$sum'" "$(put "&md5=${sum//[0-9]/0}")"
t_json "another SHA-256" "d['code'] == 1004 and d['data']['sha256'] == '$sha'" "$(put '' -H "X-Content-SHA256: ${sha//[0-9]/0}")"
t_json "what is no MD5" "d['code'] == 2001" "$(put '&md5=x')"
t_is "nothing of that was stored" "old f" "$(cat guest/f) $(ls -A guest)"
t_json "the right ones" "d['code'] == 0 and d['data']['md5'] == '$sum'" "$(put "&md5=$sum" -H "X-Content-SHA256: $sha")"
t "… are stored" cmp small guest/f

done_testing
