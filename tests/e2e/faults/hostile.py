# SPDX-License-Identifier: LGPL-2.1-or-later
"""hostile.py plain|sync SIZE MARKER: a file that would like to be obeyed.

Each block of 4 KiB, which is what a guest gets by one read of a port, is made of
whole requests and nothing else, so that whoever begins to parse at any of them
finds the next one too. With "sync" each begins with what a client that starts
anew sends: 0xFF and a sync.
"""
import json
import sys

BLOCK = 4096


def request(method, target, body=b"", pad=0):
    head = [f"{method} {target} HTTP/1.1", "Host: virtio-rpc"]
    if body:
        head.append(f"Content-Length: {len(body)}")
    if pad:
        head.append("X-Pad: " + "p" * (pad - len("X-Pad: \r\n")))
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def block(kind, number, marker):
    command = ["sh", "-c", f"echo {number} >>{marker}"]
    body = json.dumps({"argv": command}).encode()
    start = b""
    if kind == "sync":
        start = b"\xff" + request("GET", f"/api/v1/sync?id={number:032x}")
    run = request("POST", "/api/v1/shell/exec", body)
    pad = BLOCK - len(start) - len(run)
    return start + request("POST", "/api/v1/shell/exec", body, pad)


def main():
    kind, size, marker = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    for number in range(size // BLOCK):
        made = block(kind, number, marker)
        assert len(made) == BLOCK
        sys.stdout.buffer.write(made)


main()
