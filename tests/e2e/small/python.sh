#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Python's http.client as a client: many requests in one connection.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

cat >"$WORK/client.py" <<'END'
import hashlib, http.client, json, os, socket, sys

class Channel(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(200)
        self.sock.connect(sys.argv[1])

def ask(channel, method, target, body=None, headers={}, chunked=False):
    channel.request(method, "/api/v1" + target, body, headers, encode_chunked=chunked)
    answer = channel.getresponse()
    return answer.status, answer.read()

def pings(channel):
    for i in range(1000):
        status, body = ask(channel, "GET", "/ping", headers={"X-Request-ID": str(i)})
        assert status == 200 and json.loads(body)["message"] == "pong", body

def chunked(channel):
    content = os.urandom(500000)
    pieces = (content[i:i + 7001] for i in range(0, len(content), 7001))
    status, body = ask(channel, "PUT", "/file/content?path=/tmp/py", pieces, {"Transfer-Encoding": "chunked"}, True)
    assert json.loads(body)["data"]["md5"] == hashlib.md5(content).hexdigest(), body
    status, body = ask(channel, "GET", "/file/content?path=/tmp/py")
    assert status == 200 and body == content

def errors(channel):
    for method, target, want in ("GET", "/nope", 404), ("PUT", "/ping", 405), ("POST", "/shell/exec", 400):
        status, body = ask(channel, method, target, b"{" if method == "POST" else None)
        assert status == want, (target, status)
    assert ask(channel, "GET", "/ping")[0] == 200

channel = Channel("virtio-rpc")
globals()[sys.argv[2]](channel)
END
py() { "${PYTHON:-python3}" "$WORK/client.py" "$SOCKET" "$1"; }

t "1,000 pings in one connection" py pings
t "a chunked upload and its download in one connection" py chunked
t "errors leave the connection usable" py errors

done_testing
