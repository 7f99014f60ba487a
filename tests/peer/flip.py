#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A channel that damages what goes to the agent, or what comes from it.

    flip.py SOCKET AGENT COUNTS TIMES [back]

Carries bytes between clients of SOCKET, one at a time, and the agent behind the
socket AGENT.  The first TIMES bytes that are zero become one: heads and JSON
have none, so they are content.  Each request that comes by is one line in the
file COUNTS: "METHOD TARGET".
"""
import os
import re
import select
import socket
import sys

HEAD = re.compile(rb"(?:GET|PUT|POST|DELETE) /\S+(?= HTTP/1\.1\r\n)")


def flipped(piece, left):
    """Return: the piece with up to LEFT zeros changed, and how many are left."""
    n = min(piece.count(0), left)
    return piece.replace(b"\0", b"\1", n), left - n


def carry(client, agent, counts, left, back):
    """Return: how many may still be changed, when one of the ends has left."""
    heads = b""
    while True:
        ready, _, _ = select.select([client, agent], [], [])
        for end in ready:
            piece = end.recv(1 << 20)
            if not piece:
                return left
            if (end is agent) == back:
                piece, left = flipped(piece, left)
            if end is agent:
                client.sendall(piece)
                continue
            heads += piece
            found = list(HEAD.finditer(heads))
            for match in found:
                counts.write(match.group().decode() + "\n")
            counts.flush()
            heads = heads[found[-1].end():][-20000:] if found else heads[-20000:]
            agent.sendall(piece)


def main():
    path, behind, counts, left = sys.argv[1:4] + [int(sys.argv[4])]
    back = sys.argv[5:] == ["back"]
    server = socket.socket(socket.AF_UNIX)
    server.bind(path + ".new")
    server.listen(64)
    with open(counts, "w") as counts:
        os.rename(path + ".new", path)
        while True:
            client, _ = server.accept()
            agent = socket.socket(socket.AF_UNIX)
            agent.connect(behind)
            try:
                left = carry(client, agent, counts, left, back)
            except OSError:
                pass
            client.close()
            agent.close()


main()
