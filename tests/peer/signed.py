#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signed commands, made by hand, for an agent that wants signatures.

    signed.py [OPTION…] SOCKET KEY FIELDS STEP…

All steps share one connection, because the session ends with it.
    sync          begins a session
    sign          signs a POST of shell/exec in it; what was signed and is to
                  be sent is kept in the file FIELDS, also for later calls
    send          sends that, and prints the answer
    send-without  the same without X-Session
    send-now      the same with X-Session of the session that runs now
KEY is a file.
"""
import argparse
import hashlib
import hmac
import http.client
import json
import os
import socket

EXEC = "/api/v1/shell/exec"


class Channel(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("virtio-rpc", timeout=200)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def ask(self, method, target, body=None, fields=None):
        self.request(method, target, body, fields or {})
        return self.getresponse().read().decode()


def sign(args, sync):
    body = args.body if args.sign_body is None else args.sign_body
    session = sync["session"] if args.sign_session is None else args.sign_session
    stamp, nonce = str(args.time or sync["timestamp"]), args.nonce or os.urandom(16).hex()
    with open(args.key, "rb") as file:
        key = file.read().rstrip(b"\n")
    words = ["v1", "POST", EXEC, stamp, nonce, hashlib.sha256(body.encode()).hexdigest(), sync["boot_id"], session]
    token = hmac.new(key, "\n".join(words).encode(), hashlib.sha256).hexdigest()
    with open(args.fields, "w") as file:
        json.dump([{"X-Timestamp": stamp, "X-Nonce": nonce, "X-Auth-Token": token, "X-Session": sync["session"]},
                   args.body], file)


def send(args, channel, sync, how):
    with open(args.fields) as file:
        fields, body = json.load(file)
    if how == "send-without":
        del fields["X-Session"]
    if how == "send-now":
        fields["X-Session"] = sync["session"]
    print(channel.ask("POST", EXEC, body, fields))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--time", type=int, help="X-Timestamp; without it the agent's clock")
    parser.add_argument("--nonce")
    parser.add_argument("--body", default="{}")
    parser.add_argument("--sign-body", help="sign this body, and send the other")
    parser.add_argument("--sign-session", help="sign this session, and send the one that runs")
    parser.add_argument("socket")
    parser.add_argument("key")
    parser.add_argument("fields")
    parser.add_argument("steps", nargs="+", choices=["sync", "sign", "send", "send-without", "send-now"])
    args = parser.parse_args()
    channel, sync = Channel(args.socket), None
    for step in args.steps:
        if step == "sync":
            sync = json.loads(channel.ask("GET", "/api/v1/sync?id=5e"))["data"]
        elif step == "sign":
            sign(args, sync)
        else:
            send(args, channel, sync, step)


main()
