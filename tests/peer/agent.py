#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A fake agent for vsrpc-virsh: answers sync well and then misbehaves.

    agent.py SOCKET COUNTS MODE

Each request that arrives whole is one line in the file COUNTS: "METHOD PATH ID
AGE SESSION HEARTBEAT", "-" for what is not there.  One client at a time, like
the real channel.  MODE is a method of Peer; those that are marked have a
memory, and say so in their sync.
"""
import json
import os
import socket
import sys
import time


def envelope(data, code=0, message="success"):
    return json.dumps({"version": "1.0", "code": code, "message": message,
                       "data": data, "timestamp": int(time.time())}).encode()


def answer(body, request_id, status="200 OK", fields=()):
    lines = ["HTTP/1.1 " + status, "Content-Type: application/json",
             "Content-Length: %d" % len(body), "X-Request-ID: " + request_id]
    return "\r\n".join(lines + list(fields) + ["", ""]).encode() + body


def memory(mode):
    """Marks a mode of an agent with a memory; what it says in its sync may
    be changed in self.words."""
    mode.memory = True
    return mode


class Peer:
    words = {"instance": "i1", "boot_id": "b", "heartbeat": True}
    connections = 0

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
            request = self.read()
            if request is None:
                return
            method, target, fields, body = request
            self.count(method, target, fields)
            request_id = fields.get("x-request-id", "")
            if target.startswith("/api/v1/sync"):
                self.sync(target, request_id)
            elif getattr(self, self.mode)(target, request_id, body) is False:
                return

    def sync(self, target, request_id):
        data = {"id": target.split("id=")[1], "session": "0", "boot_id": "b", "agent_version": "9.9",
                "timestamp": int(time.time()), "auth": False}
        if hasattr(getattr(self, self.mode), "memory"):
            data.update(self.words, session=self.session)
        good = answer(envelope(data), request_id)
        if self.mode == "no_sync":
            return
        if self.mode == "noise":
            self.client.sendall(b"\x00noise\r\n\r\nHTTP/1.1 " * 6000)
        if self.mode == "foreign":
            self.client.sendall(answer(envelope({"id": "somebody's", "uptime": 666}, message="foreign"), "somebody's"))
        self.client.sendall(good)

    # --- what the request after the sync gets
    def good(self, target, request_id, body):
        if target.endswith("/shell/exec"):
            data = {"exit_code": 0, "stdout": "ran\n", "stderr": "", "duration_ms": 1}
        else:
            data = {"timestamp": 1, "uptime": 7}
        self.client.sendall(answer(envelope(data, message="pong"), request_id))

    noise = foreign = no_sync = good

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

    def trickle_forever(self, target, request_id, body):
        self.client.sendall(b"HTTP/1.1 200 OK\r\nX-Request-ID: %s\r\n" % request_id.encode())
        while True:
            self.client.sendall(b"X-Slow: 1\r\n")
            time.sleep(0.2)

    def bytewise(self, target, request_id, body):
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
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.client.sendall(b"HTTP/1.1 102 Processing\r\nX-Request-ID: %s\r\n\r\n" % request_id.encode())
            time.sleep(0.2)

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

    @memory
    def remembers_little(self, target, request_id, body):
        if self.first():
            return False
        self.client.sendall(answer(envelope({"exit_code": 3, "truncated": True}), request_id,
                                   fields=["X-Replayed: 1"]))

    # What a DELETE of requests/ID is told about it.
    fates = {"ends": {"state": "done", "signal": "SIGTERM", "duration_ms": 3210},
             "had_ended": {"state": "done", "exit_code": 5},
             "never_came": {"state": "none"}, "forgot": {"state": "gone"}}

    def works(self, target, request_id, body):
        if "/requests/" in target:
            self.client.sendall(answer(envelope(dict(self.fates[self.mode], id=target.split("/")[-1])), request_id))

    ends = had_ended = never_came = forgot = memory(works)

    @memory
    def keeps_all_waiting(self, target, request_id, body):
        pass

    @memory
    def parts(self, target, request_id, body):
        """Takes its time for each part of a file of 12 MiB."""
        time.sleep(0.3)
        data = {"md5": None, "path": "/f", "size": 12 << 20} if target.startswith("/api/v1/file") else {"uptime": 7}
        self.client.sendall(answer(envelope(data, message="pong"), request_id))

    def late(self, target, request_id, body):
        time.sleep(3)
        self.good(target, request_id, body)

    def escape(self, target, request_id, body):
        self.client.sendall(answer(envelope({"error_type": "X", "detail": "\x1b[2J\x07 evil"}, 5001, "\x1b]0;t\x07"),
                                   request_id))

    def exit_code(self, target, request_id, body):
        self.client.sendall(answer(envelope({"exit_code": 1000, "stdout": "", "stderr": ""}), request_id))


def main():
    path, counts, mode = sys.argv[1:]
    server = socket.socket(socket.AF_UNIX)
    server.bind(path + ".new")
    server.listen(64)
    open(counts, "w").close()
    os.rename(path + ".new", path)
    while True:
        client, _ = server.accept()
        try:
            Peer(client, counts, mode).serve()
        except (OSError, ValueError, KeyError):
            pass
        client.close()


main()
