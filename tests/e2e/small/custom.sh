#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs in the handler folder answer under /api/v1/custom/.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

# /etc is read-only for uploads: what the administrator does by hand, exec does.
in_guest() { "$VSRPC" "$DOMAIN" exec -- "$@"; }
t "handler folders can be made" in_guest mkdir -p /etc/virtio-rpc/custom.d /usr/local/etc/virtio-rpc/custom.d
put() { # NAME [MODE], the script on stdin
	cat >"$WORK/$1"
	"$VSRPC" "$DOMAIN" upload --mode "${2:-0755}" "$WORK/$1" "/tmp/$1" >/dev/null || return
	for dir in /etc /usr/local/etc; do
		in_guest cp -p "/tmp/$1" "$dir/virtio-rpc/custom.d/$1" || return
	done
	in_guest rm "/tmp/$1"
}
put echo <<'END'
#!/bin/sh
printf '{"method":"%s","query":"%s","length":%d,"body":%s}' "$REQUEST_METHOD" "$QUERY_STRING" "$CONTENT_LENGTH" "$(cat)"
END
put words <<'END'
#!/bin/sh
echo no JSON at all
END
put fails <<'END'
#!/bin/sh
echo oops >&2
exit 4
END
put open 0777 <<'END'
#!/bin/sh
echo '{}'
END

t "call reaches a handler" "$VSRPC" "$DOMAIN" call POST custom/echo '{"a": [1, 2]}'
t_json "it gets the body and its answer is data" "d['code'] == 0 and d['data'] == {'method': 'POST', 'query': '', 'length': 13, 'body': {'a': [1, 2]}}" "$OUT"
OUT=$(http GET '/api/v1/custom/echo?x=1' -H 'Content-Type: application/json' --data 7)
t_json "it sees method and query" "d['data']['method'] == 'GET' and d['data']['query'] == 'x=1' and d['data']['body'] == 7" "$OUT"
t_not "a handler that prints no JSON is an error" "$VSRPC" "$DOMAIN" call GET custom/words
t_json "… of the guest" "d['code'] == 1001 and 'JSON' in d['data']['detail']" "$OUT"
t_not "a handler that fails is an error" "$VSRPC" "$DOMAIN" call GET custom/fails
t_json "… with its exit code and what it said" "d['code'] == 1001 and d['data']['exit_code'] == 4 and d['data']['stderr'] == 'oops\n'" "$OUT"
t_status "a handler that anybody could change is refused" 126 "$VSRPC" "$DOMAIN" call GET custom/open
t_status "an unknown handler is an error" 1 "$VSRPC" "$DOMAIN" call GET custom/nobody
t_json "… ENDPOINT_NOT_FOUND" "d['code'] == 3001" "$OUT"
t_not "a handler's name cannot leave the folder" "$VSRPC" "$DOMAIN" call GET custom/..%2F..%2Fpasswd

# --- server.handlers: the agent's configuration gets some, and it is started anew
put handler <<'END'
#!/bin/sh
printf '{"method":"%s","script":"%s","path":"%s","query":"%s","arguments":"%s","user":"%s","body":"%s"}' \
	"$REQUEST_METHOD" "$SCRIPT_NAME" "$PATH_INFO" "$QUERY_STRING" "$*" "$(id -un)" "$(cat)"
END
configure() { # the section "server" on stdin: in front of the first one
	second sh -c 'cd /etc/virtio-rpc && { [ -e old.yaml ] || cp guest_config.yaml old.yaml; } && cat - old.yaml >guest_config.yaml' &&
		second kill "$(agent_pid)"
}
asked() { "$VSRPC" "$DOMAIN" capabilities >able; }
serves() { asked && grep -q "POST /api/v1/vendor/disk" able; }
as_before() { asked && ! grep -q "POST /api/v1/vendor/disk" able; }
back() { # whoever comes next finds the agent as it was, and there
	second sh -c 'cd /etc/virtio-rpc && mv old.yaml guest_config.yaml' && second kill "$(agent_pid)"
	t_within 20 as_before
}
t "a configuration with handlers" configure <<'END'
server:
  handlers:
    - method: GET
      path: /api/v1/custom
      command: [/etc/virtio-rpc/custom.d/handler, one, two words]
    - {method: POST, path: /api/v1/vendor/disk, command: [/etc/virtio-rpc/custom.d/handler], user: user}
END
t_finally back
t "… of an agent that lists them" t_within 20 serves
t "the specification's GET /api/v1/custom" "$VSRPC" "$DOMAIN" call GET '/api/v1/custom?x=1'
t_json "… is answered" "d['data'] == {'method': 'GET', 'script': '/api/v1/custom', 'path': '', 'query': 'x=1',
	'arguments': 'one two words', 'user': 'root', 'body': ''}" "$OUT"
t "call below a handler's path" "$VSRPC" "$DOMAIN" call POST vendor/disk/a/b '7'
t_json "… reaches it, as its user" "d['data'] == {'method': 'POST', 'script': '/api/v1/vendor/disk', 'path': '/a/b', 'query': '',
	'arguments': '', 'user': 'user', 'body': '7'}" "$OUT"
t "the folder is as it was" "$VSRPC" "$DOMAIN" call POST custom/echo '[1]'
t_json "… and comes before a handler above it" "d['data']['body'] == [1]" "$OUT"
t_is "another method is HTTP 405" 405 "$(http DELETE /api/v1/vendor/disk -o /dev/null -D fields -w '%{http_code}')"
t_like "… with what is allowed" 'Allow: POST' "$(cat fields)"
t_is "a path that is nobody's is HTTP 404" 404 "$(http POST /api/v1/vendor -o /dev/null -w '%{http_code}')"

done_testing
