#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The words of a command string, and what sh(1) makes of the same string.

    patterns.py SOCKET SCRATCH SEED COUNT

COUNT strings of random quotes, patterns and tildes are given to the agent behind
SOCKET, by turns as shell/exec and as a job, and to sh -c, in the same folder and
with the same HOME.  printf(1) shows the words that came of each.
"""
import base64
import http.client
import json
import os
import pwd
import random
import re
import shutil
import socket
import subprocess
import sys

WORDS = 12 # of a string: a process shows them all
PROGRAM = shutil.which("printf", path="/usr/bin:/bin")

# Names that differ in what patterns look at, and such as only quotes can name.
NAMES = ("a", "b", "ab", "abc", "ba", "B", "a.c", "b.c", ".a", ".ab", "..a", "-", "-a", "a-", "a-b", "1", "12",
         "*", "?", "a*", "[", "]", "[a]", "a]b", "[a-c]", "!", "!a", "^a", "~", "~a", "a b", "a'b", 'a"b', "\\", "a\\b", "=",
         "1.2", "1.log", "12.log", "a-.c", "\u00e4", "\u00e4a")
FOLDERS = ("d", "d/e", "d/e/a", "d-", ".d", "a d", "[d]", "a/b")

# What words are made of, and how often.
PLAIN = ("a", "b", "c", "d", "e", "B", ".", "-", "1", "=", ",", ":", "%", "@", "\u00e4", "]", "!")
PARTS = {
    "plain": (10, lambda: random.choice(PLAIN)),
    "star": (4, lambda: "*"),
    "any": (3, lambda: "?"),
    "slash": (3, lambda: random.choice(("/", "/", "/", "//"))),
    "tilde": (1, lambda: "~"),
    "set": (3, lambda: bracket()),
    "open": (1, lambda: "["),
    "escaped": (2, lambda: "\\" + random.choice(PLAIN + ("*", "?", "[", "^", "~", "\\", " ", "'", '"', "/"))),
    "single": (2, lambda: "'" + quoted(PLAIN + ("^", "*", "?", "[", "~", "\\", " ", '"', "/")) + "'"),
    "double": (2, lambda: '"' + quoted(PLAIN + ("*", "?", "[", "~", "\\\\", '\\"', "\\a", " ", "'", "/")) + '"'),
}
STARTS = ("", "", "", "", "", "*", "*?", "?", "?*", ".", "./", "../", "~/", "~", "~root", "~root/", "~nobody/", "~nosuch/", "d/", "*/", ".*", "/e*/",
          '"~"', "'~'/", "\\~/", '~""/', "~'/'", "~ro'ot'", "~r\\oot/")


def quoted(parts):
    return "".join(random.choice(parts) for _ in range(random.randrange(4)))


def bracket():
    inside = ("a", "b", "c", "d", "B", "-", "a-c", "a-", "-c", ".", "*", "?", "!", "]", "1-9", "[:alpha:]", "[:digit:]",
              "[:upper:]", "[:punct:]", "[", "\\]", "\\-", "'-'", '"!"', "'^'", "'a'-c", "~", "\\\\")
    made = "[" + random.choice(("", "", "!")) + "".join(random.choice(inside) for _ in range(1 + random.randrange(3))) + "]"
    return made


# Shells differ over [^...], which POSIX leaves open (dash has no meaning for it), over
# ranges that end in a byte above 127 (to dash that is less than any other) or in a
# class, and over [. and [=, which few know.  The former two are never made.
DIFFERENT = re.compile(r"-\[:|\[[^/]*\[[.=]")


def word():
    kinds = [kind for kind, (often, _) in PARTS.items() for _ in range(often)]
    made = random.choice(STARTS)
    for _ in range(random.randrange(5)):
        made += PARTS[random.choice(kinds)][1]()
    if re.sub("['\"\\\\]", "", made).startswith("/") and not made.startswith("/e*/"):
        made = "d" + made # below / there is what comes and goes
    return word() if DIFFERENT.search(made) else made or "''"


def dotted():
    """A pattern that looks for dots, of which that in front of a name is another matter."""
    made = random.choice(("", "", "./", "d/../"))
    made += "".join(random.choice(("*", "*", "?", "?", "1", "a", ".", "\\.", "'.'", "[!b]")) for _ in range(random.randrange(4)))
    made += random.choice(("[.]", "[!a]", "[!-]", "[[:punct:]]", "[-.]", "[.-]", "[+-1]", "['.']", "[\\.]"))
    return made + random.choice(("", "*", "?", "c", "log", "*c"))


class Agent:
    """Two ways to run a command string."""
    def __init__(self, path, folder, home):
        self.connection = http.client.HTTPConnection("virtio-rpc")
        self.connection.sock = socket.socket(socket.AF_UNIX)
        self.connection.sock.connect(path)
        self.common = {"working_dir": folder, "env": {"HOME": home}, "timeout": 60}

    def ask(self, method, path, body=None):
        self.connection.request(method, "/api/v1/" + path, json.dumps(body) if body else None)
        response = self.connection.getresponse()
        return response, response.read()

    def exec(self, command):
        answer = json.loads(self.ask("POST", "shell/exec", dict(self.common, command=command))[1].decode())
        if answer["code"]:
            raise RuntimeError(command + ": " + json.dumps(answer))
        text = answer["data"]["stdout"]
        return base64.b64decode(text) if answer["data"].get("stdout_encoding") == "base64" else text.encode()

    def job(self, command):
        body = self.ask("POST", "jobs", dict(self.common, command=command))[1]
        job = "jobs/" + json.loads(body.decode())["data"]["id"]
        output, state = b"", "running"
        while state == "running":
            response, piece = self.ask("GET", "%s/output?offset=%d&wait_ms=5000" % (job, len(output)))
            output += piece
            state = json.loads(response.getheader("X-Job-Status"))["state"] if not piece else state
        self.ask("DELETE", job)
        return output


def show(words):
    return "%s '%%s\\0' %s" % (PROGRAM, " ".join(words))


def shell(command, folder, home):
    return subprocess.run(["sh", "-c", command], cwd=folder, env={"HOME": home, "LC_ALL": "C"}, stdout=subprocess.PIPE,
                          check=True).stdout


def touch(path):
    if not os.path.lexists(path):
        open(path, "w").close()


def tree(folder):
    for name in FOLDERS:
        os.makedirs(os.path.join(folder, name))
    for name in NAMES:
        touch(os.path.join(folder, name))
    for name in ("d", "d/e", ".d", "[d]"):
        for inside in NAMES[::3]:
            touch(os.path.join(folder, name, inside))
    os.symlink("d", os.path.join(folder, "ld"))
    os.symlink("nowhere", os.path.join(folder, "la"))


def main():
    path, scratch, seed, count = sys.argv[1], os.path.realpath(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    random.seed(seed)
    folder, home = os.path.join(scratch, "tree"), os.path.join(scratch, "ho*me")
    tree(folder)
    tree(home)
    agent = Agent(path, folder, home)
    users = [user.pw_name for user in pwd.getpwall()[:5]]
    expanded, wrong = 0, []
    for number in range(count):
        words = [word() for _ in range(WORDS)] + [dotted(), "~" + random.choice(users)]
        if random.randrange(4) == 0:
            words.append(word() + "\\") # the last one may end so
        run = agent.job if number % 2 else agent.exec
        theirs = shell(show(words), folder, home)
        if run(show(words)) == theirs:
            expanded += theirs.count(b"\0") - len(words)
            continue
        wrong += [one for one in words if run(show([one])) != shell(show([one]), folder, home)]
    for one in wrong[:20]:
        print("seed %d: %s: %.200r, sh: %.200r" % (seed, one, agent.exec(show([one])), shell(show([one]), folder, home)))
    print("patterns became %d words more" % expanded)
    return bool(wrong) or expanded < 5 * count


sys.exit(main())
