#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A fake agent for vsrpc-virsh: answers sync well and then misbehaves.

    agent.py SOCKET COUNTS MODE

Each request that arrives whole is one line in the file COUNTS: "METHOD PATH ID
AGE SESSION HEARTBEAT", "-" for what is not there.  One client at a time, like
the real channel.  MODE is a method of Peer; those that are marked have a
memory, and say so in their sync.  Its jobs are commands that really run.
"""
import hashlib
import json
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlsplit

ROOM = 256 << 10  # of input that a command has not read
HELD = 1 << 20  # of output that nobody has taken


def envelope(data, code=0, message="success"):
    return json.dumps({"version": "1.0", "code": code, "message": message,
                       "data": data, "timestamp": int(time.time())}).encode()


def answer(body, request_id, status="200 OK", fields=(), kind="application/json"):
    lines = ["HTTP/1.1 " + status, "Content-Type: " + kind,
             "Content-Length: %d" % len(body), "X-Request-ID: " + request_id]
    return "\r\n".join(lines + list(fields) + ["", ""]).encode() + body


class Refused(Exception):
    """A business code, its HTTP status and what is said."""


def reset_signals():
    """A background process of a script ignores some."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Job:
    """Runs a command, which is looked after while somebody asks for it."""
    by_id = {}
    by_request = {}  # the same request starts it once

    def __init__(self, params):
        words = params["argv"] if "argv" in params else shlex.split(params["command"])
        self.id = "%08x" % (0xab000000 + len(Job.by_id))
        self.words = words
        self.begin, self.timeout = time.monotonic(), params.get("timeout", 0)
        self.output, self.first, self.pieces = bytearray(), 0, []
        self.input, self.received, self.eof = b"", 0, False
        self.exit_code = self.signal = None
        self.flags = {"detached": params.get("detach", False)}
        has_input = params.get("stdin", False)
        try:
            self.process = subprocess.Popen(
                words, stdin=subprocess.PIPE if has_input else subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, bufsize=0, start_new_session=True, preexec_fn=reset_signals,
                cwd=params.get("working_dir"), env=dict(os.environ, **params.get("env", {})))
        except FileNotFoundError as error:
            raise Refused(1003, "200 OK", "%s: %s" % (words[0], error.strerror)) from error
        self.streams = {self.process.stdout: 1, self.process.stderr: 2}
        for pipe in (self.process.stdin, *self.streams):
            if pipe:
                os.set_blocking(pipe.fileno(), False)
        Job.by_id[self.id] = self

    def wait(self, client, seconds):
        """Looks after it until something has happened, to it or at the client."""
        writes = [self.process.stdin] if self.input and self.process.stdin else []
        reads = list(self.streams) if self.exit_code is None and len(self.output) < HELD else []
        ready = select.select(reads + [client], writes, [], max(0, min(seconds, 0.02)))
        ended = self.process.poll() is not None
        for pipe in self.streams if ended else ready[0]:
            if pipe is not client:
                self.read(pipe)
        if ready[1]:
            self.write()
        if ended and self.exit_code is None:
            self.end()
        elif not ended and self.timeout and time.monotonic() - self.begin > self.timeout:
            self.flags["timed_out"] = True
            self.kill(signal.SIGKILL)
        return client in ready[0]

    def read(self, pipe):
        piece = pipe.read(65536)
        if piece:
            self.pieces.append((self.streams[pipe], len(piece)))
            self.output += piece

    def forget(self, offset):
        """What is before it was taken."""
        while self.pieces and self.first + self.pieces[0][1] <= offset and not self.flags["detached"]:
            length = self.pieces.pop(0)[1]
            del self.output[:length]
            self.first += length

    def end_offset(self):
        return self.first + len(self.output)

    def write(self):
        try:
            self.input = self.input[os.write(self.process.stdin.fileno(), self.input):]
        except BrokenPipeError:
            self.input, self.process.stdin = b"", None
        if self.eof and not self.input and self.process.stdin:
            self.process.stdin.close()
            self.process.stdin = None

    def end(self):
        code = self.process.returncode
        self.exit_code = code if code >= 0 else 128 - code
        self.signal = signal.Signals(-code).name if code < 0 else None
        self.input, self.process.stdin = b"", None

    def kill(self, number):
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def take(self, offset, content, eof):
        """Takes what is new of the input, and has room."""
        if offset > self.received:
            raise Refused(2001, "400 Bad Request", "a gap: %d bytes have come" % self.received)
        fresh = content[self.received - offset:]
        if self.process.stdin:
            fresh = fresh[:ROOM - len(self.input)]
            self.input += fresh
        self.received += len(fresh)
        if eof and offset + len(content) == self.received:
            self.eof = True
            if self.process.stdin:
                self.write()

    def status(self):
        can_read = self.process.stdin is not None and not self.eof
        status = {"id": self.id, "state": "running" if self.exit_code is None else "ended",
                  "output": self.end_offset(), "output_start": self.first,
                  "duration_ms": int(1000 * (time.monotonic() - self.begin)), "stdin_received": self.received,
                  "stdin_room": ROOM - len(self.input) if can_read else 0, "stdin_open": can_read}
        status.update((name, True) for name, is_set in self.flags.items() if is_set)
        if self.exit_code is not None:
            status["exit_code"] = self.exit_code
        if self.signal:
            status["signal"] = self.signal
        return status

    def words_and_status(self):
        return dict(self.status(), argv=self.words, pid=self.process.pid, user="root", started=int(time.time()))

    def segments(self, begin, end):
        """Whose bytes they are: "1:120,2:30"."""
        at, found = self.first, []
        for stream, length in self.pieces:
            n = min(at + length, end) - max(at, begin)
            if n > 0:
                found.append("%d:%d" % (stream, n))
            at += length
        return found


def memory(mode):
    """Marks a mode of an agent with a memory; what it says in its sync may
    be changed in self.words."""
    mode.memory = True
    return mode


class Nowhere:
    """A client that can be heard, and to which nothing gets through."""
    def __init__(self, client):
        self.fileno = client.fileno

    def sendall(self, content):
        pass


class Peer:
    words = {"instance": "i1", "boot_id": "b", "heartbeat": True}
    connections = 0
    synced = False

    def __init__(self, client, counts, mode):
        self.client, self.counts, self.mode = client, counts, mode
        self.left = b""
        Peer.connections += 1
        self.session = "s%d" % Peer.connections

    def read(self):
        """Return: method, target, fields, body; None at the end."""
        while b"\r\n\r\n" not in self.left:
            if not self.more():
                return None
        self.left = self.left.lstrip(b"\xff")
        head, self.left = self.left.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = dict((k.lower(), v) for k, v in (line.split(": ", 1) for line in lines[1:]))
        length = int(fields.get("content-length", 0))
        while len(self.left) < length:
            if not self.more():
                return None
        body, self.left = self.left[:length], self.left[length:]
        method, target, _ = lines[0].split(" ")
        return method, target, fields, body

    def more(self):
        piece = self.client.recv(65536)
        self.left += piece
        return piece

    def count(self, method, target, fields):
        names = ("x-request-id", "x-request-age", "x-session", "x-heartbeat")
        with open(self.counts, "a") as counts:
            counts.write(" ".join([method, target.split("?")[0]] + [fields.get(n, "-") for n in names]) + "\n")

    def first(self):
        """Is this the first request but syncs?"""
        with open(self.counts) as counts:
            return sum("/sync" not in line for line in counts) == 1

    def serve(self):
        while True:
            if self.mode == "deaf" and self.synced:
                left = select.poll()
                left.register(self.client, select.POLLRDHUP)
                left.poll()
                return
            request = self.read()
            if request is None:
                return
            method, target, fields, body = request
            self.count(method, target, fields)
            self.method = method
            request_id = fields.get("x-request-id", "")
            if target.startswith("/api/v1/sync"):
                self.sync(target, request_id)
            elif getattr(self, self.mode)(target, request_id, body) is False:
                return

    def sync(self, target, request_id):
        self.synced = True
        data = {"id": target.split("id=")[1], "session": "0", "boot_id": "b", "agent_version": "9.9",
                "timestamp": int(time.time()) - 3600 * (self.mode == "clock_behind"), "auth": False}
        if hasattr(getattr(self, self.mode), "memory"):
            data.update(self.words, session=self.session)
        good = answer(envelope(data), request_id)
        if self.mode == "no_sync":
            return
        if self.mode == "shuts":
            raise ConnectionError
        if self.mode == "noise":
            self.client.sendall(b"\x00noise\r\n\r\nHTTP/1.1 " * 6000)
        if self.mode == "foreign":
            self.client.sendall(answer(envelope({"id": "somebody's", "uptime": 666}, message="foreign"), "somebody's"))
        self.client.sendall(good)

    # --- jobs
    def wait(self, job, ms, ready):
        """Until then, or the next request comes, which ends the wait."""
        end = time.monotonic() + ms / 1000
        urged = job.wait(self.client, 0) or self.left
        while not ready() and not urged and time.monotonic() < end:
            urged = job.wait(self.client, end - time.monotonic())

    def job_start(self, request_id, params):
        if request_id not in Job.by_request:
            Job.by_request[request_id] = Job(params)
        job = Job.by_request[request_id]
        self.wait(job, params.get("wait_ms", 0), lambda: job.exit_code is not None or len(job.output))
        return job

    def job_turn(self, job, request_id, query):
        """Answers with output from an offset."""
        number = {name: int(values[0]) for name, values in query.items() if name != "md5"}
        begin = number["output"] if "output" in number else number["offset"]
        if "peek" not in number:
            job.forget(begin)
        begin = max(begin, job.first)
        self.wait(job, number.get("wait_ms", 0),
                  lambda: job.end_offset() > begin or job.exit_code is not None
                  or ("room" in number and ROOM - len(job.input) >= number["room"]))
        end = min(job.end_offset(), begin + min(number.get("max", 1 << 19), 1 << 19))
        pieces = job.segments(begin, end)[:128]
        end = begin + sum(int(piece[2:]) for piece in pieces)
        fields = ["X-Job-Status: " + json.dumps(job.status()), "X-Output-Offset: %d" % begin]
        if pieces:
            fields.append("X-Output-Segments: " + ",".join(pieces))
        content = bytes(job.output[begin - job.first:end - job.first])
        self.client.sendall(answer(content, request_id, fields=fields, kind="application/octet-stream"))

    def job_stdin(self, job, query, body):
        if "md5" in query and query["md5"][0] != hashlib.md5(body).hexdigest():
            raise Refused(1004, "200 OK", "the input is not the one announced")
        job.take(int(query["offset"][0]), body, "eof" in query)

    def job_signal(self, job, body):
        wanted = json.loads(body)["signal"]
        job.kill(wanted if isinstance(wanted, int) else signal.Signals["SIG" + wanted.replace("SIG", "")])

    def job(self, target, request_id, body):
        """Return: the status that is the answer, or None when it was given."""
        url = urlsplit(target)
        query = parse_qs(url.query)
        words = url.path.split("/")[4:]
        if not words:
            if self.method == "GET":
                for job in Job.by_id.values():
                    job.wait(self.client, 0)
                return {"jobs": [job.words_and_status() for job in Job.by_id.values()]}
            return self.job_start(request_id, json.loads(body)).status()
        if words[0] not in Job.by_id:
            raise Refused(3003, "404 Not Found", "no job '%s'" % words[0])
        job = Job.by_id[words[0]]
        if self.method == "DELETE":
            job.kill(signal.SIGKILL)
        if words[1:] == ["signal"]:
            self.job_signal(job, body)
        if words[1:] == ["stdin"]:
            self.job_stdin(job, query, body)
        if words[1:] == ["output"] or "output" in query:
            return self.job_turn(job, request_id, query)
        self.wait(job, 0, lambda: True)
        return job.words_and_status() if self.method == "GET" else job.status()

    def jobs(self, target, request_id, body):
        try:
            data = self.job(target, request_id, body)
        except Refused as refused:
            code, status, detail = refused.args
            self.client.sendall(answer(envelope({"detail": detail}, code, "refused"), request_id, status))
            return
        if data is not None:
            self.client.sendall(answer(envelope(data), request_id))

    # --- what the request after the sync gets
    def good(self, target, request_id, body):
        if target.startswith("/api/v1/jobs"):
            self.jobs(target, request_id, body)
        else:
            self.client.sendall(answer(envelope({"timestamp": 1, "uptime": 7}, message="pong"), request_id))

    noise = foreign = no_sync = shuts = clock_behind = good

    def foreign_first(self, target, request_id, body):
        self.client.sendall(answer(envelope({"uptime": 666}, message="foreign"), "somebody's"))
        self.good(target, request_id, body)

    def no_id_first(self, target, request_id, body):
        text = envelope({"uptime": 666}, message="foreign")
        self.client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
        self.good(target, request_id, body)

    def wrong_id(self, target, request_id, body):
        self.client.sendall(answer(envelope({"uptime": 666}), "somebody's"))

    def truncated(self, target, request_id, body):
        self.client.sendall(answer(envelope({"uptime": 7}), request_id)[:-9])
        return False

    def big_header(self, target, request_id, body):
        self.client.sendall(answer(envelope({}), request_id, fields=["X-Big: " + "x" * 200000]))

    def big_length(self, target, request_id, body):
        self.client.sendall(b"HTTP/1.1 200 OK\r\nX-Request-ID: %s\r\nContent-Length: 99999999999999\r\n\r\n"
                            % request_id.encode())

    def not_json(self, target, request_id, body):
        self.client.sendall(answer(b"this is not JSON", request_id))

    def not_envelope(self, target, request_id, body):
        self.client.sendall(answer(b'["no", "envelope"]', request_id))

    def not_http(self, target, request_id, body):
        self.client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    def hang(self, target, request_id, body):
        pass

    def fails(self, target, request_id, body):
        self.client.sendall(answer(envelope({}, 5001, "Internal error"), request_id, "500 Internal Server Error"))

    busy_until = None

    def busy(self, target, request_id, body):
        """For a second and a half, which only its body says."""
        now = time.monotonic()
        Peer.busy_until = Peer.busy_until or now + 1.5
        if now < self.busy_until:
            self.client.sendall(answer(envelope({"detail": "much to do", "retry_after": self.busy_until - now}, 5002,
                                                "Service unavailable"), request_id, "503 Service Unavailable"))
        else:
            self.good(target, request_id, body)

    def busy_for_ever(self, target, request_id, body):
        self.client.sendall(answer(envelope({"detail": "much to do", "retry_after": 1e300}, 5002,
                                            "Service unavailable"), request_id, "503 Service Unavailable"))

    def deaf(self, target, request_id, body):
        """Never comes to this; see serve()."""

    def trickle_forever(self, target, request_id, body):
        """Too slow to come to an end, and never silent."""
        self.client.sendall(b"HTTP/1.1 200 OK\r\nX-Request-ID: %s\r\n" % request_id.encode())
        while True:
            self.client.sendall(b"X-Slow: 1\r\n")
            time.sleep(0.2)

    def bytewise(self, target, request_id, body):
        """Slow enough that each byte is read alone."""
        for byte in answer(envelope({"uptime": 7}, message="pong"), request_id):
            self.client.sendall(bytes([byte]))
            time.sleep(0.0005)

    def close(self, target, request_id, body):
        return False

    def close_once(self, target, request_id, body):
        if self.first():
            return False
        self.good(target, request_id, body)

    # --- agents with a memory
    @memory
    def loses(self, target, request_id, body):
        return self.close_once(target, request_id, body)

    @memory
    def restarts(self, target, request_id, body):
        Peer.words = dict(self.words, instance="i2")
        return False

    @memory
    def reboots(self, target, request_id, body):
        Peer.words = dict(self.words, instance="i2", boot_id="c")
        return False

    @memory
    def loses_always(self, target, request_id, body):
        return False

    def beat(self, request_id, seconds):
        """A sign of life five times a second, for some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.client.sendall(b"HTTP/1.1 102 Processing\r\nX-Request-ID: %s\r\n\r\n" % request_id.encode())
            time.sleep(0.2)

    @memory
    def toils(self, target, request_id, body):
        """… and then what it was asked for is not there."""
        self.beat(request_id, 1)
        self.client.sendall(answer(envelope({"detail": "not there"}, 3002, "File not found"), request_id, "404 Not Found"))

    @memory
    def beats(self, target, request_id, body):
        self.beat(request_id, 2)
        self.good(target, request_id, body)

    @memory
    def falls_silent(self, target, request_id, body):
        if self.first():
            self.beat(request_id, 1)
        else:
            self.good(target, request_id, body)

    @memory
    def reboots_silently(self, target, request_id, body):
        Peer.words = dict(self.words, instance="i2", boot_id="c")

    @memory
    def expires_once(self, target, request_id, body):
        if self.first():
            self.client.sendall(answer(envelope({"error_type": "SESSION_EXPIRED"}, 4003, "session expired"),
                                       request_id, "409 Conflict"))
        else:
            self.good(target, request_id, body)

    @memory
    def gone(self, target, request_id, body):
        if self.first():
            return False
        self.client.sendall(answer(envelope({"error_type": "REQUEST_GONE", "detail": "it may have run",
                                             "state": "unknown"}, 3005, "request gone"), request_id, "410 Gone"))

    # What a DELETE of requests/ID is told about it.
    fates = {"ends": {"state": "done", "signal": "SIGTERM", "duration_ms": 3210},
             "had_ended": {"state": "done", "exit_code": 5},
             "never_came": {"state": "none"}, "forgot": {"state": "gone"}}

    def works(self, target, request_id, body):
        if "/requests/" in target:
            self.client.sendall(answer(envelope(dict(self.fates[self.mode], id=target.split("/")[-1])), request_id))

    ends = had_ended = never_came = forgot = memory(works)

    @memory
    def hiccups(self, target, request_id, body):
        """Does what it is asked for, but each third answer gets lost."""
        with open(self.counts) as counts:
            lost = sum("/sync" not in line for line in counts) % 3 == 0
        client, self.client = self.client, Nowhere(self.client) if lost else self.client
        self.good(target, request_id, body)
        self.client = client
        return not lost

    def ends_with(self, target, request_id, body):
        """Starts a job, and that was all."""
        if "/jobs/" not in target or not Job.by_id:
            return self.good(target, request_id, body)
        Job.by_id.clear()
        if self.mode != "forgets_jobs":
            Peer.words = dict(self.words, instance="i2", boot_id="c" if self.mode == "reboots_later" else "b")
            return False
        return self.good(target, request_id, body)

    forgets_jobs = restarts_later = reboots_later = memory(ends_with)

    @memory
    def keeps_all_waiting(self, target, request_id, body):
        pass

    @memory
    def parts(self, target, request_id, body):
        """Takes its time for each part of a file of 12 MiB."""
        time.sleep(0.1)
        data = {"md5": parse_qs(urlsplit(target).query).get("md5", [None])[0], "path": "/f", "size": 12 << 20, "complete": True} if target.startswith("/api/v1/file") else {"uptime": 7}
        self.client.sendall(answer(envelope(data, message="pong"), request_id))

    def late(self, target, request_id, body):
        """A job starts when there is a file SOCKET.go, which says it may."""
        while target.endswith("/jobs") and not os.path.exists(sys.argv[1] + ".go"):
            time.sleep(0.02) # the step of a poll
        self.good(target, request_id, body)

    def older(self, target, request_id, body):
        """Knows little: an agent of long ago, as one of today refuses what it
        does not know."""
        path = urlsplit(target).path
        if self.method == "GET" and path == "/api/v1/capabilities":
            known = ["GET /api/v1/" + name for name in ("ping", "sync", "capabilities", "system/info", "jobs")]
            data = {"agent_version": "0.0.9", "endpoints": known, "limits": {}, "policy": {}}
            self.client.sendall(answer(envelope(data), request_id))
        elif self.method == "GET" and path in ("/api/v1/ping", "/api/v1/system/info"):
            self.good(target, request_id, body)
        elif self.method == "GET" and path == "/api/v1/jobs":
            self.jobs(target, request_id, body)
        elif path == "/api/v1/jobs":
            data = {"error_type": "METHOD_NOT_ALLOWED", "detail": "the path is there, the method is not"}
            self.client.sendall(answer(envelope(data, 2005, "Method not allowed"), request_id, "405 Method Not Allowed",
                                       ["Allow: GET"]))
        else:
            data = {"error_type": "ENDPOINT_NOT_FOUND", "detail": "no endpoint '%s %s'" % (self.method, target)}
            self.client.sendall(answer(envelope(data, 3001, "Endpoint not found"), request_id, "404 Not Found"))

    def first_services(self, target, request_id, body):
        """Knows the actions of service/control that there were at first."""
        action = json.loads(body or b"{}").get("action")
        if target.startswith("/api/v1/capabilities"):
            data = {"agent_version": "0.0.9", "abilities": ["meta", "services"]}
            self.client.sendall(answer(envelope(data), request_id))
        elif action in ("start", "stop", "restart", "status", "enable", "disable"):
            data = {"name": "x", "action": action, "status": "running", "pid": 7, "enabled": True}
            self.client.sendall(answer(envelope(data), request_id))
        else:
            data = {"error_type": "INVALID_PARAMS", "detail": "'action' is not start, stop, ..."}
            self.client.sendall(answer(envelope(data, 2001, "Invalid parameters"), request_id, "400 Bad Request"))

    def reads_only(self, target, request_id, body):
        """Knows folders, and file/content for reading."""
        path = urlsplit(target).path
        if path == "/api/v1/file/info":
            self.client.sendall(answer(envelope({"path": "/x", "exists": False}), request_id))
        elif path == "/api/v1/file/directory":
            path = parse_qs(urlsplit(target).query)["path"][0]
            self.client.sendall(answer(envelope({"path": path, "created": True}), request_id))
        else:
            data = {"error_type": "METHOD_NOT_ALLOWED", "detail": "the path is there, the method is not"}
            self.client.sendall(answer(envelope(data, 2005, "Method not allowed"), request_id, "405 Method Not Allowed",
                                       ["Allow: GET"]))

    def escape(self, target, request_id, body):
        self.client.sendall(answer(envelope({"error_type": "X", "detail": "\x1b[2J\x07 evil"}, 5001, "\x1b]0;t\x07"),
                                   request_id))

    def exit_code(self, target, request_id, body):
        job = Job({"argv": ["true"]})
        self.client.sendall(answer(envelope(dict(job.status(), state="ended", exit_code=1000)), request_id))


def main(kind=Peer):
    path, counts, mode = sys.argv[1:4]
    server = socket.socket(socket.AF_UNIX)
    server.bind(path + ".new")
    server.listen(64)
    open(counts, "w").close()
    os.rename(path + ".new", path)
    while True:
        client, _ = server.accept()
        try:
            kind(client, counts, mode).serve()
        except (OSError, ValueError, KeyError):
            pass
        client.close()


if __name__ == "__main__":
    main()
