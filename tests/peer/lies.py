#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A fake agent whose answers are right but for one lie.

    lies.py SOCKET COUNTS LIE

As agent.py.  Its files are /f ("hello") and /big (9 MiB).  LIE changes answers:

    ROUTE[#N] NAME=VALUE[; NAME=VALUE]…[, ROUTE …]

ROUTE is a word of name_of(), and #N leaves the answers before its N-th one alone.
NAME is a field of the head (with a capital letter), a member of its JSON value
("X-Job-Status.output"), "status" (of HTTP), "body", "chunked", "total" (of
Content-Range), "code" (of the envelope), or a member of data.  VALUE is JSON or else a string; without one the
field or member is left out.
"""
import hashlib
import json
import sys
from urllib.parse import parse_qs, urlsplit

import agent

FILES = {"/f": b"hello", "/big": b"0123456789abcdef" * (9 << 16)}
WORDS = {("GET", "content"): "content", ("PUT", "content"): "put", ("GET", "transfers"): "transfer",
         ("POST", "transfers"): "finish", ("DELETE", "transfers"): "forget"}


def name_of(method, target):
    """The word for a route: content, put, transfer, finish, forget, digest, remove,
    ...; start, job, turn, signal; service."""
    words = urlsplit(target).path.split("/")[3:]
    if words[0] == "file":
        return WORDS.get((method, words[1]), words[1])
    if words[0] != "jobs":
        return words[0]
    if len(words) < 3:
        return "job" if len(words) == 2 else "start"
    return "signal" if words[2] == "signal" else "turn"


def value_of(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def put(where, name, value):
    if value == "":
        where.pop(name, None)
    else:
        where[name] = value


class Answer:
    """An answer taken apart."""
    def __init__(self, content):
        head, self.body = content.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        self.status = lines[0].split(" ", 1)[1]
        self.fields = dict(line.split(": ", 1) for line in lines[1:])
        self.chunked = False

    def change(self, name, text):
        value = value_of(text)
        if name == "status":
            self.status = text
        elif name == "body":
            self.body = text.encode()
        elif name == "chunked":
            self.chunked = True
        elif name == "total":
            self.fields["Content-Range"] = self.fields["Content-Range"].split("/")[0] + "/" + text
        elif "." in name:
            field, member = name.split(".")
            inner = json.loads(self.fields.get(field, "{}"))
            put(inner, member, value)
            self.fields[field] = json.dumps(inner)
        elif name[0].isupper():
            put(self.fields, name, text)
        else:
            whole = json.loads(self.body)
            put(whole if name == "code" else whole["data"], name, value)
            self.body = json.dumps(whole).encode()

    def text(self):
        self.fields["Content-Length"] = str(len(self.body))
        body = self.body
        if self.chunked:
            del self.fields["Content-Length"]
            self.fields["Transfer-Encoding"] = "chunked"
            body = (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
        lines = ["HTTP/1.1 " + self.status] + ["%s: %s" % field for field in self.fields.items()]
        return "\r\n".join(lines + ["", ""]).encode() + body


class Tongue:
    """The client, to whom answers are changed on their way."""
    lies = []
    told = {}  # how often each route has answered

    def __init__(self, client):
        self.client, self.route = client, ""
        self.fileno, self.recv = client.fileno, client.recv

    @classmethod
    def learn(cls, text):
        for lie in text.split(", "):
            route, changes = lie.split(" ", 1)
            route, _, which = route.partition("#")
            pairs = [change.partition("=")[::2] for change in changes.split("; ")]
            cls.lies.append((route, int(which or 1), pairs))

    def sendall(self, content):
        count = self.told[self.route] = self.told.get(self.route, 0) + 1
        answer = Answer(content)
        for route, which, pairs in self.lies:
            if route == self.route and count >= which:
                for name, value in pairs:
                    answer.change(name, value)
        self.client.sendall(answer.text())


class Liar(agent.Peer):
    fields = {}
    sent = stored = b""
    path = "/f"

    def __init__(self, client, counts, mode):
        if not Tongue.lies:
            Tongue.learn(mode)
        super().__init__(Tongue(client), counts, "lies")

    def count(self, method, target, fields):
        super().count(method, target, fields)
        self.client.route, self.fields = name_of(method, target), fields

    def say(self, request_id, data):
        self.client.sendall(agent.answer(agent.envelope(data), request_id))

    def lies(self, target, request_id, body):
        query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        told = getattr(self, "tell_" + self.client.route, None)
        if not told:
            return self.good(target, request_id, body)
        return told(query, request_id, body)

    lies = agent.memory(lies)

    def tell_content(self, query, request_id, body):
        Liar.path = query["path"]
        content = FILES[self.path]
        first, last = (int(n) for n in self.fields["range"][len("bytes="):].split("-"))
        Liar.sent = content[:last + 1]
        part = content[first:last + 1]
        fields = ["Content-Range: bytes %d-%d/%d" % (first, first + len(part) - 1, len(content)), 'ETag: "1"']
        self.client.sendall(agent.answer(part, request_id, "206 Partial Content", fields, "application/octet-stream"))

    def tell_transfer(self, query, request_id, body):
        self.say(request_id, {"path": self.path, "first": 0, "next": len(self.sent), "etag": '"1"',
                              "digest": hashlib.md5(self.sent).hexdigest()})

    def tell_digest(self, query, request_id, body):
        content = FILES[query["path"]]
        first, length = int(query["first"]), int(query["length"])
        span = content[first:first + length]
        self.say(request_id, {"path": query["path"], "size": len(content), "first": first, "length": len(span),
                              "digest": hashlib.md5(span).hexdigest()})

    def stored_data(self):
        return {"path": "/x", "complete": True, "size": len(self.stored), "md5": hashlib.md5(self.stored).hexdigest()}

    def tell_put(self, query, request_id, body):
        part = self.fields.get("content-range")
        at = int(part[len("bytes "):].split("-")[0]) if part else 0
        Liar.stored = self.stored[:at] + body
        self.say(request_id, {"path": "/x", "complete": False, "received": len(self.stored)} if part
                 else self.stored_data())

    def tell_finish(self, query, request_id, body):
        self.say(request_id, self.stored_data())

    def tell_forget(self, query, request_id, body):
        self.say(request_id, {})

    def tell_remove(self, query, request_id, body):
        self.say(request_id, {"path": query["path"], "removed": 1})

    def tell_directory(self, query, request_id, body):
        self.say(request_id, {"path": query["path"], "created": True})

    def tell_service(self, query, request_id, body):
        self.say(request_id, dict(json.loads(body), status="running", pid=7, enabled=True, enabled_state="enabled"))


agent.main(Liar)
