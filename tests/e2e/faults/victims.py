#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The victims of storm.py: programs and processes in the middle of something.

What is random about one comes from the generator that it is given; token is
what its command leaves in the guest.
"""
import json
import os
import select
import signal
import socket
import subprocess
import time

VSRPC, SOCKET, DOMAIN, WORK = (os.environ[k] for k in ("VSRPC", "SOCKET", "DOMAIN", "WORK"))

MIB = 1024 * 1024
GUEST = "/tmp/storm"          # everything of ours in the guest
RAN = GUEST + "/ran"          # a line for each command that was carried out
SIZES = (1, 2, 3, 5, 8)       # MiB of the files


def ours(*words, how=("--socket", SOCKET)):
    return [VSRPC, *how, *words]


# --- files that look like traffic ------------------------------------------------

def padded(head, body, size=256):
    """A message of exactly so many bytes, so that many fill 4 KiB evenly."""
    text = "%s\r\nContent-Length: %d\r\nX-Pad: %%s\r\n\r\n%s" % (head, len(body), body)
    return (text % ("x" * (size - len(text) + 2))).encode()


def requests_as_content(size):
    body = json.dumps({"argv": ["sh", "-c", "echo evil >>" + RAN]})
    return padded("POST /api/v1/shell/exec HTTP/1.1\r\nHost: virtio-rpc", body) * (size // 256)


def answers_as_content(size):
    body = json.dumps({"version": "1.0", "code": 0, "message": "foreign", "data": {"exit_code": 0}})
    return padded("HTTP/1.1 200 OK\r\nContent-Type: application/json", body) * (size // 256)


def local_file(size):
    return "%s/file-%d" % (WORK, size)


def guest_file(size):
    """Its name tells what must be in it."""
    return "%s/file-%d" % (GUEST, size)


# --- what a victim is doing --------------------------------------------------------

def noting(token, then):
    """A command that leaves a line in the guest, once each time it is run."""
    return ["sh", "-c", "echo %s >>%s; %s" % (token, RAN, then)]


OUTPUT = "exec head -c %d /dev/zero"
SLEEP = "exec sleep 1000"


class Ours:
    """Commands of vsrpc-virsh; rng picks, token marks what is carried out."""
    name = "ours"

    def upload(rng, token):
        size = rng.choice(SIZES)
        return ours("upload", local_file(size), guest_file(size))

    def download(rng, token):
        return ours("download", GUEST + "/answers", WORK + "/downloaded")

    def exec_output(rng, token):
        return ours("exec", "--", *noting(token, OUTPUT % rng.randrange(100000, 3000000)))

    def exec_short(rng, token):
        return ours("exec", "--", *noting(token, "true"))

    def exec_sleep(rng, token):
        return ours("exec", "--", *noting(token, SLEEP))

    def status(rng, token):
        return ours("status")

    def ping(rng, token):
        return ours("ping")

    def ping_by_name(rng, token):
        return ours("ping", how=(DOMAIN,))

    def stat(rng, token):
        return ours("stat", rng.choice((GUEST + "/answers", "/etc/passwd", "/nothing")))

    def service(rng, token):
        return ours("service", "vsrpc-demo", "status")

    def capabilities(rng, token):
        return ours("capabilities")


def json_upload(size):
    return "%s/json-%d" % (WORK, size)


class Curl:
    """The same with plain curl, which knows no handshake."""
    name = "curl"

    def curl(target, *words):
        return ["curl", "-s", "--max-time", "20", "--unix-socket", SOCKET, *words, "http://virtio-rpc/api/v1" + target]

    def put(rng, token):
        size = rng.choice(SIZES)
        return Curl.curl("/file/content?path=" + guest_file(size), "-T", local_file(size), "-o", "/dev/null")

    def post_json(rng, token):
        return Curl.curl("/file/upload", "-H", "Expect:", "--data-binary", "@" + json_upload(rng.choice(SIZES[:4])))

    def get(rng, token):
        return Curl.curl("/file/content?path=" + GUEST + "/answers", "-o", "/dev/null")

    def execute(rng, token):
        then = rng.choice((SLEEP, OUTPUT % 500000, "true"))
        return Curl.curl("/shell/exec", "--data", json.dumps({"argv": noting(token, then)}))


class Bytes:
    """Requests for a victim that writes an exact number of bytes of them."""

    def request(method, target, body=b"", fields=()):
        head = ["%s /api/v1%s HTTP/1.1" % (method, target), "Host: virtio-rpc", *fields]
        if body and "Transfer-Encoding: chunked" not in fields:
            head.append("Content-Length: %d" % len(body))
        return "\r\n".join(head + ["", ""]).encode() + body

    def ping(rng, token):
        return Bytes.request("GET", "/ping")

    def sync(rng, token):
        return b"\xff" + Bytes.request("GET", "/sync?id=" + token)

    def info(rng, token):
        return Bytes.request("GET", "/file/info?path=/etc/passwd")

    def status(rng, token):
        return Bytes.request("GET", "/system/status")

    def get(rng, token):
        return Bytes.request("GET", "/file/content?path=" + GUEST + "/answers")

    def execute(rng, token):
        then = rng.choice((SLEEP, OUTPUT % 500000, "true"))
        return Bytes.request("POST", "/shell/exec", json.dumps({"argv": noting(token, then)}).encode(),
                             ["X-Request-ID: " + token])

    def service(rng, token):
        return Bytes.request("POST", "/service/control", b'{"name": "vsrpc-demo", "action": "status"}')

    def download(rng, token):
        return Bytes.request("POST", "/file/download", json.dumps({"path": GUEST + "/answers"}).encode())

    def upload(rng, token):
        with open(json_upload(rng.choice(SIZES[:4])), "rb") as content:
            return Bytes.request("POST", "/file/upload", content.read())

    def put(rng, token):
        size = rng.choice(SIZES)
        return Bytes.request("PUT", "/file/content?path=" + guest_file(size), requests_as_content(size * MIB))

    def put_chunked(rng, token):
        size = rng.choice(SIZES)
        chunk = b"%x\r\n%s\r\n" % (65536, requests_as_content(65536))
        return Bytes.request("PUT", "/file/content?path=" + guest_file(size), chunk * (size * 16) + b"0\r\n\r\n",
                             ["Transfer-Encoding: chunked"])


def operations(kind, weights={}):
    names = [name for name, value in vars(kind).items()
             if callable(value) and name not in ("curl", "request") and not name.startswith("_")]
    return [name for name in names for _ in range(weights.get(name, 1))]


# --- victims -----------------------------------------------------------------------

class Program:
    """A program that is killed after a while."""

    def __init__(self, rng, token, kind, typical):
        self.operation = rng.choice(operations(kind))
        self.delay = rng.uniform(0, typical[kind.name, self.operation])
        self.words = getattr(kind, self.operation)(rng, token)

    def __str__(self):
        return "%s\n  killed after %.1f ms" % (" ".join(self.words), 1000 * self.delay)

    def start(self):
        self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.delay)  # the random moment

    def kill(self):
        self.busy = self.process.poll() is None
        self.process.kill()

    def reap(self):
        self.process.wait()


class Writer:
    """A process that writes so many bytes of a request, perhaps reads some of
    the answer, and is killed there or closes."""

    def __init__(self, rng, token, sync):
        self.operation = rng.choice(operations(Bytes))
        self.bytes = getattr(Bytes, self.operation)(rng, token)
        self.sync, self.token = sync, token
        self.closes = rng.random() < 0.3
        where = rng.random()
        self.count, self.reads = len(self.bytes), 0
        if where < 0.3:
            self.count = rng.randrange(1, min(400, len(self.bytes)))
        elif where < 0.7:
            self.count = rng.randrange(1, len(self.bytes))
        elif where < 0.9:
            self.reads = rng.choice((1, 10, 1000, 100000, 2000000))

    def __str__(self):
        return "%s%d bytes of %s (%d)%s, then %s" % (
            "sync, " if self.sync else "", self.count, self.operation, len(self.bytes),
            ", at most %d of the answer are read" % self.reads if self.reads else "",
            "closed" if self.closes else "killed")

    def start(self):
        here, ready = os.pipe()
        go, self.go = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.go)
                self.be(ready, go)
            finally:
                os._exit(0)
        os.close(ready)
        os.close(go)
        # At its byte; or stuck on the way, which is a random byte, too.
        select.select([here], [], [], 3)
        os.close(here)

    def be(self, ready, go):
        client = socket.socket(socket.AF_UNIX)
        client.connect(SOCKET)
        client.settimeout(1)
        if self.sync:
            client.sendall(b"\xff" + Bytes.request("GET", "/sync?id=v" + self.token))
            client.recv(4096)
        client.settimeout(None)
        client.sendall(self.bytes[:self.count])
        self.read(client)
        os.write(ready, b".")
        os.read(go, 1)
        client.close()

    def read(self, client):
        client.settimeout(0.2)  # an answer that never comes is not waited for
        try:
            while self.reads > 0:
                piece = client.recv(min(self.reads, 65536))
                self.reads = self.reads - len(piece) if piece else 0
        except socket.timeout:
            pass

    def kill(self):
        self.busy = True
        if not self.closes:
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.go)

    def reap(self):
        os.waitpid(self.pid, 0)
