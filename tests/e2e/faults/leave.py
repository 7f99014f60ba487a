# SPDX-License-Identifier: LGPL-2.1-or-later
"""leave.py SOCKET FILE ROUNDS: uploads that end anywhere, and a client at once.

Each round begins a PUT of the file, leaves somewhere in it, and is followed with
no gap by a client that asks for something small and leaves soon, answered or
not: what is tested is that nothing out of the file is ever taken for a request.
"""
import random
import socket
import sys
import time

PUT = ("PUT /api/v1/file/content?path=/tmp/up.left HTTP/1.1\r\n"
       "Host: virtio-rpc\r\nContent-Length: {}\r\n\r\n")
LENGTH = 1 << 30    # never reached, so that no body ends in another's file
PING = b"GET /api/v1/ping HTTP/1.1\r\nHost: virtio-rpc\r\n\r\n"
SYNC = b"\xffGET /api/v1/sync?id=%032x HTTP/1.1\r\nHost: virtio-rpc\r\n\r\n"
PATIENCE_S = 0.15  # of the second client
SEND_S = 200       # for the agent to take what is sent
STEP_S = 0.01      # between two tries to connect


def connect(path, timeout):
    end = socket.socket(socket.AF_UNIX)
    end.settimeout(timeout)
    for _ in range(int(SEND_S / STEP_S)):
        try:
            end.connect(path)
            return end
        except BlockingIOError:  # QEMU has not looked for a while
            time.sleep(STEP_S)
    sys.exit("QEMU takes no connection")


def leave(path, content, cut):
    with connect(path, SEND_S) as end:
        end.sendall(PUT.format(LENGTH).encode() + content[:cut])


def come(path, words):
    with connect(path, PATIENCE_S) as end:
        end.sendall(words)
        try:
            return b"HTTP/1.1 200" in end.recv(4096)
        except TimeoutError:
            return False


def main():
    path, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(name, "rb") as file:
        content = file.read()
    chance = random.Random(3)
    answered = 0
    for number in range(rounds):
        leave(path, content, chance.randrange(1, 3 << 20))
        answered += come(path, (PING, SYNC % number)[number % 2])
    print(answered)


main()
