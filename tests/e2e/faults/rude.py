#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients with bad manners.

    rude.py SOCKET READY MODE

MODE is a function below.  Those that are there to be killed create the file
READY when they have come so far, and stay.
"""
import json
import os
import signal
import socket
import statistics
import sys
import time

DEADLINE_S = 300
GAP_S = 0.1  # that a client without handshake leaves behind the one before
NOISE = 100 * 1024


def connect():
    client = socket.socket(socket.AF_UNIX)
    client.connect(sys.argv[1])
    client.settimeout(DEADLINE_S)
    return client


def request(method, target, body=b""):
    length = "Content-Length: %d\r\n" % len(body) if body else ""
    return ("%s /api/v1%s HTTP/1.1\r\nHost: virtio-rpc\r\n%s\r\n" % (method, target, length)).encode() + body


def command(*words):
    return request("POST", "/shell/exec", json.dumps({"argv": words}).encode())


PING = request("GET", "/ping")
PUT = request("PUT", "/file/content?path=/tmp/rude-put", bytes(1024 * 1024))
BIG = request("GET", "/file/content?path=/tmp/rude-big")


def stay(client):
    open(sys.argv[2], "w").close()
    while True:
        signal.pause()


def send_and_stay(text):
    client = connect()
    client.sendall(text)
    stay(client)


# --- to be killed ------------------------------------------------------------------

def half_head():
    send_and_stay(PING[:len(PING) // 2])


def half_json():
    text = command("sh", "-c", "echo half >>/tmp/rude-ran", "x" * 100000)
    send_and_stay(text[:len(text) // 2])


def half_put():
    send_and_stay(PUT[:len(PUT) // 2])


def sleeping():
    send_and_stay(command("sleep", "1000"))


def unread():
    """A download that nobody reads: the answer has begun to come."""
    client = connect()
    client.sendall(BIG)
    client.recv(1, socket.MSG_PEEK)
    stay(client)


def noise():
    client = connect()
    client.sendall(os.urandom(NOISE))
    stay(client)


def holder():
    send_and_stay(b"")


def slow_reader():
    client = connect()
    client.sendall(BIG)
    client.recv(1)
    open(sys.argv[2], "w").close()
    while True:
        time.sleep(1)  # so slow is this reader
        client.recv(1)


# --- these come to an end ------------------------------------------------------------

def until(client, words):
    """Return: what came up to these words or the end."""
    got = b""
    while words not in got:
        piece = client.recv(65536)
        if not piece:
            break
        got += piece
    return got


def half_close():
    """An answer or an end, but not silence."""
    for text in PING, command("sleep", "1"):
        client = connect()
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        got = until(client, b'"timestamp":')
        print("answered" if got.startswith(b"HTTP/1.1 200 ") else "ended" if got == b"" else "?? %r" % got)


def timed_ping():
    start = time.monotonic()
    client = connect()
    client.sendall(PING)
    assert b"pong" in until(client, b"pong")
    took = time.monotonic() - start
    client.close()
    return 1000 * took


def first():
    """Milliseconds of the first request, and of the median of the next."""
    one = timed_ping()
    others = []
    for _ in range(10):
        time.sleep(GAP_S)  # a loaded guest misses a shorter one
        others.append(timed_ping())
    print("%d %d" % (one, statistics.median(others)))


def stalled(text):
    """Stops in the middle; nothing but a sync helps behind the 408."""
    client = connect()
    client.sendall(text)
    start = time.monotonic()
    got = until(client, b'"timestamp":')
    took = time.monotonic() - start
    client.sendall(PING)
    client.settimeout(0.3)  # for what must not come
    try:
        print("after that: %r" % client.recv(100))
    except socket.timeout:
        pass
    client.settimeout(DEADLINE_S)
    client.sendall(b"\xff" + request("GET", "/sync?id=rude"))
    assert b'"rude"' in until(client, b'"rude"')
    print("%s in time: %s" % (got.split(b"\r\n")[0].decode(), 4.8 < took < 30 * max(1, os.getloadavg()[0])))


def stalled_head():
    stalled(PING[:-10])


def stalled_json():
    stalled(command("echo", "x" * 1000)[:-100])


def stalled_put():
    stalled(PUT[:-100])


def bytewise():
    client = connect()
    for byte in PING:
        client.sendall(bytes([byte]))
        time.sleep(0.005)  # so that each is read alone
    print("pong" if b"pong" in until(client, b"pong") else "no pong")


globals()[sys.argv[3]]()
