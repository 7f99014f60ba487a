#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands as a user types them: outputs, ways to name a guest, exit codes.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

t "ping" "$VSRPC" "$DOMAIN" ping
t_like "ping prints one line of JSON that says pong" '^\{"version":"1.0","code":0,"message":"pong",.*\}$' "$OUT"
t "info" "$VSRPC" "$DOMAIN" info
t_json "info prints JSON with the guest's name" "d['data']['hostname'] == '$DOMAIN'" "$OUT"
t "status" "$VSRPC" "$DOMAIN" status
t_json "status prints JSON with load and memory" "len(d['data']['load_average']) == 3 and d['data']['memory_usage'] > 0" "$OUT"
head -c 1024 /dev/urandom >local.txt
t "upload" "$VSRPC" "$DOMAIN" upload local.txt /tmp/remote.txt
t_is "upload says what the specification shows" "Upload successful: /tmp/remote.txt (1024 bytes)" "$OUT"
t "download" "$VSRPC" "$DOMAIN" download /tmp/remote.txt back.txt
t_is "download says where and how much" "Download successful: back.txt (1024 bytes)" "$OUT"
t "exec of a string" "$VSRPC" "$DOMAIN" exec "ls -la /tmp"
t_like "exec prints the command's listing" '^total [0-9]+'$'\n''d.* remote\.txt' "$OUT"
t "stat" "$VSRPC" "$DOMAIN" stat /tmp/remote.txt
t_json "stat tells size and MD5" "d['data']['size'] == 1024 and d['data']['md5'] == '$(md5_of local.txt)'" "$OUT"
t "service start" "$VSRPC" "$DOMAIN" service vsrpc-demo start
t_json "service tells status and pid" "d['data']['status'] == 'running' and d['data']['pid'] > 1" "$OUT"
t "service stop" "$VSRPC" "$DOMAIN" service vsrpc-demo stop
t_json "service stop stops it" "d['data']['status'] == 'stopped' and d['data']['pid'] is None" "$OUT"
t_status "the status of a stopped service" 3 "$VSRPC" "$DOMAIN" service vsrpc-demo status
t_status "… in a word" 3 "$VSRPC" "$DOMAIN" service vsrpc-demo is-active
t_is "… which is systemctl's" inactive "$OUT"
t_status "the status of an unknown service" 4 "$VSRPC" "$DOMAIN" service no-such status
t_json "… with the envelope on standard output" "d['code'] == 3004" "$OUT"
t "call" "$VSRPC" "$DOMAIN" call GET /api/v1/ping
t_json "call prints the answer" "d['message'] == 'pong'" "$OUT"
t "call with a body" "$VSRPC" "$DOMAIN" call post shell/exec '{"argv": ["echo", "hi"]}'
t_json "call sends it" "d['data']['stdout'] == 'hi\n'" "$OUT"
t_status "call exits with 1 for an answer of error" 1 "$VSRPC" "$DOMAIN" call GET nothing
t "list" "$VSRPC" list
t_like "list shows the guest with its agent" "$DOMAIN +[0-9]+ +$PORT +connected +[0-9.]+ +[0-9.]+" "$OUT"
t "list --json" "$VSRPC" --json list
t_json "list --json is an array of objects" "[r for r in d if r['name'] == '$DOMAIN' and r['connected'] and r['ping_ms'] > 0 and r['channel'] == '$PORT']" "$OUT"
t "--json gives upload's result as JSON" "$VSRPC" --json "$DOMAIN" upload local.txt /tmp/remote.txt
t_json "… with size and MD5" "d['data'] == {'path': '/tmp/remote.txt', 'size': 1024, 'md5': '$(md5_of local.txt)'}" "$OUT"
t "--quiet uploads without a word" "$VSRPC" -q "$DOMAIN" upload local.txt /tmp/remote.txt
t_is "… indeed" '' "$OUT$ERR"

# --- ways to a guest
t "by UUID" "$VSRPC" "$(virsh -c "$URI" domuuid "$DOMAIN" | head -n 1)" ping
t "by id" "$VSRPC" "$(virsh -c "$URI" domid "$DOMAIN" | head -n 1)" ping
t "by socket, without libvirt" env LIBVIRT_DEFAULT_URI=nonsense:///x "$VSRPC" --socket "$SOCKET" ping
t "by VIRTIO_SOCKET, without a domain" env LIBVIRT_DEFAULT_URI=nonsense:///x VIRTIO_SOCKET="$SOCKET" "$VSRPC" ping
t "the specification's way: --socket \$VIRTIO_SOCKET" env VIRTIO_SOCKET="$SOCKET" "$VSRPC" --socket "$SOCKET" exec "ls -la /tmp"
t "a domain wins over VIRTIO_SOCKET" env VIRTIO_SOCKET=/nowhere "$VSRPC" "$DOMAIN" ping
t "--connect" env -u LIBVIRT_DEFAULT_URI "$VSRPC" -c "$URI" "$DOMAIN" ping
t "--channel takes another channel" "$VSRPC" --channel test.vserial.0 "$DOMAIN" ping

# --- usage
for args in '' 'ping' "$DOMAIN" "$DOMAIN frob" '--bogus' "$DOMAIN ping too many" "$DOMAIN service x explode" "--socket /x --all ping"; do
	# shellcheck disable=SC2086
	t_status "usage error: '$args'" 2 env -u VIRTIO_SOCKET "$VSRPC" $args
done
t_status "a usage error of exec is 125" 125 "$VSRPC" "$DOMAIN" exec
t "--help" "$VSRPC" --help
t_like "--help names the commands" 'upload.*download' "$(tr '\n' ' ' <<<"$OUT")"
t_is "standard error stays empty then" '' "$ERR"
t_status "output that cannot be written is no success" 125 sh -c "exec '$VSRPC' '$DOMAIN' ping >/dev/full"
t_like "… and is said" "No space left" "$ERR"

done_testing
