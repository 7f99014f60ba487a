#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A fake agent with files that are lies.

    files.py SOCKET COUNTS MODE OUTSIDE

As agent.py; MODE says what is in its folder /t, and OUTSIDE is a folder of the
host that links lead to.  Each of its files has the content "evil".
"""
import base64
import hashlib
import sys
from urllib.parse import parse_qs, urlsplit

import agent

CONTENT = b"evil\n"
OUTSIDE = sys.argv[4]
PAGE = 15000  # what JSON of this protocol may hold is 16384 containers


def file(name, **more):
    return dict({"name": name, "type": "file", "size": len(CONTENT), "mode": "0644", "mtime": 1000000000,
                 "mtime_ns": 0, "allocated": 4096}, **more)


def folder(name, **more):
    return file(name, **dict({"type": "directory", "mode": "0755"}, **more))


def link(name, target=OUTSIDE, **more):
    return file(name, type="symlink", target=target, **more)


def encoded(name):
    return dict(file(base64.b64encode(name).decode()), name_encoding="base64")


# What is in the folders, by mode: a path that is not there is an empty one.
TREES = {
    "climbs": {"/t": [file("a"), file("../climbed"), file("z")]},
    "slash": {"/t": [file("a"), folder("b"), file("b/c")]},
    "rooted": {"/t": [file(OUTSIDE + "/rooted")]},
    "nameless": {"/t": [file("")]},
    "dot": {"/t": [folder(".")]},
    "dotdot": {"/t": [folder("..")], "/t/..": [file("climbed")]},
    "nul": {"/t": [file("a\0b")]},
    "long": {"/t": [file("x" * 256)]},
    "encoded": {"/t": [encoded(b"../climbed")]},
    "encoded_badly": {"/t": [dict(file("a*b"), name_encoding="base64")]},
    "no_list": {"/t": {"a": 1}},
    "no_object": {"/t": ["a"]},
    "no_type": {"/t": [{"name": "a"}]},
    "bad_mode": {"/t": [file("a", mode="rwx")]},
    "no_target": {"/t": [file("a", type="symlink")]},
    "nul_target": {"/t": [link("a", "/x\0y")]},
    "below": {"/t": [file("a"), folder("b"), file("z")], "/t/b": [file("../../climbed")]},
    "link_first": {"/t": [link("x"), folder("x")], "/t/x": [file("evil")]},
    "link_last": {"/t": [folder("x"), link("x")], "/t/x": [file("evil")]},
    "link_file": {"/t": [link("x", OUTSIDE + "/evil"), file("x")]},
    "links": {"/t": [link("a"), folder("b"), link("z", "../../outside")], "/t/b": [link("a"), file("f")]},
    "not_a_folder": {"/t": [folder("x")]},
    "odd": {"/t": [file("pipe", type="fifo"), file("door", type="door"), file("a")]},
    "rights": {"/t": [file("f", mode="6777"), folder("d", mode="7777")], "/t/d": [file("g", mode="4755")]},
    "terminal": {"/t": [file("a\x1b[2J\x07"), link("b", "\x1b]0;evil\x07"), encoded(b"c\x9b1m"), file("d\u009b1m")]},
    "victim": {"/t": [file("f"), folder("d")], "/t/d": [file("evil")]},
}


class Files(agent.Peer):
    def __init__(self, client, counts, mode):
        super().__init__(client, counts, "files")
        self.tree = mode

    def say(self, request_id, data, code=0, status="200 OK"):
        self.client.sendall(agent.answer(agent.envelope(data, code), request_id, status))

    def files(self, target, request_id, body):
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        route = url.path.split("/")[4]
        if not hasattr(self, "file_" + route):
            return self.say(request_id, {"detail": "no " + route}, 3001, "404 Not Found")
        return getattr(self, "file_" + route)(query, request_id)

    files = agent.memory(files)

    def file_info(self, query, request_id):
        kind = "directory" if query["path"].endswith("/.") else "file"
        self.say(request_id, file("", path=query["path"], exists=True, type=kind, mode="0755",
                                  md5=hashlib.md5(CONTENT).hexdigest()))

    def file_digest(self, query, request_id):
        first, length = int(query["first"]), int(query["length"])
        span = CONTENT[first:first + length]
        self.say(request_id, {"path": query["path"], "size": len(CONTENT), "first": first, "length": len(span),
                              "digest": hashlib.new(query["algorithm"], span).hexdigest()})

    def file_content(self, query, request_id):
        n = len(CONTENT)
        fields = ["Content-Range: bytes 0-%d/%d" % (n - 1, n), 'ETag: "1"']
        self.client.sendall(agent.answer(CONTENT, request_id, "206 Partial Content", fields,
                                         "application/octet-stream"))

    def file_transfers(self, query, request_id):
        if self.tree == "odd_transfer":
            return self.say(request_id, {"first": "zero", "next": len(CONTENT)})
        self.say(request_id, {"detail": "no such transfer"}, 2001, "400 Bad Request")

    def page(self, entries, cursor=None, is_folder=True):
        return {"path": "/t", "folder": is_folder, "entries": entries, "cursor": cursor}

    def file_list(self, query, request_id):
        at = int(query.get("cursor", "0"))
        path = query["path"][:-2] if query["path"].endswith("/.") else query["path"]
        data = self.page(TREES.get(self.tree, {}).get(path, []))
        if self.tree == "endless":
            data = self.page([{"name": "%x" % i, "type": "file"} for i in range(at, at + PAGE)], str(at + PAGE))
        elif self.tree == "same_cursor":
            data = self.page([file("a%d" % at)], "7")
        elif self.tree == "no_entries":
            data = self.page([], str(at + 1))
        elif self.tree == "odd_cursor":
            data["cursor"] = 7
        elif self.tree == "deep":
            data = self.page([folder("d"), file("f")])
        elif self.tree == "not_a_folder" and path == "/t/x":
            data = self.page([file("x")], is_folder=False)
        elif self.tree == "two_files":
            data = self.page([file("a"), file("b")], is_folder=False)
        self.say(request_id, data)


agent.main(Files)
