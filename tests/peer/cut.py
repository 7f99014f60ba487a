#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A channel that breaks, at other bytes each time.

    cut.py SOCKET AGENT COUNTS LEAST MOST

Carries bytes between clients of SOCKET, one at a time, and the agent behind the
socket AGENT; behind some byte from LEAST to MOST both are hung up on.  Each
connection is one line in the file COUNTS: the bytes that it had.
"""
import os
import random
import select
import socket
import sys

def carry(client, agent, left):
    """Return: how many of LEFT bytes were not carried when it ended."""
    ends = {client: agent, agent: client}
    while left > 0:
        for end in select.select(list(ends), [], [])[0]:
            piece = end.recv(min(left, 1 << 16))
            if not piece:
                return left
            ends[end].sendall(piece)
            left -= len(piece)
            if left == 0:
                break
    return left


def main():
    path, behind, counts, least, most = sys.argv[1:4] + [int(word) for word in sys.argv[4:]]
    rng = random.Random(most)
    server = socket.socket(socket.AF_UNIX)
    server.bind(path + ".new")
    server.listen(64)
    with open(counts, "w") as lines:
        os.rename(path + ".new", path)
        while True:
            client, _ = server.accept()
            agent = socket.socket(socket.AF_UNIX)
            agent.connect(behind)
            planned = rng.randint(least, most)
            try:
                left = carry(client, agent, planned)
            except OSError:
                left = 0
            lines.write("%d%s\n" % (planned - left, "" if left else " cut"))
            lines.flush()
            client.close()
            agent.close()


main()
