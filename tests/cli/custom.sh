#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Endpoints that the administrator adds, with a real agent: programs of a folder and
# of server.handlers. Which paths there may be: tests/unit/guest/core/test-endpoint.c.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

umask 022
mkdir folder bin
program() { # FILE; the script on stdin
	cat >"$1" && chmod 755 "$1"
}
# Every variable that a request makes, its arguments and its input.
program bin/show <<'END'
#!/bin/sh
text() { printf '"%s":"%s",' "$1" "$2"; }
printf '{'
for name in GATEWAY_INTERFACE SERVER_PROTOCOL SERVER_NAME REQUEST_METHOD REQUEST_URI SCRIPT_NAME \
	PATH_INFO QUERY_STRING CONTENT_TYPE CONTENT_LENGTH HTTP_X_REQUEST_ID HOME; do
	eval "text $name \"\$$name\""
done
text arguments "$*"
text input "$(cat)"
text unset "$(for name in CONTENT_TYPE CONTENT_LENGTH; do eval "[ \"\${$name+x}\" ]" || printf "%s " $name; done)"
printf '"uid":%s}' "$(id -u)"
END
printf '#!/bin/sh\necho \\"folder\\"\n' | program folder/named
printf '#!/bin/sh\necho \\"folder\\"\n' | program folder/both
printf '#!/bin/sh\necho {}\n' | program bin/plain
printf '#!/bin/sh\necho oops >&2\nexit 4\n' | program bin/fails
printf '#!/bin/sh\nexec sleep 1000\n' | program bin/hangs
# What is asked for in the body is printed.
printf '#!/bin/sh\nexec cat\n' | program bin/prints
printf '#!/bin/sh\nexec yes\n' | program bin/endless
printf '#!/bin/sh\ntrap "" TERM PIPE; while :; do echo {}; done 2>/dev/null\n' | program bin/stubborn
printf '#!/bin/sh\nyes >&2\n' | program bin/loud
printf '#!/bin/sh\necho x >>%s && wc -l <%s\n' "$WORK/counted" "$WORK/counted" | program bin/count
printf '#!/bin/sh\necho {}\n' | program bin/open
chmod 777 bin/open
printf 'echo {}\n' >bin/none

# handlers NAME: NAME.yaml, with the handlers on standard input.
handlers() {
	{
		printf 'rate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}\nserver:\n  max_request_size: 64K\n  custom_dir: %s\n  handlers:\n' "$WORK/folder"
		cat
		printf 'logging:\n  file: %s\n' "$WORK/$1.log"
	} >"$1.yaml"
}
handlers real <<END
    - method: GET
      path: /api/v1/custom
      command: [$WORK/bin/show, of, custom]
    - {method: GET, path: /api/v1/show, command: [$WORK/bin/show, short]}
    - {method: POST, path: /api/v1/show, command: [$WORK/bin/show]}
    - {method: HEAD, path: /api/v1/show, command: [$WORK/bin/plain]}
    - {method: PUT, path: /api/v1/show/deep/er, command: [$WORK/bin/show, long]}
    - {method: GET, path: /api/v1/custom/both, command: [$WORK/bin/show, both]}
    - {method: GET, path: /api/v1/fails, command: [$WORK/bin/fails]}
    - {method: GET, path: /api/v1/hangs, command: [$WORK/bin/hangs], timeout: 1}
    - {method: POST, path: /api/v1/prints, command: [$WORK/bin/prints]}
    - {method: POST, path: /api/v1/endless, command: [$WORK/bin/endless], timeout: 20}
    - {method: POST, path: /api/v1/stubborn, command: [$WORK/bin/stubborn], timeout: 20}
    - {method: POST, path: /api/v1/loud, command: [$WORK/bin/loud], timeout: 20}
    - {method: GET, path: /api/v1/count, command: [$WORK/bin/count]}
    - {method: POST, path: /api/v1/count, command: [$WORK/bin/count]}
    - {method: GET, path: /api/v1/open, command: [$WORK/bin/open]}
    - {method: GET, path: /api/v1/none, command: [$WORK/bin/none]}
    - {method: GET, path: /api/v1/absent, command: [$WORK/bin/absent]}
    - {method: GET, path: /api/v1/nobody, command: [$WORK/bin/plain], user: no-such-user}
END
t "an agent starts with handlers, though some cannot be run" start_agent real
said() { grep -q "WARNING.*:22: handler '/api/v1/open' can be changed" real.log; }
t "… which its log says" t_within 20 said
for handler in none absent nobody; do
	said() { grep -q "WARNING.*handler '/api/v1/$handler'" real.log; }
	t "… of each of them: $handler" t_within 20 said
done

# answer TARGET [CURL-OPTION…]: in $STATUS, $BODY, and the head in fields.
answer() {
	local method=$1 target=$2
	shift 2
	STATUS=$(http "$method" "/api/v1/$target" "$@" --path-as-is -o body -D fields -w '%{http_code}')
	BODY=$(cat body)
}

# --- what a handler gets
answer GET 'custom?x=1&y=%20'
t_json "the specification's example is answered" "d['code'] == 0 and d['data']['arguments'] == 'of custom'" "$BODY"
t_json "… with CGI's variables" "(d['data']['GATEWAY_INTERFACE'], d['data']['SERVER_PROTOCOL'], d['data']['SERVER_NAME']) == ('CGI/1.1', 'HTTP/1.1', 'virtio-rpc')
	and (d['data']['REQUEST_METHOD'], d['data']['SCRIPT_NAME'], d['data']['PATH_INFO']) == ('GET', '/api/v1/custom', '')
	and (d['data']['QUERY_STRING'], d['data']['REQUEST_URI']) == ('x=1&y=%20', '/api/v1/custom?x=1&y=%20')
	and (d['data']['CONTENT_TYPE'], d['data']['CONTENT_LENGTH'], d['data']['input']) == ('', '', '')" "$BODY"
t_json "… of which those of a body are not there without one" "d['data']['unset'] == 'CONTENT_TYPE CONTENT_LENGTH '" "$BODY"
answer POST 'show/a/b%20c?q' -H 'Content-Type: text/plain' -H 'X-Request-ID: id-7' --data-binary 'no JSON, and none is asked for'
t_json "a path below it is its PATH_INFO, decoded" "d['data']['SCRIPT_NAME'] == '/api/v1/show' and d['data']['PATH_INFO'] == '/a/b c'
	and d['data']['REQUEST_URI'] == '/api/v1/show/a/b%20c?q'" "$BODY"
t_json "… the body its input" "d['data']['input'] == 'no JSON, and none is asked for' and d['data']['CONTENT_TYPE'] == 'text/plain'
	and d['data']['CONTENT_LENGTH'] == '30' and d['data']['HTTP_X_REQUEST_ID'] == 'id-7'" "$BODY"
t "call" virsh_ --socket "$SOCKET" call GET 'show/x?y'
t_json "… reaches it" "d['data']['PATH_INFO'] == '/x' and d['data']['QUERY_STRING'] == 'y'" "$OUT"
answer HEAD show -I
t_is "HEAD, where it is said, has no body that curl would wait for" 200 "$STATUS"

# --- which handler: HTTP status and what answers. The longest path decides.
while read -r method target status words; do
	answer "$method" "$target"
	t_is "$method $target is HTTP $status" "$status" "$STATUS"
	case $status in
	200) t_json "… of $words" "(d['data'] if d['data'] == 'folder' else d['data']['arguments']) == '$words'" "$BODY" ;;
	405) t_is "… which allows $words" "Allow: $words" "$(grep -i ^allow: fields | tr -d '\r')" ;;
	404) t_json "… ENDPOINT_NOT_FOUND" "d['code'] == 3001" "$BODY" ;;
	400) t_json "… INVALID_PARAMS" "d['code'] == 2001 and 'path' in d['data']['detail']" "$BODY" ;;
	esac
done <<'END'
GET custom/ 200 of custom
GET custom/x/y 200 of custom
POST custom 405 GET
GET custom/named 200 folder
POST custom/named 200 folder
GET custom/other 200 of custom
POST custom/other 405 GET
GET custom/named/x 200 of custom
GET custom/.named 200 of custom
GET custom/both 200 both
POST custom/both 405 GET
GET customs 404
GET show 200 short
GET show/deep 200 short
GET show/deep/ernie 200 short
PUT show/deep/er 200 long
PUT show/deep/er/x 200 long
GET show/deep/er 405 PUT
DELETE show 405 GET, POST, HEAD
BREW show 405 GET, POST, HEAD
GET shows 404
GET sho 404
GET %73how 404
GET show/../ping 400
GET show/a/.. 400
GET show/./a 400
GET show/%2e%2e/a 400
GET show/a%2fb 400
GET show/a%2Fb 400
GET show/%00 400
GET show/%zz 400
GET show/..a/...b 200 short
GET show//a 200 short
POST ping 405 GET
GET jobs/x/y 404
GET nothing 404
END
answer GET capabilities
t_json "capabilities lists them" "[e for e in d['data']['endpoints'] if 'show' in e] == ['GET /api/v1/show', 'POST /api/v1/show', 'HEAD /api/v1/show', 'PUT /api/v1/show/deep/er']
	and 'GET /api/v1/custom' in d['data']['endpoints'] and '* /api/v1/custom/' in d['data']['endpoints']" "$BODY"

# --- how it ends
answer GET fails
t_json "one that fails is CMD_EXEC_FAILED, with what it said" "d['code'] == 1001 and d['data']['exit_code'] == 4 and d['data']['stderr'] == 'oops\n'" "$BODY"
answer GET hangs
t_json "one that hangs has its own time" "d['code'] == 1002 and '/api/v1/hangs' in d['data']['detail']" "$BODY"
answer GET open
t_json "one that others may write is refused" "d['code'] == 4001 and 'changed by others' in d['data']['detail']" "$BODY"
answer GET none
t_json "… and one that is not executable" "d['code'] == 4001 and 'not executable' in d['data']['detail']" "$BODY"
answer GET absent
t_json "… and one that is not there is CMD_NOT_FOUND" "d['code'] == 1003 and 'No such file' in d['data']['detail']" "$BODY"
answer GET nobody
t_json "… and no such user is no mistake of the request" "d['code'] == 1001 and 'no such user' in d['data']['detail']" "$BODY"
t_status "call" 124 virsh_ --socket "$SOCKET" call GET hangs
t_like "… names the setting of its time" 'try: for a longer run: server.handlers.timeout in' "$ERR"

# --- what it prints: not a digit of it is changed, here nor on the host
has() { grep -qF -- "\"data\":$1,\"timestamp\"" <<<"$2"; }
as_printed() { # PRINTED [DATA]
	local data=${2:-$1}
	printf '%s' "$1" >printed
	answer POST prints --data-binary @printed
	t "$data is data as it was printed" has "$data" "$BODY"
	t "call" virsh_ --socket "$SOCKET" call POST prints @printed
	t "… shows it so" has "$data" "$OUT"
}
while read -r printed; do
	as_printed "$printed"
done <<'END'
123456789012345678901234567890
{"a":-123456789012345678901234567890,"b":[18446744073709551616,-9223372036854775809]}
[1.0000000000000000000000000001,1e400,1E+2,-0,0.10]
{"a":"/","b":"\u0041\/ \\\"  [ 1 , 2 ] \\"}
null
{"a":1,"a":2}
END
as_printed $'\n [ 1 ,\t"a b" , { } ]\r\n ' '[1,"a b",{}]'
while read -r words; do
	answer POST prints --data-binary "$words"
	t_json "$words is an error of the handler" "d['code'] == 1001 and 'did not print JSON' in d['data']['detail'] and d['data']['stdout'] == r'''$words'''" "$BODY"
done <<'END'
words
{"a":01}
[1] 2
["\ud800"]
END
nested() { printf "%0*d" "$1" 0 | tr 0 '['; printf "%0*d" "$1" 0 | tr 0 ']'; }
answer POST prints --data-binary "$(nested 31)"
t_json "as deep as an answer may be" "d['code'] == 0" "$BODY"
t "… for the host, too" virsh_ --socket "$SOCKET" call POST prints "$(nested 31)"
answer POST prints --data-binary "$(nested 32)"
t_json "… and no deeper" "d['code'] == 1001 and 'nested too deep' in d['data']['detail']" "$BODY"
head -c 65535 /dev/zero | tr '\0' ' ' >blanks
(cat blanks; printf 1) >printed
answer POST prints --data-binary @printed
t "as much as there may be" has 1 "$BODY"
for name in endless stubborn loud; do
	answer POST $name
	t_json "more than server.max_request_size is an error: $name" "d['code'] == 1001 and 'printed more than 65536 bytes (server.max_request_size)' in d['data']['detail']" "$BODY"
done

# --- with an id it runs once, also for GET
for method in GET POST; do
	answer $method count -H "X-Request-ID: once-$method"
	first=$BODY
	answer $method count -H "X-Request-ID: once-$method"
	t_is "$method of a handler that comes again has the answer of before" "$(grep -o '"data":[^,]*' <<<"$first")" "$(grep -o '"data":[^,]*' <<<"$BODY")"
done
t_is "… and ran once" 2 "$(wc -l <counted)"
stop "$PID"

# --- the user
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$WORK" bin
	handlers user <<END
    - {method: GET, path: /api/v1/show, command: [$WORK/bin/show], user: nobody}
END
	t "an agent with a handler of another user" start_agent user
	answer GET show
	t_json "… which it runs as" "d['data']['uid'] == $(id -u nobody) and d['data']['HOME'] == '$(getent passwd nobody | cut -d: -f6)'" "$BODY"
	stop "$PID"
else
	t_skip "a handler of another user" "only root can run one"
fi

# --- signatures and the rate limit hold for them as for others
(umask 077; printf 0123456789abcdef >key)
handlers auth <<END
    - {method: GET, path: /api/v1/show, command: [$WORK/bin/show]}
END
printf 'security: {enable_auth: true, auth_key_file: %s}\n' "$WORK/key" >>auth.yaml
t "an agent that asks for signatures" start_agent auth
answer GET show
t_is "no handler without one" 401 "$STATUS"
answer POST show
t_is "… nor which methods it has" 401 "$STATUS"
stop "$PID"
handlers limit <<END
    - {method: GET, path: /api/v1/show, command: [$WORK/bin/show]}
END
sed -i 's/requests_per_minute: 0/requests_per_minute: 2/' limit.yaml
t "an agent with a limit" start_agent limit
t_is "handlers are counted" "200 200 503 " "$(for i in 1 2 3; do answer GET "show/$i"; printf '%s ' "$STATUS"; done)"
stop "$PID"

# --- --check-config judges them
check() { # DESCRIPTION PATTERN [LINE]; the list on stdin
	handlers check
	t_status "--check-config: $1" 1 "$AGENT" --check-config --config check.yaml
	t_like "… is shown with file and line" "check\.yaml:${3:-6}: .*$2" "$ERR"
}
one() { printf '    - {method: GET, path: /api/v1/a, command: [%s]%s}\n' "$1" "${2:+, $2}"; }
printf '#!/nope/sh -e\n' | program bin/lost
printf '#!/bin/sh\r\necho {}\r\n' | program bin/crlf
printf 'echo {}\n' | program bin/text
one "$WORK/bin/plain" 'user: root, timeout: 2.5' | handlers check
t "--check-config: a good one" "$AGENT" --check-config --config check.yaml
check "a relative program" "'bin/plain' is not an absolute path" < <(one bin/plain)
check "a program that is not there" "No such file" < <(one "$WORK/bin/absent")
check "one whose interpreter is not there" "'$WORK/bin/lost' asks for '/nope/sh' .*No such file" < <(one "$WORK/bin/lost")
check "… not even written right" "asks for '/bin/sh.' .*No such file" < <(one "$WORK/bin/crlf")
check "no script and no program" "has no '#!' line and is no program" < <(one "$WORK/bin/text")
check "a folder" "is not executable" < <(one "$WORK/bin")
check "one that is not executable" "is not executable" < <(one "$WORK/bin/none")
t_like "… with the mend" "try: chmod 755 $WORK/bin/none" "$ERR"
check "one that others may write" "can be changed by others" < <(one "$WORK/bin/open")
t_like "… with the mend" "try: chown root: $WORK/bin/open && chmod go-w $WORK/bin/open" "$ERR"
check "no such user" "no such user: 'no-such-user'" < <(one "$WORK/bin/plain" 'user: no-such-user')
check "no user of a number" "no such user: '4123123123'$" < <(one "$WORK/bin/plain" 'user: 4123123123')
check "more than one" "a': .*No such file" 7 < <(one "$WORK/bin/open"; one "$WORK/bin/absent" | sed s,v1/a,v1/ba,; one "$WORK/bin/plain" 'user: nobodys' | sed s,v1/a,v1/ca,)
t_like "… the first" "check\.yaml:6: handler '/api/v1/a' can be changed" "$ERR"
t_like "… the last" "check\.yaml:8: handler '/api/v1/ca': no such user: 'nobodys'" "$ERR"
if [ "$(id -u)" = 0 ]; then
	mkdir -m 700 shut && program shut/plain <bin/plain
	install -m 700 bin/plain bin/own
	for file in bin/own shut/plain; do
		one "$WORK/$file" | handlers check
		t "--check-config: $file is root's to run" "$AGENT" --check-config --config check.yaml
		check "… and nobody else's" "'$WORK/$file' cannot be run by 'nobody': Permission denied" < <(one "$WORK/$file" 'user: nobody')
	done
fi
check "no time" "timeout': number of seconds out of range" < <(one "$WORK/bin/plain" 'timeout: 0')
check "a mistyped key" "did you mean 'server.handlers.timeout'" < <(one "$WORK/bin/plain" 'tiemout: 5')
check "a path of ours" "'/api/v1/jobs/a' is the agent's own" < <(one "$WORK/bin/plain" | sed 's,v1/a,v1/jobs/a,')
check "the same twice" "'/api/v1/a' is there twice for this method" 7 < <(one "$WORK/bin/plain"; one "$WORK/bin/plain")

# --- who could put another program in its place: the folder, and what it is in
mkdir -p place/up/in place/links
program place/up/in/named <<<'echo {}'
program place/up/in/script <<<$'#!/bin/sh\necho {}'
ln -s up/in place/link
ln -s ../up/in/script place/links/program
cat >place.yaml <<END
rate_limit: {requests_per_second: 0, requests_per_minute: 0}
server: {custom_dir: $WORK/place/link, handlers: [{method: GET, path: /api/v1/x, command: [$WORK/place/links/program]}]}
logging: {file: $WORK/place.log}
END
t "a folder that is root's" "$AGENT" --check-config --config place.yaml
start_agent place
owners=''
[ "$(id -u)" != 0 ] || owners='0755 0755 1 bad the folder is another user'\''s
0755 0755 2 bad what it is in is another user'\''s'
while read -r in up owner expected what; do
	chmod "$in" place/up/in && chmod "$up" place/up && { [ "$owner" != 1 ] || chown 1 place/up/in; } && { [ "$owner" != 2 ] || chown 1 place/up; }
	status=200 rc=0
	[ "$expected" = good ] || status=403 rc=1
	for target in custom/named x; do
		answer GET "$target"
		t_is "$what: $target is HTTP $status" "$status" "$STATUS"
		[ "$expected" = good ] || t_json "… and says which" "d['code'] == 4001 and 'others than root can replace what is in' in d['data']['detail'] and '/place/' in d['data']['detail']" "$BODY"
	done
	t_status "… --check-config" "$rc" "$AGENT" --check-config --config place.yaml
	[ "$expected" = good ] || {
		t_like "… says so" "server.custom_dir: others than root can replace what is in '$WORK/place/up" "$ERR"
		t_like "… and what to do" "try: chown root: $WORK/place/up.* && chmod go-w" "$ERR"
	}
	[ "$(id -u)" != 0 ] || chown 0 place/up place/up/in
done <<END
0755 0755 0 good a folder of root alone
0700 0711 0 good that nobody else sees
0775 0755 0 bad the folder is its group's to write
0757 0755 0 bad the folder is everybody's
1777 0755 0 bad the folder is sticky
0755 0775 0 bad what it is in is its group's to write
0755 0777 0 bad what it is in is everybody's
0755 1777 0 good what it is in is sticky
$owners
END
stop "$PID"
chmod 777 place/up/in
start_agent place
warned() { grep -q "WARNING.*server.custom_dir: others than root can replace" place.log; }
t "an agent that starts with such a folder says so in its log" t_within 20 warned
chmod 755 place/up/in
chmod 777 place/links
answer GET x
t_is "a link that others can replace is HTTP 403" 403 "$STATUS"
chmod 755 place/links
# … and each link between the first and the last
mkdir -p place/mid/deep place/far
ln -sf ../mid/second place/links/program
ln -s deep/third place/mid/second
ln -s "$WORK/place/far/../fourth/script" place/mid/deep/third
ln -s up/in place/fourth
for folder in links mid mid/deep far ''; do
	answer GET x
	t_is "a chain of links in folders of root is HTTP 200" 200 "$STATUS"
	for mode in 777 775 1777; do
		chmod $mode "place/$folder"
		answer GET x
		expected=403
		[ "$folder$mode" != far1777 ] || expected=200 # nothing in it is used
		t_is "… with place/$folder of mode $mode on the way HTTP $expected" "$expected" "$STATUS"
	done
	chmod 755 "place/$folder"
done
stop "$PID"

# --- no transfer puts a program there: not into the folder, nor in the place of a
# program or of what leads to one, whoever owns it
mkdir tools
printf '#!/bin/sh\necho real\n' | program tools/real
ln -s real tools/linked
ln -s ../../mid/second place/up/in/chained
cat >>place.yaml <<END
security: {allowed_commands: [ls, $WORK/tools/linked, $WORK/tools/later/one], allowed_paths: [$WORK/]}
END
start_agent place
printf '#!/bin/sh\necho pwned\n' | program pwned
kept() { find place tools -printf '%p %y %l %m %U %s\n' | sort; }
kept >before
while read -r key path; do
	t_json "no upload to $path" "d['code'] == 4001 and 'on the way to a program' in d['data']['detail'] and '($key' in d['data']['detail']" "$(http PUT "/api/v1/file/content?path=$WORK/$path&mode=755" -T pwned)"
	for query in "directory?exist_ok=false" "directory?parents=true" "symlink?overwrite=true&target=/tmp" "remove?recursive=true" "attributes?mode=777"; do
		t_json "… no $query" "d['code'] != 0" "$(http POST "/api/v1/file/$query&path=$WORK/$path")"
	done
done <<'END'
server.custom_dir place/link
server.custom_dir place/up/in/new
server.custom_dir place/up/in/named
server.custom_dir place/link/named
server.custom_dir place/link/chained
server place/links/program
server place/mid/second
server place/mid/deep/third
server place/fourth
server place/up/in/script
security.allowed_commands tools/linked
security.allowed_commands tools/real
security.allowed_commands tools/later
END
for folder in place place/up place/up/in place/links place/mid place/mid/deep tools; do
	for query in "remove?recursive=true" "attributes?mode=777" "attributes?owner=1" "symlink?overwrite=true&target=/tmp"; do
		t_json "no $query of $folder" "d['code'] != 0" "$(http POST "/api/v1/file/$query&path=$WORK/$folder")"
	done
	[ $folder = place/up/in ] || t_json "… but it is there" "d['code'] == 0 and not d['data']['created']" "$(http POST "/api/v1/file/directory?exist_ok=true&path=$WORK/$folder")"
done
kept >after
t "nothing of that changed anything" diff before after
for path in place/beside place/links/beside place/mid/beside tools/beside; do
	t_json "what is beside may be written: $path" "d['code'] == 0" "$(http PUT "/api/v1/file/content?path=$WORK/$path" -T pwned)"
	t_json "… and removed" "d['code'] == 0" "$(http POST "/api/v1/file/remove?path=$WORK/$path")"
done
t_is "the program of the list runs" real "$(virsh_ --socket "$SOCKET" exec -- "$WORK/tools/linked")"
stop "$PID"
sed -i 's/allowed_commands: \[/&"*", /' place.yaml
start_agent place
t_json "where every program may be run there is nothing to guard" "d['code'] == 0" "$(http PUT "/api/v1/file/content?path=$WORK/tools/real" -T pwned)"
done_testing
