#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every endpoint, spoken to with curl as the specification shows them.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

API=/api/v1
body() { cat "$WORK/body"; }
# The HTTP status is $STATUS, the head is in $HEAD, the body in $OUT.
ask() { # METHOD TARGET [CURL-OPTION…]
	rm -f "$WORK/body" # -C would write behind what is there
	STATUS=$(http "$@" -D "$WORK/head" -o "$WORK/body" -w '%{http_code}' 2>"$WORK/curl.err")
	HEAD=$(tr -d '\r' <"$WORK/head")
	OUT=$(tr -d '\0' <"$WORK/body")
}
post() { # TARGET JSON [CURL-OPTION…]
	local target=$1 json=$2
	shift 2
	ask POST "$API$target" -H 'Content-Type: application/json' --data-binary "$json" "$@"
}
envelope='types(d, version=str, code=int, message=str, timestamp=int) and d["version"] == "1.0"'

# --- the eight of the specification
ask GET $API/ping -H 'X-Request-ID: 7f3c-me'
t_json "ping answers pong with time and uptime" "$envelope and d['code'] == 0 and d['message'] == 'pong'
	and set(d['data']) == {'timestamp', 'uptime'} and types(d['data'], timestamp=int, uptime=int)" "${OUT}"
t_like "X-Request-ID comes back" 'X-Request-ID: 7f3c-me' "$HEAD"
t_like "X-Response-Time is in milliseconds" 'X-Response-Time: [0-9]+' "$HEAD"
t_like "an answer has a length" 'Content-Length: [0-9]+' "$HEAD"
t_like "an answer is JSON" 'Content-Type: application/json' "$HEAD"

ask GET $API/system/info
t_json "system/info has the specified fields" "$envelope and d['code'] == 0 and d['message'] == 'success'
	and set(d['data']) == {'hostname', 'os', 'os_version', 'kernel', 'arch', 'cpu_count', 'memory_total', 'memory_available'}
	and types(d['data'], hostname=str, os=str, os_version=str, kernel=str, arch=str, cpu_count=int, memory_total=int, memory_available=int)
	and d['data']['os'] == 'Linux' and d['data']['hostname'] == '$DOMAIN'
	and 0 < d['data']['memory_available'] < d['data']['memory_total']" "$OUT"

ask GET $API/system/status
t_json "system/status has the specified fields" "d['code'] == 0
	and set(d['data']) == {'cpu_usage', 'memory_usage', 'disk_usage', 'load_average', 'process_count'}
	and types(d['data'], cpu_usage=float, memory_usage=float, disk_usage=dict, load_average=list, process_count=int)
	and 0 <= d['data']['cpu_usage'] <= 100 and 0 < d['data']['memory_usage'] < 100
	and len(d['data']['load_average']) == 3 and d['data']['process_count'] > 5" "$OUT"

post /shell/exec '{"command": "ls -la /tmp", "timeout": 30, "working_dir": "/home/user", "env": {"PATH": "/usr/bin:/bin"}}'
t_json "shell/exec as the specification shows it" "$envelope and d['code'] == 0
	and set(d['data']) == {'exit_code', 'stdout', 'stderr', 'duration_ms'}
	and types(d['data'], exit_code=int, stdout=str, stderr=str, duration_ms=int)
	and d['data']['stdout'].startswith('total ') and d['data']['exit_code'] == 0" "$OUT"
post /shell/exec '{"version": "1.0", "action": "exec", "params": {"argv": ["sh", "-c", "pwd; echo no >&2; exit 3"], "working_dir": "/home/user"}, "timeout": 5}'
t_json "a wrapped request means the same" "d['code'] == 0 and d['data']['exit_code'] == 3
	and d['data']['stdout'] == '/home/user\n' and d['data']['stderr'] == 'no\n'" "$OUT"
post /shell/exec '{"version": "1.0", "action": "exec", "params": {"command": "sleep 20"}, "timeout": 0.3}'
t_json "the timeout beside wrapped parameters counts" "d['code'] == 1002 and d['data']['error_type'] == 'CMD_TIMEOUT'
	and d['data']['duration_ms'] < 5000" "$OUT"
post /shell/exec '{"command": "no-such-program"}'
t_is "a missing program is answered with 200" 200 "$STATUS"
t_json "… and CMD_NOT_FOUND with exit code 127" "d['code'] == 1003 and d['data']['error_type'] == 'CMD_NOT_FOUND' and d['data']['exit_code'] == 127" "$OUT"
post /shell/exec '{"argv": ["printf", "\\377\\000a"]}'
t_json "output that is not UTF-8 is base64 and says so" "d['data']['stdout_encoding'] == 'base64' and d['data']['stdout'] == '/wBh'" "$OUT"
post /shell/exec '{"argv": ["cat"], "stdin": "a\u0000b"}'
t_json "stdin may hold a NUL" "d['data']['stdout'] in ('a\0b', 'YQBi')" "$OUT"

post /file/upload '{"path": "/tmp/config.json", "content": "aGVsbG8K", "mode": "0640", "owner": "user", "group": "user", "overwrite": true}'
t_json "file/upload tells path, size and MD5" "$envelope and d['code'] == 0
	and d['data'] == {'path': '/tmp/config.json', 'size': 6, 'md5': 'b1946ac92492d2347c6235b4d2611184'}" "$OUT"
ask GET "$API/file/info?path=/tmp/config.json"
t_json "file/info has the specified fields" "d['code'] == 0
	and set(d['data']) == {'path', 'exists', 'type', 'size', 'mode', 'owner', 'group', 'mtime', 'md5'}
	and types(d['data'], path=str, exists=bool, type=str, size=int, mode=str, owner=str, group=str, mtime=int, md5=str)
	and (d['data']['mode'], d['data']['owner'], d['data']['group'], d['data']['type'], d['data']['size'])
		== ('0640', 'user', 'user', 'file', 6)
	and d['data']['md5'] == 'b1946ac92492d2347c6235b4d2611184'" "$OUT"
post /file/upload '{"path": "/tmp/config.json", "content": "eA==", "overwrite": false}'
t_json "overwrite: false leaves a file alone" "d['code'] == 1004 and d['data']['error_type'] == 'FILE_OPERATION_FAILED' and 'exists' in d['data']['detail']" "$OUT"
post /file/download '{"path": "/tmp/config.json", "offset": 1, "length": 3}'
t_json "file/download gives a part with sizes and MD5" "set(d['data']) == {'path', 'content', 'size', 'total_size', 'md5'}
	and d['data']['content'] == 'ZWxs' and d['data']['size'] == 3 and d['data']['total_size'] == 6
	and d['data']['md5'] == __import__('hashlib').md5(b'ell').hexdigest()" "$OUT"
post /file/download '{"path": "/tmp/not-there"}'
t_is "downloading a missing file is HTTP 404" 404 "$STATUS"
t_json "… and FILE_NOT_FOUND" "d['code'] == 3002 and d['data']['error_type'] == 'FILE_NOT_FOUND'" "$OUT"
ask GET "$API/file/info?path=/tmp/not-there"
t_json "file/info of a missing file is no error" "d['code'] == 0 and d['data']['exists'] is False" "$OUT"
ask GET "$API/file/info?path=/etc/passwd"
t_json "file/info of a forbidden file hides its MD5" "d['code'] == 0 and d['data']['exists'] and d['data']['md5'] is None" "$OUT"
post /file/download '{"path": "/etc/shadow"}'
t_is "a forbidden file is HTTP 403" 403 "$STATUS"
t_json "… and PERMISSION_DENIED" "d['code'] == 4001 and 'forbidden' in d['data']['detail']" "$OUT"

post /service/control '{"name": "vsrpc-demo", "action": "restart"}'
t_json "service/control has the specified fields" "d['code'] == 0 and d['data']['name'] == 'vsrpc-demo'
	and d['data']['action'] == 'restart' and d['data']['status'] == 'running' and type(d['data']['pid']) is int" "$OUT"
post /service/control '{"name": "vsrpc-demo", "action": "stop"}'
t_json "a stopped service has no pid" "d['code'] == 0 and d['data']['status'] == 'stopped' and d['data']['pid'] is None" "$OUT"
post /service/control '{"name": "no-such", "action": "status"}'
t_json "an unknown service is SERVICE_NOT_FOUND" "d['code'] == 3004" "$OUT"
post /service/control '{"name": "vsrpc-demo", "action": "explode"}'
t_json "an unknown action is INVALID_PARAMS" "d['code'] == 2001" "$OUT"
post /service/control '{"version": "1.0", "action": "status", "params": {"name": "vsrpc-demo"}, "timeout": 30}'
t_json "the wrapped form's action is the service's" "d['code'] == 0 and d['data']['action'] == 'status'" "$OUT"
post /shell/exec '{"version": "2.0", "action": "exec", "params": {"command": "ls"}}'
t_json "a version that is not 1.x is INVALID_PARAMS" "d['code'] == 2001 and '1.x' in d['data']['detail']" "$OUT"

# --- what was added
ask GET $API/capabilities
t_json "capabilities tells versions, limits and policy" "d['code'] == 0 and d['data']['protocol'] == '1.0'
	and types(d['data']['limits'], max_request_size=int, max_output_size=int) and types(d['data']['kernel'], release=str, missing=list) and d['data']['policy']['allowed_commands'] == ['*']" "$OUT"

head -c 3000000 /dev/urandom >"$WORK/raw"
sum=$(md5_of "$WORK/raw")
ask PUT "$API/file/content?path=/tmp/raw&mode=0600" -T "$WORK/raw"
t_json "curl -T stores a file" "d['code'] == 0 and d['data']['size'] == 3000000 and d['data']['md5'] == '$sum' and d['data']['complete']" "$OUT"
ask PUT "$API/file/content?path=/tmp/raw2" -T - <"$WORK/raw"
t_json "curl -T - (chunked) stores a file" "d['code'] == 0 and d['data']['md5'] == '$sum'" "$OUT"
ask PUT "$API/file/content?path=/tmp/raw3" -T "$WORK/raw" -H 'Expect: 100-continue' -v
t_json "curl -T with Expect: 100-continue stores a file" "d['code'] == 0 and d['data']['md5'] == '$sum'" "$OUT"
t_like "… and the agent told it to go on" 'HTTP/1.1 100 Continue' "$HEAD"
ask GET "$API/file/content?path=/tmp/raw"
t_is "GET file/content gives every byte back" "200 $sum" "$STATUS $(md5_of "$WORK/body")"
ask GET "$API/file/content?path=/tmp/raw" -r 1000-1999
t_is "a range gives these bytes and 206" "206 $(tail -c +1001 "$WORK/raw" | head -c 1000 | md5sum | cut -d' ' -f1)" "$STATUS $(md5_of "$WORK/body")"
t_like "… and says which of how many" 'Content-Range: bytes 1000-1999/3000000' "$HEAD"
ask GET "$API/file/content?path=/tmp/raw" -r 2999990-
t_is "an open range goes to the end" "206 10" "$STATUS $(wc -c <"$WORK/body")"
ask GET "$API/file/content?path=/tmp/raw" -r 3000000-
t_is "a range behind the end is 416" 416 "$STATUS"
head -c 1000000 "$WORK/raw" >"$WORK/part"
http GET "$API/file/content?path=/tmp/raw" -C - -o "$WORK/part"
t_is "curl -C - goes on with a download" "$sum" "$(md5_of "$WORK/part")"
ask GET "$API/file/content?path=/tmp/raw" -r -10
t_is "a range may be counted from the end" "206 $(tail -c 10 "$WORK/raw" | md5sum | cut -d' ' -f1)" "$STATUS $(md5_of "$WORK/body")"
ask GET "$API/file/content?path=/tmp/raw" -r 3000000-
t_like "416 tells how much there is" 'Content-Range: bytes \*/3000000' "$HEAD"
http GET "$API/file/content?path=/tmp/raw" -C - -o "$WORK/part"
t_is "curl -C - leaves what is complete as it is" "$sum" "$(md5_of "$WORK/part")"

# A file as any HTTP server has it: what is known of it, and conditions.
field() { sed -n "s/^$1: //p" <<<"$HEAD"; }
ask HEAD "$API/file/content?path=/tmp/raw" -I
t_is "curl -I tells the size" "200 3000000" "$STATUS $(field Content-Length)"
t_like "… that there are ranges" 'Accept-Ranges: bytes' "$HEAD"
t_like "… and when it was changed" 'Last-Modified: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT' "$HEAD"
etag=$(field ETag)
t_like "… and which version it is" '^"[^"]+"$' "$etag"
ask GET "$API/file/content?path=/tmp/raw" -r 0-9
t_is "… a range is of the same one" "206 $etag" "$STATUS $(field ETag)"
ask HEAD "$API/file/content?path=/tmp/not-there" -I
t_is "curl -I of what is not there" 404 "$STATUS"
ask GET $API/ping
t_is "… and the next one is answered" 200 "$STATUS"
ask GET "$API/file/content?path=/tmp/raw" -r 5- -H 'If-Range: "another"'
t_is "a range of another version is all of this one" "200 $sum" "$STATUS $(md5_of "$WORK/body")"
ask GET "$API/file/content?path=/tmp/raw" -r 5- -H "If-Range: $etag"
t_is "one of this version is that" "206 2999995" "$STATUS $(wc -c <"$WORK/body")"
ask GET "$API/file/content?path=/tmp/raw" -H "If-None-Match: \"other\", $etag"
t_is "who has this version gets no other" "304 $etag" "$STATUS $(field ETag)"
t_not "… and no body" test -s "$WORK/body"
ask HEAD "$API/file/content?path=/tmp/raw" -I -H "If-None-Match: $etag"
t_is "… nor with curl -I" "304 $etag" "$STATUS $(field ETag)"
ask GET "$API/file/content?path=/tmp/raw" -r 5- -H 'If-None-Match: "other"'
t_is "who has another gets this one" "206 2999995" "$STATUS $(wc -c <"$WORK/body")"
ask GET $API/ping
t_is "… and the next one is answered" 200 "$STATUS"

post /shell/exec '{"argv": ["rm", "-f", "/tmp/version", "/tmp/version-none", "/tmp/raw4", "/tmp/raw5"]}'
echo one >"$WORK/one"
echo two >"$WORK/two"
ask PUT "$API/file/content?path=/tmp/version" -T "$WORK/one" -H 'If-None-Match: *'
t_json "If-None-Match: * stores a new file" "d['code'] == 0" "$OUT"
ask PUT "$API/file/content?path=/tmp/version" -T "$WORK/two" -H 'If-None-Match: *'
t_is "… but not over one that is there" 412 "$STATUS"
t_json "… and says PRECONDITION_FAILED" "d['code'] == 4004 and d['data']['error_type'] == 'PRECONDITION_FAILED'" "$OUT"
ask GET "$API/file/content?path=/tmp/version"
t_is "… which is as it was" one "$OUT"
etag=$(field ETag)
ask PUT "$API/file/content?path=/tmp/version" -T "$WORK/two" -H "If-Match: $etag"
t_json "If-Match stores over that version" "d['code'] == 0" "$OUT"
ask PUT "$API/file/content?path=/tmp/version" -T "$WORK/one" -H "If-Match: $etag"
t_is "… and not over another" 412 "$STATUS"
ask GET "$API/file/content?path=/tmp/version"
t_is "… which is as it was" two "$OUT"
ask PUT "$API/file/content?path=/tmp/version-none" -T "$WORK/one" -H 'If-Match: *'
t_is "If-Match: * wants a file that is there" 412 "$STATUS"

# curl -C OFFSET -T: the rest of a file of which the first bytes are there.
kept() { head -c "$1" "$WORK/raw" >"$WORK/kept" && ask PUT "$API/file/content?path=/tmp/raw4" -T "$WORK/kept"; }
kept 1000000
ask PUT "$API/file/content?path=/tmp/raw4" -C 1000000 -T "$WORK/raw"
t_json "curl -C 1000000 -T goes on with an upload" "d['code'] == 0 and d['data']['size'] == 3000000" "$OUT"
ask GET "$API/file/content?path=/tmp/raw4"
t_is "… and it is right" "200 $sum" "$STATUS $(md5_of "$WORK/body")"
kept 1500000
ask PUT "$API/file/content?path=/tmp/raw4" -C 1000000 -T "$WORK/raw"
t_json "… also of a file that has more than that" "d['code'] == 0" "$OUT"
ask GET "$API/file/content?path=/tmp/raw4"
t_is "… which is then the one that was sent" "200 $sum" "$STATUS $(md5_of "$WORK/body")"
kept 999999
ask PUT "$API/file/content?path=/tmp/raw4" -C 1000000 -T "$WORK/raw"
t_not "one that has less is no beginning" [ "$STATUS" = 200 ]
ask GET "$API/file/content?path=/tmp/raw4"
t_is "… and stays as it was" "$(md5_of "$WORK/kept")" "$(md5_of "$WORK/body")"
ask PUT "$API/file/content?path=/tmp/raw5" -C 1000000 -T "$WORK/raw"
t_not "nor is one that is not there" [ "$STATUS" = 200 ]
ask GET $API/ping
t_is "the channel is in order after that" 200 "$STATUS"
ask PUT "$API/file/content?path=/tmp/raw&overwrite=false" -T "$WORK/raw"
t_json "overwrite=false leaves a file alone" "d['code'] == 1004" "$OUT"
ask PUT "$API/file/content?path=/tmp/raw&overwrite=no" -T "$WORK/raw"
t_json "overwrite=no as well" "d['code'] == 1004" "$OUT"
ask PUT "$API/file/content?path=/tmp/raw&overwrite=nein" -T "$WORK/raw"
t_json "overwrite=nein is refused by its name" "d['code'] == 2001 and \"'overwrite'\" in d['data']['detail']" "$OUT"

printf '{"path": "/tmp/by-t", "content": "%s"}' "$(base64 -w0 "$WORK/raw")" >"$WORK/upload.json"
ask POST $API/file/upload -T "$WORK/upload.json"
t_json "curl -X POST -T of a JSON upload" "d['code'] == 0 and d['data']['md5'] == '$sum'" "$OUT"
ask POST $API/file/upload -T - <"$WORK/upload.json"
t_json "the same in chunks" "d['code'] == 0 and d['data']['md5'] == '$sum'" "$OUT"
ask POST $API/file/upload -T - -H 'Expect: 100-continue' <"$WORK/upload.json"
t_json "the same in chunks with Expect: 100-continue" "d['code'] == 0 and d['data']['md5'] == '$sum'" "$OUT"

# --- refusals
ask PUT $API/ping -d ''
t_is "a wrong method is 405" 405 "$STATUS"
t_like "… and Allow tells the right one" 'Allow: GET' "$HEAD"
t_json "… and METHOD_NOT_ALLOWED" "d['code'] == 2005" "$OUT"
ask GET $API/nothing
t_is "an unknown path is 404" 404 "$STATUS"
t_json "… and ENDPOINT_NOT_FOUND" "d['code'] == 3001 and d['data']['error_type'] == 'ENDPOINT_NOT_FOUND'" "$OUT"
post /shell/exec '{"command": '
t_is "broken JSON is 400" 400 "$STATUS"
t_json "… and JSON_PARSE_ERROR" "d['code'] == 2002 and d['data']['detail'] == 'not valid JSON: ends too early'" "$OUT"
post /shell/exec '{}'
t_json "a missing parameter is MISSING_REQUIRED" "d['code'] == 2003" "$OUT"
post /shell/exec '{"command": 7}'
t_json "a parameter of a wrong type is INVALID_PARAMS" "d['code'] == 2001" "$OUT"
post /shell/exec '{"command": "ls | cat"}'
t_json "a shell's characters in a string are refused" "d['code'] == 4001" "$OUT"
head -c 11000000 /dev/zero | tr '\0' ' ' >"$WORK/big"
ask POST $API/shell/exec --data-binary "@$WORK/big"
t_is "a body above max_request_size is 413" 413 "$STATUS"
t_json "… and PAYLOAD_TOO_LARGE" "d['code'] == 2004" "$OUT"
ask GET $API/ping
t_is "the channel is in order after all that" 200 "$STATUS"

# --- what is no request, and who comes next at once
head -c 30000000 /dev/urandom >"$WORK/noise"
head -c 3000000 "$WORK/noise" >"$WORK/noise3"
for round in 1 2 3; do
	ask POST $API/file/upload -T "$WORK/noise"
	t_is "a binary where JSON belongs is refused ($round)" 413 "$STATUS"
	ask GET $API/ping
	t_is "… and the next client is answered ($round)" 200 "$STATUS"
	ask POST $API/shell/exec -H Expect: --data-binary "@$WORK/noise3"
	t_is "a smaller one, too ($round)" 400 "$STATUS"
	ask GET $API/ping
	t_is "… and the next client is answered again ($round)" 200 "$STATUS"
done

done_testing
