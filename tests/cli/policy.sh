#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The default policy, the rate limit and signatures, with a real agent.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

off='rate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}'
cmd() { virsh_ --socket "$SOCKET" "$@"; }

# --- the specification's lists, which are the defaults
printf '%s\nlogging: {file: none}\n' "$off" >default.yaml
t "an agent with the default policy" start_agent default
t "ls is allowed" cmd exec "ls -la /tmp"
t "cat by its path is allowed" cmd exec -- /bin/cat /dev/null
for program in sh bash rm env python3 /bin/rm; do
	t_status "$program is refused" 126 cmd exec -- "$program" --version
	t_like "… by allowed_commands" "allowed_commands" "$ERR"
done
ln -s /bin/rm ls
t_status "a program that only has an allowed name is refused" 126 cmd exec -- "$WORK/ls" --version
for character in '|' '&' ';' '`' '$' '>' '<' $'\n' $'\r'; do
	t_status "forbidden in a string: $(printf %q "$character")" 126 cmd exec "ls /tmp ${character} x"
done
t_like "… with what to do instead" "vsrpc-virsh --socket PATH exec --shell '…'" "$ERR"
# shellcheck disable=SC2016
t "a vector may hold them" cmd exec -- ls -d /tmp --hide='|&;`$><'
for variable in LD_PRELOAD=/tmp/e.so LD_AUDIT=x PATH=/tmp SYSTEMD_PAGER=sh LESSOPEN='|id' HOME=/tmp TZ=:/etc/shadow TZ=../../../etc/hosts LANG=/tmp/x GLIBC_TUNABLES=x IFS=x; do
	t_status "a request may not set $variable" 126 cmd exec --env "$variable" -- ls /tmp
	t_like "… and is told which, and by what" "variable '${variable%%=*}' .*security.allowed_env" "$ERR"
done
for variable in LANG=C.UTF-8 LC_ALL=C TZ=Europe/Berlin TERM=xterm COLUMNS=80 LINES=25 NO_COLOR=1 PATH=/usr/bin:/bin; do
	t "it may set $variable" cmd exec --env "$variable" -- ls /tmp
done
t "files in /tmp may be written" cmd upload host.yaml "$WORK/up"
t "… and read" cmd download "$WORK/up" down
t_status "/usr is outside of allowed_paths" 126 cmd download /usr/bin/env down
t_status "/etc/hosts is readable by nobody's wish" 0 cmd download /etc/hosts down
t_status "/etc is read-only" 126 cmd upload host.yaml /etc/vsrpc-test
t_like "… by readonly_paths" readonly_paths "$ERR"
for path in /etc/shadow /etc/passwd /root/.bashrc /proc/version /sys/kernel/mm; do
	t_status "$path is forbidden" 126 cmd download $path down
done
t_status "a link does not lead to a forbidden path" 126 sh -c "ln -s /etc/passwd '$WORK/link'; exec '$VSRPC' --config host.yaml --socket '$SOCKET' download '$WORK/link' down"
t_status "nor does .." 126 cmd download "$WORK/../../../../../../etc/passwd" down
t "file/info of /etc/passwd works, as in the specification" cmd stat /etc/passwd
t_json "… without an MD5" "d['data']['exists'] and d['data']['md5'] is None" "$OUT"
# set-id bits: any of the ways to give a file some
setid() { # what the agent says of each
	rm -rf "$WORK/set" && mkdir "$WORK/set" && echo old >"$WORK/set/there"
	for mode in 4755 2755 6755; do
		http PUT "/api/v1/file/content?path=$WORK/set/new$mode&mode=$mode" -T host.yaml
		http PUT "/api/v1/file/content?path=$WORK/set/there&mode=$mode" -T host.yaml
		http PUT "/api/v1/file/content?path=$WORK/set/kept$mode&mode=$mode&keep=true" -T host.yaml
		http POST /api/v1/file/upload --data-binary "{\"path\": \"$WORK/set/json$mode\", \"content\": \"\", \"encoding\": \"text\", \"overwrite\": true, \"mode\": \"$mode\"}"
		http POST "/api/v1/file/attributes?path=$WORK/set/there&mode=$mode"
	done | "$PYTHON" -c 'import json, sys
text, at, codes = sys.stdin.read(), 0, {}
while at < len(text):
	answer, at = json.JSONDecoder().raw_decode(text, at)
	at += len(text[at:]) - len(text[at:].lstrip())
	assert answer["code"] == 0 or "security.allow_setid" in answer["data"]["detail"], answer
	codes[answer["code"]] = codes.get(answer["code"], 0) + 1
print(codes)'
}
t_is "set-id bits are refused, by security.allow_setid" '{4001: 15}' "$(setid)"
t_is "… and nothing has them" '' "$(find set -perm /6000)"
t_status "upload --mode 4755" 126 cmd upload --mode 4755 host.yaml "$WORK/set/up"
t_like "… says which key" security.allow_setid "$ERR"
t_json "a folder may have them" "d['code'] == 0" "$(http POST "/api/v1/file/directory?path=$WORK/set/folder&mode=2755")"
t_json "… later, too" "d['code'] == 0" "$(http POST "/api/v1/file/attributes?path=$WORK/set/folder&mode=3755")"
t "a file may have the sticky bit" cmd upload --mode 1755 host.yaml "$WORK/set/sticky"
stop "$PID"
for security in 'allow_setid: true' 'allowed_commands: ["*"]' 'shell: true'; do
	printf '%s\nlogging: {file: none}\nsecurity: {%s}\n' "$off" "$security" >setid.yaml
	start_agent setid
	t_is "… are given with $security" '{0: 15}' "$(setid)"
	t_json "… as capabilities says" "d['data']['policy']['allow_setid']" "$(http GET /api/v1/capabilities)"
	stop "$PID"
done

# --- variables: what the administrator allows besides, and all but the loader's with '*'
printf '%s\nlogging: {file: none}\nsecurity: {allowed_env: [LESSOPEN, "APP_*"]}\n' "$off" >env.yaml
t "an agent that allows some variables" start_agent env
t "one by its name" cmd exec --env LESSOPEN=x -- ls /tmp
t "one by its beginning" cmd exec --env APP_MODE=x -- ls /tmp
t_status "no other" 126 cmd exec --env APP=x -- ls /tmp
stop "$PID"
printf '%s\nlogging: {file: none}\nsecurity: {allowed_commands: ["*"]}\n' "$off" >any.yaml
t "an agent that allows everything" start_agent any
t_is "takes what is nobody's business" '/tmp x' "$(cmd exec --env HOME=/tmp --env MINE=x -- sh -c 'echo "$HOME $MINE"')"
t_status "but what steers the loader" 126 cmd exec --env LD_PRELOAD=/tmp/e.so -- ls /tmp
t_like "… which would need its whole name" "variable 'LD_PRELOAD' .*whole name .*security.allowed_env" "$ERR"
stop "$PID"

# --- the rate limit of 10 a second: the host waits
printf 'security: {allowed_commands: ["*"]}\nlogging: {file: none}\n' >rate.yaml
t "an agent with the default rate limit" start_agent rate
# One curl and one connection: twelve of them would take a second by themselves.
burst() { curl -sS --max-time 200 --unix-socket "$SOCKET" -o "$WORK/body" -D "$WORK/head" -w '%{http_code} ' "http://virtio-rpc/api/v1/system/info?[1-12]"; }
codes=$(burst)
begin=$EPOCHREALTIME
t "the host waits and succeeds" cmd info
took=$(since "$begin")
t "… after waiting ($took s)" below 0.1 "$took"
t_like "the eleventh request of a second is 503" '^(200 ){10}503' "$codes"
t_json "… SERVICE_UNAVAILABLE with retry_after" "d['code'] == 5002 and 0 < d['data']['retry_after'] <= 1" "$(cat body)"
t_like "… a number as people write it" '"retry_after":[0-9.]{1,5}[,}]' "$(cat body)"
t_like "… and Retry-After" 'Retry-After: [0-9]+' "$(cat head)"
t_within 5 sh -c "! curl -s --unix-socket '$SOCKET' http://virtio-rpc/api/v1/system/info | grep -q 5002"
burst >/dev/null
t "ping is never limited" cmd ping
# the sleep lets the second of the refusals above pass: it is what the limit counts in
t "a big file is one operation" sh -c "head -c 80000000 /dev/zero >big; sleep 1.2; exec '$VSRPC' --config host.yaml --socket '$SOCKET' upload big '$WORK/copy'"
t "… and arrives" cmp big copy
rm -f big copy
stop "$PID"

# --- the limit of a minute: longer than a test takes
printf 'security: {allowed_commands: ["*"]}\nlogging: {file: none}\nrate_limit: {requests_per_minute: 10}\n' >minute.yaml
t "an agent with a limit of 10 a minute" start_agent minute
burst >/dev/null
begin=$EPOCHREALTIME
t_status "with too short a --timeout it fails" 125 virsh_ --timeout 0.5 --socket "$SOCKET" exec -- true
took=$(since "$begin")
t_like "… and says why" "rate limit" "$ERR"
t "… at once ($took s)" soon "$took" 5
stop "$PID"

# --- signatures
key=0123456789abcdef0123456789abcdef
(umask 077; printf '%s\n' "$key" >key; printf 'another key of enough length' >wrong; mkdir keys; cp key keys/default.key)
printf '%s\nsecurity: {enable_auth: true, auth_key_file: %s}\nlogging: {file: none}\n' "$off" "$WORK/key" >auth.yaml
t "an agent that asks for signatures" start_agent auth
with_key() { printf 'security: {%s}\nlogging: {file: none}\n' "$1" >keyed.yaml; "$VSRPC" --config keyed.yaml --socket "$SOCKET" "${@:2}"; }
t "the right key" with_key "auth_key_file: $WORK/key" exec -- ls /tmp
t "the right key from a folder" with_key "auth_key_dir: $WORK/keys" exec -- ls /tmp
t "an upload with the right key" with_key "auth_key_file: $WORK/key" upload host.yaml "$WORK/up"
t_status "the wrong key" 126 with_key "auth_key_file: $WORK/wrong" exec -- ls /tmp
t_like "… is said to be wrong" "signature is wrong" "$ERR"
t_like "… and what to compare" "compare sha256sum of both" "$ERR"
t_status "no key" 126 cmd exec -- ls /tmp
t_like "… is said to be missing" "the agent wants signed requests, and no key is configured here" "$ERR"
t_like "… and where it goes" "host.yaml: security.auth_key_file, or security.auth_key_dir with default.key in it" "$ERR"
t_status "an upload without a key" 126 cmd upload host.yaml "$WORK/never"
t "… writes nothing" [ ! -e never ]
chmod 644 wrong
t_status "a key that others can read" 125 with_key "auth_key_file: $WORK/wrong" exec -- ls /tmp
t_like "… is refused with the mend" "chmod 600" "$ERR"
cp wrong "a key; x"
t_status "… in a name for a shell" 125 with_key "auth_key_file: \"$WORK/a key; x\"" exec -- ls /tmp
t "… too, as it is to be typed" sh -c "$(sed -n 's/^  try: //p' <<<"$ERR")"
t_is "…" 600 "$(stat -c %a "a key; x")"
# A session ends with its connection, and so with each curl: signed requests are sent by one program.
by_hand() { "$PYTHON" "$top_srcdir/tests/peer/signed.py" "$SOCKET" key fields "$@"; }
signed() { # TIMESTAMP NONCE BODY [SIGNED-BODY]
	by_hand --time "$1" --nonce "$2" --body "$3" --sign-body "${4-$3}" sync sign send
}
body='{"argv": ["ls", "/tmp"]}'
now=$(date +%s)
t_json "a signature made by hand is right" "d['code'] == 0" "$(signed "$now" nonce-1 "$body")"
t_json "the same request again is refused" "d['code'] == 4002 and d['data']['error_type'] == 'AUTH_FAILED'" "$(by_hand --body "$body" sync sign send send | tail -n 1)"
t_json "a changed body is refused" "d['code'] == 4002" "$(signed "$now" nonce-2 '{"argv": ["ls", "/home"]}' "$body")"
t_json "a clock 6 minutes behind is refused, with the agent's time" "d['code'] == 4002 and abs(d['data']['timestamp'] - $now) < 60" "$(signed "$((now - 360))" nonce-3 "$body")"
t_json "a clock 4 minutes ahead is taken" "d['code'] == 0" "$(signed "$((now + 240))" nonce-4 "$body")"
t_json "without X-Session it is refused, with what to do" "d['code'] == 4002 and d['data']['detail'].startswith('X-Session is required, and signed: GET /api/v1/sync on this connection first')" "$(by_hand --body "$body" sync sign send-without)"
t_json "a signature for no session, sent in one, is refused" "d['code'] == 4002" "$(by_hand --body "$body" --sign-session '' sync sign send)"
t_json "one of the last session is refused" "d['code'] == 4003" "$(by_hand --body "$body" sync sign sync send)"
t_json "… also by the name of this one" "d['code'] == 4002" "$(by_hand --body "$body" sync sign sync send-now)"
t_json "… and without any name" "d['code'] == 4002" "$(by_hand --body "$body" sync sign sync send-without)"
t_json "one of a lost connection is refused" "d['code'] == 4003" "$(by_hand send)"
t_json "a request in two sessions, signed for each, is carried out" "d['code'] == 0" "$(by_hand --body "$body" sync sign sync sign send)"
t_json "without the fields: AUTH_FAILED" "d['code'] == 4002" "$(http POST /api/v1/shell/exec --data-binary "$body")"
t_is "… which is HTTP 401" 401 "$(http GET /api/v1/system/info -o /dev/null -w '%{http_code}')"

# --- more of them in one session than its nonces
mkdir many
for ((i = 0; i < 1100; i++)); do echo "$i" >"many/$i"; done
t "more signed requests than are remembered of a session" with_key "auth_key_file: $WORK/key" upload -r many "$WORK/there"
t "… are all carried out" diff -r many there
stop "$PID"

# --- who is not let in spends nothing of those who are
sed 's/^rate_limit:.*//' auth.yaml >spent.yaml
echo 'rate_limit: {requests_per_minute: 5}' >>spent.yaml
t "an agent with a key and a limit" start_agent spent
codes=$(burst)
t_is "requests without a signature are refused" "$(printf '401 %.0s' {1..12})" "$codes"
t "… and none of them is counted" with_key "auth_key_file: $WORK/key" --timeout 2 info
stop "$PID"
chmod 644 key
t_not "an agent does not start with a key that others can read" timeout 100 "$AGENT" --config auth.yaml --listen "$WORK/none.sock"
t_like "… and says so" "chmod 600" "$ERR"

# --- enable_auth alone: the words say how the key is made, all of it
printf 'security: {enable_auth: true}\n' >alone.yaml
t_status "enable_auth alone, without the key" 1 "$AGENT" --check-config --config alone.yaml
t_like "… tells how to make it, at its default place" "try: head .* \| install .* /[^ ]*/virtio-rpc/agent.key$" "$ERR"
printf '%s\nsecurity: {enable_auth: true, auth_key_file: "%s"}\nlogging: {file: none}\n' "$off" "$WORK/etc; x/agent \$key" >alone.yaml
t_not "an agent does not start without it" timeout 100 "$AGENT" --config alone.yaml --listen "$WORK/none.sock"
t_like "… and says what is missing" "key file '$WORK/etc; x/agent .key': there is none" "$ERR"
t "what it says to try makes the key" sh -c "$(sed -n 's/^  try: //p' <<<"$ERR")"
t "… and the configuration is fine" "$AGENT" --check-config --config alone.yaml
t "… an agent starts" start_agent alone
t "… and a host with a copy of it is let in" with_key "auth_key_file: \"$WORK/etc; x/agent \$key\"" ping
stop "$PID"

done_testing
