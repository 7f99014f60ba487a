# SPDX-License-Identifier: LGPL-2.1-or-later
"""qmp.py SOCKET status|migrate [URI]: what a QEMU without libvirt is told.

migrate ends when the guest has left; status prints the state the guest is in.
"""
import json
import select
import socket
import sys

DEADLINE_S = 300 # of the whole, should QEMU be stuck
POLL_S = 0.02    # between two looks at a migration


class Monitor:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r")
        json.loads(self.lines.readline())  # the greeting
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        order = {"execute": command, "arguments": arguments}
        self.socket.sendall(json.dumps(order).encode())
        for line in self.lines:
            answer = json.loads(line)
            if "error" in answer:
                sys.exit(f"{command}: {answer['error']['desc']}")
            if "return" in answer:  # the others are events
                return answer["return"]
        sys.exit(f"{command}: QEMU has closed its monitor")


def migrate(monitor, uri):
    monitor.ask("migrate-set-parameters", **{"max-bandwidth": 1 << 33})
    monitor.ask("migrate", uri=uri)
    for _ in range(int(DEADLINE_S / POLL_S)):
        now = monitor.ask("query-migrate")
        if now.get("status") == "completed":
            return
        if now.get("status") in ("failed", "cancelled"):
            sys.exit(f"migration {now['status']}: {now.get('error-desc', '')}")
        select.select([], [], [], POLL_S)
    sys.exit("migration takes too long")


def main():
    monitor = Monitor(sys.argv[1])
    if sys.argv[2] == "migrate":
        migrate(monitor, sys.argv[3])
    print(monitor.ask("query-status")["status"])


main()
