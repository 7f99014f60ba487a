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
t_json "… of the guest" "d['code'] == 5001 and 'JSON' in d['data']['detail']" "$OUT"
t_not "a handler that fails is an error" "$VSRPC" "$DOMAIN" call GET custom/fails
t_json "… with its exit code and what it said" "d['code'] == 1001 and d['data']['exit_code'] == 4 and d['data']['stderr'] == 'oops\n'" "$OUT"
t_status "a handler that anybody could change is refused" 126 "$VSRPC" "$DOMAIN" call GET custom/open
t_status "an unknown handler is an error" 1 "$VSRPC" "$DOMAIN" call GET custom/nobody
t_json "… ENDPOINT_NOT_FOUND" "d['code'] == 3001" "$OUT"
t_not "a handler's name cannot leave the folder" "$VSRPC" "$DOMAIN" call GET custom/..%2F..%2Fpasswd

done_testing
