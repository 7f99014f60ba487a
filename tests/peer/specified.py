#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server that knows only the specification: no sync, no sessions, no jobs.

    specified.py PORT COUNTS [WAY]

PORT is a virtio port, or the path of a socket to be made. Each request is a line
of COUNTS. WAY is what it makes of a byte that is in no request: skips it (the
default), refuses (400), shuts (400, and hangs up), leaves (hangs up), mute, or
answers under no id.
"""
import base64
import grp
import hashlib
import json
import os
import pwd
import shlex
import socket
import subprocess
import sys
import time
from urllib.parse import parse_qsl, urlsplit

PORT, COUNTS, WAY = (sys.argv + ["skips"])[1:4]
DATA = {"GET /api/v1/ping": lambda p: {"timestamp": int(time.time()), "uptime": 3600},
        "GET /api/v1/system/info": lambda p: {"hostname": "spec", "os": "Linux", "os_version": "Ubuntu 22.04",
                                              "kernel": os.uname().release, "arch": "x86_64", "cpu_count": 4,
                                              "memory_total": 8589934592, "memory_available": 4294967296},
        "GET /api/v1/system/status": lambda p: {"cpu_usage": 15.5, "memory_usage": 45.2, "disk_usage": {"/": 60.3},
                                                "load_average": [0.5, 0.8, 1.2], "process_count": 128}}


def shell(params):
    done = subprocess.run(shlex.split(params["command"]), capture_output=True, timeout=params.get("timeout", 30),
                          cwd=params.get("working_dir"), env=dict(os.environ, **params.get("env", {})))
    return {"exit_code": done.returncode, "stdout": done.stdout.decode(), "stderr": done.stderr.decode(), "duration_ms": 1}


def md5(content):
    return hashlib.md5(content).hexdigest()


def upload(params):
    content = base64.b64decode(params["content"])
    with open(params["path"], "wb" if params.get("overwrite") else "xb") as file:
        file.write(content)
    os.chmod(params["path"], int(params.get("mode", "0644"), 8))
    if "owner" in params or "group" in params:
        os.chown(params["path"], pwd.getpwnam(params["owner"]).pw_uid if "owner" in params else -1,
                 grp.getgrnam(params["group"]).gr_gid if "group" in params else -1)
    return {"path": params["path"], "size": len(content), "md5": md5(content)}


def download(params):
    with open(params["path"], "rb") as file:
        whole = file.read()
    piece = whole[params.get("offset", 0):][:params.get("length", 65536)]
    return {"path": params["path"], "content": base64.b64encode(piece).decode(), "size": len(piece),
            "total_size": len(whole), "md5": md5(piece)}


def name(look, number):
    try:
        return look(number)[0]
    except KeyError:
        return str(number)


def info(params):
    if not os.path.exists(params["path"]):
        return {"path": params["path"], "exists": False}
    whole = None
    if os.path.isfile(params["path"]):
        with open(params["path"], "rb") as file:
            whole = file.read()
    st = os.stat(params["path"])
    return {"path": params["path"], "exists": True, "type": "directory" if whole is None else "file",
            "size": st.st_size, "mode": "%04o" % (st.st_mode & 0o7777), "owner": name(pwd.getpwuid, st.st_uid),
            "group": name(grp.getgrgid, st.st_gid), "mtime": int(st.st_mtime), "md5": whole if whole is None else md5(whole)}


DATA.update({"POST /api/v1/shell/exec": shell, "POST /api/v1/file/upload": upload, "GET /api/v1/file/info": info,
             "POST /api/v1/file/download": download,
             "POST /api/v1/service/control": lambda p: dict(p, status="running", pid=1234)})


def respond(method, target, fields, body):
    url = urlsplit(target)
    handler = DATA.get(method + " " + url.path)
    if handler is None:
        return "404 Not Found", {"code": 3001, "message": "Endpoint not found", "data": {}}
    try:
        data = handler(json.loads(body) if body else dict(parse_qsl(url.query)))
        return "200 OK", {"code": 0, "message": "pong" if url.path.endswith("ping") else "success", "data": data}
    except ValueError as error:
        return "400 Bad Request", {"code": 2001, "message": "Invalid parameters", "data": {"detail": str(error)}}
    except FileNotFoundError as error:
        return "200 OK", {"code": 1003 if "exec" in url.path else 1002, "message": "failed", "data": {"detail": str(error)}}
    except (OSError, KeyError) as error:
        return "200 OK", {"code": 1002, "message": "File operation failed", "data": {"detail": str(error)}}
    except subprocess.TimeoutExpired as error:
        return "200 OK", {"code": 1002, "message": "Command timed out", "data": {"detail": str(error)}}


def write(channel, status, answer, request_id):
    body = json.dumps(answer).encode()
    lines = ["HTTP/1.1 " + status, "Content-Type: application/json", "Content-Length: %d" % len(body)]
    lines += ["X-Request-ID: " + request_id] * bool(request_id) + ["X-Response-Time: 1", "", ""]
    left = "\r\n".join(lines).encode() + body
    while left:
        left = left[channel.write(left) or 0:]


def serve(channel):
    """Until the other side leaves."""
    while True:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = channel.read(1)
            if not byte:
                return
            head += byte
        strange = max(head) > 127
        lines = head.decode("ascii", "ignore").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        body = b""
        while len(body) < int(fields.get("content-length", 0)):
            body += channel.read(int(fields["content-length"]) - len(body))
        with open(COUNTS, "a", encoding="ascii") as counts:
            counts.write(lines[0] + "\n")
        if strange and WAY != "skips":
            if WAY not in ("mute", "leaves"):
                write(channel, "400 Bad Request", {"code": 2001, "message": "Bad request", "data": {}},
                      fields["x-request-id"] if WAY == "refuses" else "")
            if WAY in ("shuts", "leaves"):
                return
            continue
        write(channel, *respond(*lines[0].split(" ")[:2], fields, body), fields["x-request-id"])


def main():
    if os.path.exists(PORT):
        port = open(PORT, "r+b", buffering=0)
        while True: # nobody is there: that is no end
            serve(port)
            time.sleep(0.01)  # a port without a host is at its end; the step of a poll
    server = socket.socket(socket.AF_UNIX)
    server.bind(PORT + ".new")
    server.listen(8)
    os.rename(PORT + ".new", PORT)  # who finds it can connect
    while True:
        client, _ = server.accept()
        try:
            serve(client.makefile("rwb", buffering=0))
        except OSError:
            pass
        client.close()


if __name__ == "__main__":
    main()
