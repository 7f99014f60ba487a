#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real agent when calls fail under it.

    faults.py AGENT FOLDER [PART[-K-of-N]]

AGENT is linked with wrap.c, which looks into a mapped file for what is to
fail, and counts calls there.  For each kind of failure, each step of the
scenario and each call that the agent makes in it, a round plays that step
alone, from connecting to hanging up, and that call fails: what is answered has
to be right or a clear error, and then, with no faults, the same agent has to
do the same step right and to have kept nothing.  The calls of the agent's
forks are numbered apart from its own.

How many calls there are is counted beforehand, without faults, and every one
of them has to be seen to fail: there is no time limit.  Part K of N takes the
calls K, K+N, K+2N, …, until one is beyond the last.

Other kinds (short reads, EINTR) happen at each n-th call of all the scenario,
and nothing may be wrong at all.
"""
import base64
import hashlib
import json
import mmap
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

KINDS = ("OFF MEMORY FORK OPEN DISK SPACE READ WRITE SYNC READ_ONE READ_INTR READ_AGAIN WRITE_ONE "
         "WRITE_INTR WRITE_AGAIN POLL_INTR POLL_IDLE").split()
KIND = {name: i for i, name in enumerate(KINDS)}
PLACES = ("agent", "fork")
HEAD = struct.Struct("6q") # of the file: struct faults in wrap.c
SIZE = HEAD.size + 2 * len(KINDS) * 8
PATIENCE_S = 60  # for what must happen at some time; an answer, too
TRIES = 20        # of a call that came in some runs without faults, and not in others
RARE_MAX = 3      # such calls of a kind, or one in a hundred
WHYS_MAX = 5      # failures that are told before a kind is given up
BIG = bytes(range(256)) * 300   # takes several reads and writes
LONG = bytes(range(1, 251)) * 1200  # takes two steps of a stream
SMALL = b"a small file\n"


class Silent(Exception):
    """No answer."""


class Wrong(Exception):
    """An answer that is neither right nor an error."""


class Broken(Exception):
    """A body that was broken off, with a word."""


class Faults:
    """The numbers that agent and test share."""

    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(bytes(SIZE))
        self.path = path
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), SIZE)

    def arm(self, kind, number, every=0, place=0):
        self.disarm()
        self.map[8:SIZE] = struct.pack("5q", number, every, place, 0, 0) + bytes(SIZE - HEAD.size)
        self.map[0:8] = struct.pack("q", KIND[kind])

    def disarm(self):
        """Return: how often it has failed."""
        self.map[0:8] = struct.pack("q", KIND["OFF"])
        return HEAD.unpack(self.map[0:HEAD.size])[4]

    def crashed(self):
        """Return: how many forks of the agent have crashed."""
        return HEAD.unpack(self.map[0:HEAD.size])[5]

    def calls(self):
        """Return: since arm(), per place: how many of each kind."""
        n = len(KINDS)
        calls = struct.unpack("%dq" % (2 * n), self.map[HEAD.size:SIZE])
        return [dict(zip(KINDS, calls[:n])), dict(zip(KINDS, calls[n:]))]


class Client:
    asked = set() # by any of them: method and path

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(path)
        self.left = b""
        self.fields = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def more(self):
        try:
            piece = self.socket.recv(1 << 20)
        except socket.timeout:
            raise Silent("no answer") from None
        if not piece:
            raise Silent("the connection was lost")
        self.left += piece

    def head(self):
        """Return: status, length (-1: it comes in chunks); the fields are in self.fields."""
        while b"\r\n\r\n" not in self.left:
            self.more()
        head, self.left = self.left.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        self.fields = dict((name.lower(), value) for name, value in (line.split(": ", 1) for line in lines[1:]))
        return int(lines[0].split(" ")[1]), int(self.fields.get("content-length", -1))

    def send(self, method, target, body=None, fields=(), length=None):
        """Sends a request, or the part of it that the body is."""
        self.asked.add("%s /api/v1/%s" % (method, target.split("?")[0]))
        lines = ["%s /api/v1/%s HTTP/1.1" % (method, target), "Host: virtio-rpc"] + list(fields)
        if body is not None:
            lines += ["Content-Length: %d" % (len(body) if length is None else length)]
        try:
            self.socket.sendall("\r\n".join(lines + ["", ""]).encode() + (body or b""))
        except (BrokenPipeError, ConnectionResetError):
            raise Silent("the connection was lost") from None
        except socket.timeout:
            raise Silent("the request was not taken") from None

    def call(self, method, target, body=None, kind="application/json", fields=(), request_id=None):
        """Return: HTTP status, body."""
        fields = ["X-Request-ID: " + (request_id or unique()), "Content-Type: " + kind] + list(fields)
        self.send(method, target, body, fields)
        status, length = self.head()
        while status < 200:
            status, length = self.head()
        if length < 0 and self.fields.get("transfer-encoding") != "chunked":
            raise Wrong("an answer without a length")
        if method == "HEAD":
            return status, b""
        return status, self.chunks() if length < 0 else self.take(length)

    def take(self, length):
        while len(self.left) < length:
            self.more()
        answer, self.left = self.left[:length], self.left[length:]
        return answer

    def line(self):
        while b"\r\n" not in self.left:
            self.more()
        line, self.left = self.left.split(b"\r\n", 1)
        return line

    def chunks(self):
        answer = b""
        while True:
            size = self.line()
            if size.startswith(b"!broken off: at byte %d: " % len(answer)):
                raise Broken(size)
            size = int(size, 16)
            answer += self.take(size)
            expect("a chunk is longer than its size", self.line() == b"")
            if size == 0:
                return answer

    def leave(self):
        """Hangs up, until the agent has seen it and cleaned up."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
            while self.socket.recv(1 << 20):
                pass
        except socket.timeout:
            raise Silent("it does not see that its client has left") from None
        except OSError:
            pass # it has left, too
        self.socket.close()

    def ask(self, method, target, params=None, body=None, **rest):
        """Return: data, or None for an error of the agent."""
        if params is not None:
            body = json.dumps(params).encode()
        kind = "application/json" if params is not None else "application/octet-stream"
        status, answer = self.call(method, target, body, kind, **rest)
        envelope = json.loads(answer)
        if envelope["code"] == 0 and status < 300:
            return envelope["data"]
        refused(envelope)
        return None


def refused(envelope):
    """Return: the code of an error, which has to be one."""
    if envelope["code"] <= 0 or not envelope["message"] or "the worker died" in envelope["message"]:
        raise Wrong("an error that is none: %r" % envelope)
    return envelope["code"]


def unique():
    return "%x" % time.monotonic_ns()


# --- what is asked: each gives True when it was right, False for a clear error

def expect(what, right):
    if not right:
        raise Wrong(what)
    return True


def sync(client, _):
    data = client.ask("GET", "sync?id=test")
    return data is not None and expect(data, data["id"] == "test")


def ping(client, _):
    data = client.ask("GET", "ping")
    return data is not None and expect(data, data["uptime"] > 0)


def execute(client, _):
    data = client.ask("POST", "shell/exec", {"argv": ["sh", "-c", "echo out; echo err >&2; exit 3"]})
    if data is None:
        return False
    if data.get("truncated"):
        return False
    return expect(data, (data["exit_code"], data["stdout"], data["stderr"]) == (3, "out\n", "err\n"))


def execute_big(client, files):
    data = client.ask("POST", "shell/exec", {"argv": ["od", "-An", "-v", "-tx1", files + "/big"]})
    if data is None or data.get("truncated"):
        return False
    return expect("od", data["exit_code"] == 0
                  and bytes.fromhex(data["stdout"].replace("\n", " ")) == BIG)


def execute_pattern(client, files):
    """A folder that cannot be read has nothing that matches, as to sh."""
    data = client.ask("POST", "shell/exec", {"command": "echo %s/b?g" % files})
    if data is None or data.get("truncated"):
        return False
    expect(data, data["exit_code"] == 0 and data["stdout"] in (files + "/big\n", files + "/b?g\n"))
    return data["stdout"] == files + "/big\n"


class Job:
    """One that is deleted however it went."""

    def __init__(self, client, params):
        self.client = client
        self.request = unique()
        data = client.ask("POST", "jobs", params, request_id=self.request)
        self.id = data and data["id"]
        self.said = {1: b"", 2: b""}
        self.at = 0
        self.status = data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(2): # the first may be the call that fails
            self.client.call("DELETE", "jobs/" + self.id if self.id else "requests/" + self.request)

    def turn(self, what, body=None):
        """Return: whether it was one, and no error."""
        target = "jobs/%s/%s" % (self.id, what.replace("@", str(self.at)))
        status, answer = self.client.call("POST" if body is not None else "GET", target, body)
        if status != 200:
            expect(answer, json.loads(answer)["code"] > 0)
            return False
        self.status = json.loads(self.client.fields["x-job-status"])
        expect("offset", int(self.client.fields["x-output-offset"]) == self.at)
        for piece in filter(None, self.client.fields.get("x-output-segments", "").split(",")):
            stream, n = map(int, piece.split(":"))
            self.said[stream] += answer[:n]
            answer = answer[n:]
            self.at += n
        return expect("segments", not answer)

    def finish(self):
        """Return: whether all of it could be read."""
        while self.status["state"] != "ended" or self.at < self.status["output"]:
            if not self.turn("output?offset=@&wait_ms=2000"):
                return False
        return True


def job(client, _):
    with Job(client, {"argv": ["sh", "-c", "cat; echo err >&2; exit 3"], "stdin": True}) as it:
        if not it.id or not it.turn("stdin?offset=0&eof=1&output=@&wait_ms=2000", SMALL) or not it.finish():
            return False
        return expect(it.status, (it.status["exit_code"], it.said) == (3, {1: SMALL, 2: b"err\n"}))


def job_elsewhere(client, _):
    """Forked, and as a user of its own."""
    with Job(client, {"argv": ["pwd"], "working_dir": "/proc", "user": str(os.getuid()), "group": str(os.getgid()),
                      "wait_ms": 2000}) as it:
        return bool(it.id) and it.finish() and expect(it.said, it.said[1] == b"/proc\n")


def job_on_a_terminal(client, _):
    with Job(client, {"argv": ["stty", "size"], "tty": {"rows": 7, "columns": 9}, "wait_ms": 2000}) as it:
        return bool(it.id) and it.finish() and expect(it.said, it.said[1] == b"7 9\r\n")


def job_big(client, files):
    with Job(client, {"argv": ["cat", files + "/big"]}) as it:
        return bool(it.id) and it.finish() and expect("cat", it.said[1] == BIG)


def job_listed(client, _):
    """One that goes on by itself, and is looked at and killed."""
    with Job(client, {"argv": ["sleep", "60"], "detach": True}) as it:
        data = it.id and client.ask("GET", "jobs")
        if not data or not client.ask("GET", "jobs/" + it.id):
            return False
        expect(data, [job["argv"] for job in data["jobs"] if job["id"] == it.id] == [["sleep", "60"]])
        if not client.ask("POST", "jobs/%s/signal" % it.id, {"signal": "KILL"}) or not it.finish():
            return False
        return expect(it.status, it.status.get("signal") in (9, "SIGKILL", "KILL"))


def job_resized(client, _):
    with Job(client, {"argv": ["sh", "-c", "read x; stty size"], "tty": {"rows": 7, "columns": 9}}) as it:
        if not it.id or not client.ask("POST", "jobs/%s/resize" % it.id, {"rows": 8, "columns": 10}):
            return False
        if not it.turn("stdin?offset=0&output=@&wait_ms=2000", b"x\n") or not it.finish():
            return False
        return expect(it.said, it.said[1].endswith(b"8 10\r\n"))


def error_of(client, *request):
    """Return: whether it is the error that it has to be, and no other."""
    code, *request = request
    _, answer = client.call(*request)
    return refused(json.loads(answer)) == code


def not_found(client, _):
    return error_of(client, 1003, "POST", "shell/exec", json.dumps({"argv": ["no-such-program"]}).encode())


def service(client, _):
    """Of what manager it is depends on the machine: its tool may be missing, or there is none."""
    body = json.dumps({"name": "no-such-service", "action": "status"}).encode()
    code = 3004 if any(map(os.path.exists, ("/run/openrc", "/etc/init.d"))) else 1001
    return error_of(client, code, "POST", "service/control", body) or os.path.exists("/run/systemd/system")


def custom(client, _):
    data = client.ask("POST", "custom/echo?a=b", {"say": "this"})
    return data is not None and expect(data, data == {"say": "this"})


def handler(client, _):
    data = client.ask("POST", "echo?a=b", {"say": "that"})
    return data is not None and expect(data, data == {"say": "that"})


def request_known(client, _):
    """What became of a request: asked, and taken back when it is over."""
    name = unique()
    if client.ask("POST", "shell/exec", {"argv": ["true"]}, request_id=name) is None:
        return False
    states = [client.ask(method, "requests/" + name) for method in ("GET", "DELETE")]
    return None not in states and expect(states, [(state["state"], state["code"]) for state in states]
                                         == [("done", 0)] * 2)


def system_info(client, _):
    data = client.ask("GET", "system/info")
    return data is not None and expect(data, data["arch"] == os.uname().machine)


def system_status(client, _):
    data = client.ask("GET", "system/status")
    return data is not None and expect(data, 0 <= data["memory_usage"] <= 100)


def stored(client_says, path, content, before=None):
    """An upload is whole or not at all; before: what was there."""
    there = None
    if os.path.exists(path):
        with open(path, "rb") as file:
            there = file.read()
        os.remove(path)
    expect("half a file", there in (content, before))
    expect("a file that is not there", there == content or client_says is None)
    return client_says is not None


def upload(client, files):
    path = files + "/up"
    data = client.ask("POST", "file/upload", {"path": path, "content": base64.b64encode(SMALL).decode()})
    return stored(data, path, SMALL)


def put(client, files):
    path = files + "/put"
    data = client.ask("PUT", "file/content?path=" + path, body=BIG)
    return stored(data, path, BIG)


class Transfer:
    """Parts of a file, which are given up however it went."""

    def __init__(self, client, path, options=""):
        self.client, self.path, self.options = client, path, options
        self.id = unique()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(2): # the first may be the call that fails
            self.client.call("DELETE", "file/transfers/" + self.id)

    def part(self, content, first, last, total, options=""):
        field = "Content-Range: bytes %d-%d/%s" % (first, last - 1, total)
        target = "file/content?path=%s&transfer=%s%s" % (self.path, self.id, self.options + options)
        return self.client.ask("PUT", target, body=content[first:last], fields=[field])

    def state(self):
        for _ in range(2): # as above
            data = self.client.ask("GET", "file/transfers/" + self.id)
            if data is not None:
                return data
        return None

    def finish(self, size, options):
        """Return: as ask() for what it came to.  It is waited for whatever the
        answer is: the file may get its name behind an error, too."""
        answer = self.client.ask("POST", "file/transfers/%s?size=%d%s" % (self.id, size, options))
        data = answer or self.state()
        end = time.monotonic() + PATIENCE_S
        while data is not None and data.get("placing"):
            expect("placed at some time", time.monotonic() < end)
            data = self.state()
        return answer and data


def put_parts(client, files):
    """The last one says the digest."""
    path, half, n = files + "/parts", len(BIG) // 2, len(BIG)
    with Transfer(client, path) as it:
        data = it.part(BIG, 0, half, n)
        expect(data, data is None or data["received"] == half)
        data = data and it.part(BIG, half, n, n, "&md5=" + hashlib.md5(BIG).hexdigest())
        return stored(data, path, BIG)


def put_finished(client, files):
    """The sender learns its size at the end."""
    path, half, n = files + "/finished", len(BIG) // 2, len(BIG)
    with Transfer(client, path, "&digest=sha256&sparse=true&mtime=5&mode=640&owner=%d" % os.getuid()) as it:
        data = it.part(BIG, 0, half, "*") and it.part(BIG, half, n, "*")
        data = data and it.finish(n, "&sha256=" + hashlib.sha256(BIG).hexdigest())
        return stored(data, path, BIG)


def put_resumed(client, files):
    """What was kept is cut to what the client knows of it, and gone on with."""
    path, part, half, n = files + "/resumed", files + "/.resumed.vsrpc-part", len(BIG) // 2, len(BIG)
    try:
        with Transfer(client, path, "&resume=true") as it:
            data = it.part(BIG, 0, half, n)
            data = data and client.ask("GET", "file/digest?path=%s&part=true&length=%d" % (path, half))
            expect(data, data is None or data["digest"] == hashlib.md5(BIG[:half]).hexdigest())
            return stored(data and it.part(BIG, half - 100, n, n), path, BIG)
    finally:
        if os.path.exists(part):
            os.remove(part)


def put_rest(client, files):
    """The first bytes stay; else all does."""
    path, kept, n = files + "/rest", len(SMALL), len(BIG)
    with open(path, "wb") as file:
        file.write(BIG[:kept])
    data = client.ask("PUT", "file/content?path=" + path, body=BIG[kept:],
                      fields=["Content-Range: bytes %d-%d/%d" % (kept, n - 1, n)])
    return stored(data, path, BIG, BIG[:kept])


def put_over(client, files):
    """What is replaced leaves what it has to the new one."""
    path = files + "/over"
    with open(path, "wb") as file:
        file.write(SMALL)
    try:
        os.setxattr(path, "user.vsrpc", b"left")
        names = ["user.vsrpc"]
    except OSError:
        names = [] # the file system has none
    data = client.ask("PUT", "file/content?mode=600&keep=true&path=" + path, body=BIG)
    expect("attributes", all(name in os.listxattr(path) for name in names))
    return stored(data, path, BIG, SMALL)


def put_new(client, files):
    """Only where there is nothing; not durable, and so without a worker."""
    path = files + "/new"
    data = client.ask("PUT", "file/content?overwrite=false&sync=false&path=" + path, body=BIG,
                      fields=["If-None-Match: *"])
    return stored(data, path, BIG)


def put_wrong(client, files):
    """What came is not what was announced."""
    path = files + "/wrong"
    right = error_of(client, 1004, "PUT", "file/content?path=%s&md5=%s" % (path, "0" * 32), BIG)
    stored(None, path, None)
    return right


def download(client, files):
    data = client.ask("POST", "file/download", {"path": files + "/small"})
    return data is not None and expect(data, base64.b64decode(data["content"]) == SMALL)


def content(client, target, right, fields=()):
    """Return: whether it came; one that was broken off is an error as any other."""
    try:
        _, answer = client.call("GET", target, fields=fields)
    except Broken:
        return False
    if answer.startswith(b"{"):
        expect(answer, refused(json.loads(answer)))
        return False
    return expect("the file's content", answer == right)


def get(client, files):
    return content(client, "file/content?path=" + files + "/big", BIG)


def get_long(client, files):
    return content(client, "file/content?path=" + files + "/long", LONG)


def get_digested(client, files):
    """Small enough to have its digest in its head."""
    return content(client, "file/content?digest=sha256&path=" + files + "/big", BIG) and expect(
        client.fields, base64.b64encode(hashlib.sha256(BIG).digest()).decode() in client.fields["content-digest"])


def get_pieces(client, files):
    """And the digest of all of them."""
    name, half = unique(), len(BIG) // 2
    target = "file/content?path=%s/big&transfer=%s&digest=md5" % (files, name)
    for first, last in ((0, half), (0, half), (half, len(BIG))): # the first one was lost
        if not content(client, target, BIG[first:last], ["Range: bytes=%d-%d" % (first, last - 1)]):
            return False
    data = client.ask("GET", "file/transfers/" + name)
    return data is not None and expect(data, data["digest"] == hashlib.md5(BIG).hexdigest())


def head(client, files):
    status, _ = client.call("HEAD", "file/content?path=" + files + "/big")
    # An error of the file has 200, too, and its own length.
    return client.fields["content-type"] != "application/json" and expect(
        client.fields, (status, client.fields["content-length"]) == (200, str(len(BIG))))


def digest(client, files):
    data = client.ask("GET", "file/digest?first=7&length=5000&algorithm=sha256&path=" + files + "/big")
    return data is not None and expect(data, data["digest"] == hashlib.sha256(BIG[7:5007]).hexdigest())


def info(client, files):
    data = client.ask("GET", "file/info?path=" + files + "/small")
    return data is not None and expect(data, data["size"] == len(SMALL))


def info_long(client, files):
    """A worker digests it."""
    data = client.ask("GET", "file/info?path=" + files + "/huge")
    return data is not None and expect(data, data["size"] == 1 << 21) and data["md5"] is not None


def tree(client, files):
    """Each step does what it says or nothing, but for a removal."""
    top = files + "/tree"
    target = "file/%s?path=" + top
    steps = (("directory", "/a/b&parents=true&mode=700&owner=%d" % os.getuid(), lambda: os.path.isdir(top + "/a/b")),
             ("symlink", "/link&target=a", lambda: os.readlink(top + "/link") == "a"),
             ("symlink", "/link&target=b&overwrite=true", lambda: os.readlink(top + "/link") == "b"),
             ("attributes", "/a&mode=711&mtime=5&owner=%d" % os.getuid(), lambda: os.stat(top + "/a").st_mtime == 5),
             ("sync", "", lambda: True),
             ("remove", "/link", lambda: not os.path.lexists(top + "/link")))
    try:
        for what, rest, done in steps:
            if client.ask("POST", target % what + rest) is None:
                return False
            expect(what, done())
        data = client.ask("GET", target % "list")
        if data is None:
            return False
        expect(data, [(entry["name"], entry["mode"]) for entry in data["entries"]] == [("a", "0711")])
        data = client.ask("POST", target % "remove" + "&recursive=true")
        return data is not None and expect(data, data["removed"] == 3 and not os.path.exists(top))
    finally:
        expect("nothing temporary", not os.path.exists(top) or not [name for name in os.listdir(top) if name[0] == "."])
        shutil.rmtree(top, ignore_errors=True)
        expect("only the tree", sorted(os.listdir(files)) == FILES)


def capabilities(client, _):
    data = client.ask("GET", "capabilities")
    return data is not None


# Who hangs up in the middle leaves nothing.

def leave_command(client, _):
    client.send("POST", "shell/exec", b'{"argv":["sleep","60"]}', ["Content-Type: application/json"])
    return True


def leave_upload(client, files):
    client.send("PUT", "file/content?path=" + files + "/left", BIG, length=2 * len(BIG))
    return True


def leave_download(client, files):
    client.send("GET", "file/content?path=" + files + "/long")
    return True


FILES = ["big", "huge", "long", "small"]
SCENARIO = (sync, ping, capabilities, system_info, execute, execute_pattern, not_found, service, custom, handler,
            request_known, job, job_elsewhere, job_on_a_terminal, job_listed,
            upload, put, put_parts, put_finished, put_rest, put_over, put_new, put_wrong,
            download, get, get_digested, get_pieces, head, digest, info, tree)
# What takes long when every byte is a call, or leaves before it is through.
STREAMS = SCENARIO + (execute_big, job_big, job_resized, get_long)
STEPS = SCENARIO + (system_status, job_resized, put_resumed, get_long, info_long,
                    leave_command, leave_upload, leave_download)


class Agent:
    def __init__(self, program, work, faults):
        self.faults, self.program = faults, program
        self.files = work + "/files"
        self.path = work + "/agent.sock"
        self.config = work + "/agent.yaml"
        self.stderr = work + "/stderr"
        os.makedirs(self.files, exist_ok=True)
        for name, what in zip(FILES, (BIG, bytes(1 << 21), LONG, SMALL)):
            with open(os.path.join(self.files, name), "wb") as file:
                file.write(what)
        os.makedirs(work + "/custom", exist_ok=True)
        with open(work + "/custom/echo", "w") as file:
            file.write("#!/bin/sh\nexec cat\n")
        os.chmod(work + "/custom/echo", 0o755)
        with open(self.config, "w") as file:
            file.write("security:\n  allowed_commands: ['*']\n  allowed_paths: [/]\n  forbidden_paths: [/nowhere]\n"
                       "rate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}\n"
                       "server:\n  custom_dir: %s/custom\n"
                       "  handlers: [{method: POST, path: /api/v1/echo, command: [%s/custom/echo], user: %d}]\n"
                       "logging: {file: none}\n" % (work, work, os.geteuid()))
        self.process = None
        # A sanitizer's end of a fork is told apart by its status, 99 in wrap.c.
        options = os.environ.get("ASAN_OPTIONS", "")
        self.environment = dict(os.environ, FAULTS=faults.path, ASAN_OPTIONS=options + ":exitcode=99",
                                UBSAN_OPTIONS=os.environ.get("UBSAN_OPTIONS", "") + ":exitcode=99")

    def spawn(self):
        with open(self.stderr, "wb") as stderr:
            self.process = subprocess.Popen(
                [self.program, "--config", self.config, "--listen", self.path], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=stderr, env=self.environment)

    def said(self):
        with open(self.stderr, "r", errors="replace") as stderr:
            return stderr.read()

    def up(self):
        """Return: whether it answers; False: it has ended, perhaps after somebody could connect."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return False
            try:
                with Client(self.path) as client:
                    client.call("GET", "ping")
                    client.leave()
                return True
            except (OSError, Silent):
                time.sleep(0.002) # the step of a poll
        raise Wrong("it neither listens nor ends")

    def start(self):
        self.spawn()
        expect("the agent started: " + self.said(), self.up())

    def kill(self):
        """So that there can be another one."""
        self.faults.disarm()
        self.process.kill()
        self.process.wait()
        if os.path.exists(self.path):
            os.remove(self.path)
        for name in set(os.listdir(self.files)) - set(FILES):
            shutil.rmtree(os.path.join(self.files, name), ignore_errors=True)
            if os.path.lexists(os.path.join(self.files, name)):
                os.remove(os.path.join(self.files, name))

    def end(self):
        """Ends it; with sanitizers this is where a leak shows."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Wrong("the agent does not end at SIGTERM") from None
        expect("the agent ended with %s: %s" % (status, self.said()[-3000:]), status == 0)

    def play(self, step):
        """One step, from connecting to hanging up.  Return: whether it was right."""
        client = None
        try:
            client = Client(self.path)
            right = step(client, self.files)
            client.leave()
            return right
        except (Silent, ValueError, KeyError) as why:
            # Never for long, and never more than this one answer.
            raise Wrong("%r" % why) from None
        finally:
            if client:
                client.socket.close()
            if self.process.poll() is not None:
                raise Wrong("%s: the agent has ended: %s" % (step.__name__, self.said()[-3000:]))
            expect("a fork of the agent has crashed: " + self.said()[-3000:], not self.faults.crashed())

    def round(self, scenario):
        """Return: what has failed, as words."""
        failed = []
        for step in scenario:
            try:
                if not self.play(step):
                    failed.append(step.__name__)
            except Wrong as why:
                raise Wrong("%s: %s" % (step.__name__, why)) from None
        return failed

    def children(self):
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as file:
            return file.read().split()

    def kept(self):
        """While nobody is connected: the last client has been seen off."""
        folder = "/proc/%d/fd" % self.process.pid
        fds = []
        for fd in os.listdir(folder):
            try:
                fds.append(re.sub(r"\d+", "N", os.readlink(os.path.join(folder, fd))))
            except FileNotFoundError: # closed just now
                pass
        return sorted(fds), sorted(os.listdir(self.files)), self.children()

    def settled(self, before):
        """As before, at once or soon: what a client left is being ended."""
        end = time.monotonic() + PATIENCE_S
        while self.kept() != before:
            if time.monotonic() > end:
                raise Wrong("it has kept something: %s, before: %s" % (self.kept(), before))
            time.sleep(0.002) # the step of a poll


class Tap:
    def __init__(self):
        self.n = self.bad = 0

    def result(self, good, words, why=()):
        self.n += 1
        self.bad += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.n, words))
        for line in why:
            print("#   " + str(line).replace("\n", "\n#   "))
        sys.stdout.flush()


class Series:
    """One kind of failure: each call of each step, one after the other."""

    def __init__(self, agent, kind, shard):
        self.agent, self.kind = agent, kind
        self.first, self.stride = shard
        self.calls = self.rounds = self.errors = 0
        self.why, self.rare = [], []
        self.at = "" # which call fails, or what else is done

    def counted(self, step):
        """Return: per place, the calls in a run without faults."""
        self.at = "without faults"
        self.agent.faults.arm("OFF", 0)
        expect("it is not right", self.agent.play(step))
        self.agent.settled(self.before)
        return [calls[self.kind] for calls in self.agent.faults.calls()]

    def fail(self, step, place, number):
        """One round.  Return: whether the call came, and how many did."""
        agent, faults = self.agent, self.agent.faults
        self.rounds += 1
        self.at = "call %d of the %s" % (number, PLACES[place])
        faults.arm(self.kind, number, place=place)
        try:
            self.errors += not agent.play(step)
        finally:
            fired = faults.disarm()
        calls = faults.calls()[place][self.kind]
        agent.settled(self.before)
        expect("afterwards it is not right", agent.play(step))
        agent.settled(self.before)
        return fired, calls

    def place(self, step, place, last):
        """Every call of it; last: that of the runs that were counted.  A round
        in which the fault's turn does not come is another such run."""
        number, tries = self.first, 0
        while last > 0:
            fired, calls = self.fail(step, place, number)
            tries += 1
            if not fired:
                last = max(last, calls)
                if number > last:
                    return
            if fired or tries == TRIES:
                if fired:
                    self.calls += 1
                else:
                    self.rare.append("%s, %s came only at times" % (step.__name__, self.at))
                number, tries = number + self.stride, 0

    def step(self, step):
        agent = self.agent
        self.at = "without faults"
        try:
            agent.start()
            agent.round((sync, execute)) # what is made once is made
            self.before = agent.kept()
            agent.round((step, step))
            agent.settled(self.before)
            for place, counts in enumerate(zip(self.counted(step), self.counted(step))):
                self.place(step, place, max(counts))
            self.at = "behind all of them"
            expect("others are not right", not agent.round((sync, ping, execute)))
            agent.settled(self.before)
            agent.end()
        except (Wrong, OSError) as wrong:
            self.why.append("%s, %s: %s" % (step.__name__, self.at, wrong))
            agent.kill()


def each_call(tap, agent, kind, shard):
    """The n-th call of each step fails, for every n."""
    series = Series(agent, kind, shard)
    only = os.environ.get("FAULTS_STEP")
    for step in STEPS:
        if only in (None, step.__name__) and len(series.why) < WHYS_MAX:
            series.step(step)
    if len(series.rare) > max(RARE_MAX, series.calls // 100):
        series.why.append("too many calls were counted and did not come again")
    tap.result(not series.why, "%s: none of %d calls hurts (%d rounds, %d errors, %d more calls came only at times)" % (
        kind.lower(), series.calls, series.rounds, series.errors, len(series.rare)), series.why + series.rare)
    tap.result(series.errors > 0 or series.why, "%s: … and some were seen to fail" % kind.lower())


def every_call(tap, agent, kind, shard):
    """Each n-th call is cut short or has to be made again: all stays right."""
    why, fired = [], 0
    for number in (1, 2, 3, 7)[shard[0] - 1::shard[1]]:
        if number == 1 and not kind.endswith("_ONE"):
            continue # for ever is no interruption
        try:
            agent.start()
            agent.round((sync, execute))
            before = agent.kept()
            agent.faults.arm(kind, number, 1)
            try:
                # One by one a pipe is not empty within the time it gets.
                failed = agent.round(SCENARIO if number == 1 else STREAMS)
            finally:
                fired += agent.faults.disarm()
            expect("not right: %s" % failed, not failed)
            expect("afterwards not right", not agent.round((sync, ping, execute)))
            agent.settled(before)
            agent.end()
        except (Wrong, OSError) as wrong:
            why.append("each %d: %s" % (number, wrong))
            agent.kill()
    tap.result(not why and fired > 0, "%s: all is right (%d times)" % (kind.lower(), fired), why)


def start_once(agent, kind, number):
    """Return: whether it came up, and how many calls there were."""
    agent.faults.arm(kind, number)
    agent.spawn()
    up = agent.up()
    agent.faults.disarm()
    calls = agent.faults.calls()[0][kind]
    if up:
        expect("it is not right", not agent.round((sync, ping, execute)))
        agent.end()
        return True, calls
    status = agent.process.wait()
    expect("exit status %d: %s" % (status, agent.said()), status == 1)
    expect("no message: " + agent.said(), agent.said().startswith("vsrpc-agent: "))
    expect("a socket was left", not os.path.exists(agent.path))
    return False, calls


def each_start(tap, agent, kind, shard):
    """A start that fails ends with a message; others make a good agent.
    Behind its start, others count: the ping that finds it up, for one."""
    number, stride = shard
    counted, rounds, ended, why = 1, 0, 0, []
    while number <= counted and len(why) < WHYS_MAX:
        try:
            if rounds == 0:
                counted = start_once(agent, kind, 0)[1]
            up, calls = start_once(agent, kind, number)
            expect("the call did not come", calls >= number)
            ended += not up
        except (Wrong, OSError) as wrong:
            why.append("call %d: %s" % (number, wrong))
            agent.kill()
        rounds += 1
        number += stride
    tap.result(not why, "start, %s: a message or a good agent (%d calls, each failed; %d messages)" % (
        kind.lower(), rounds, ended), why)


def each_route(tap, agent, *_):
    """The scenario leaves none out."""
    agent.start()
    agent.round((sync, execute))
    before = agent.kept()
    missing = agent.round(STEPS)
    with Client(agent.path) as client:
        routes = client.ask("GET", "capabilities")["endpoints"]
    agent.settled(before)
    agent.end()
    for route in routes:
        pattern = re.escape(route).replace("\\*\\ ", "\\w+ ").replace("\\*", "[^/]+") + (".+" if route[-1] == "/" else "")
        if not any(re.fullmatch(pattern, asked) for asked in Client.asked):
            missing.append(route)
    tap.result(routes and not missing, "all steps are right, and ask each of %d routes" % len(routes), missing)


PARTS = {
    "routes": ((each_route, None),),
    "memory": ((each_call, "MEMORY"),),
    "process": ((each_call, "FORK"), (each_call, "OPEN")),
    "disk": tuple((each_call, kind) for kind in ("DISK", "SPACE", "WRITE", "SYNC")),
    "read": ((each_call, "READ"),),
    "short": tuple((every_call, kind) for kind in KINDS[KIND["READ_ONE"]:]),
    "start": tuple((each_start, kind) for kind in ("MEMORY", "OPEN", "READ", "DISK", "SPACE")),
}


def main():
    program, work, *names = sys.argv[1:]
    faults = Faults(work + "/faults")
    agent = Agent(os.path.abspath(program), work, faults)
    tap = Tap()
    only = os.environ.get("FAULTS_ONLY", "").split()
    for name in names or PARTS:
        part, k, n = re.match(r"(\w+)(?:-(\d+)-of-(\d+))?$", name).groups()
        for run, kind in PARTS[part]:
            if not only or kind in only:
                run(tap, agent, kind, (int(k or 1), int(n or 1)))
    print("1..%d" % tap.n)
    return tap.bad > 0


if __name__ == "__main__":
    sys.exit(main())
