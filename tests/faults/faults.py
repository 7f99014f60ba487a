#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real agent when calls fail under it.

    faults.py AGENT FOLDER

AGENT is linked with wrap.c, which looks into a mapped file for what is to
fail.  For each kind of failure, call 1 fails in the first round, call 2 in the
next, until a round comes to its end before its call: in each round every
answer has to be right or a clear error, and afterwards, with no faults, the
same agent has to do everything right and to have kept nothing.  Other kinds
(short reads, EINTR) happen at each n-th call, and nothing may be wrong at all.
"""
import base64
import json
import mmap
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

KINDS = ("OFF MEMORY FORK OPEN DISK READ_ONE READ_INTR READ_AGAIN WRITE_ONE "
         "WRITE_INTR WRITE_AGAIN POLL_INTR POLL_IDLE").split()
KIND = {name: i for i, name in enumerate(KINDS)}
ANSWER_S = 3      # an answer that takes longer is none
PATIENCE_S = 20   # for what must happen at some time
BUDGET_S = 60     # of one kind, several times what it takes; after it the steps get larger
BIG = bytes(range(256)) * 300   # takes several reads and writes
SMALL = b"a small file\n"


class Silent(Exception):
    """No answer."""


class Wrong(Exception):
    """An answer that is neither right nor an error."""


class Faults:
    """The numbers that agent and test share."""

    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(bytes(40))
        self.path = path
        self.file = open(path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), 40)

    def arm(self, kind, number, every=0):
        self.map[0:8] = struct.pack("q", KIND["OFF"])
        self.map[8:40] = struct.pack("4q", number, every, 0, 0)
        self.map[0:8] = struct.pack("q", KIND[kind])

    def disarm(self):
        """Return: how often it has failed."""
        self.map[0:8] = struct.pack("q", KIND["OFF"])
        return struct.unpack("q", self.map[32:40])[0]


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(ANSWER_S)
        self.socket.connect(path)
        self.left = b""
        self.fields = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def more(self):
        try:
            piece = self.socket.recv(1 << 20)
        except socket.timeout:
            raise Silent("no answer") from None
        if not piece:
            raise Silent("the connection was lost")
        self.left += piece

    def head(self):
        """Return: status, length; the fields are in self.fields."""
        while b"\r\n\r\n" not in self.left:
            self.more()
        head, self.left = self.left.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        self.fields = dict((name.lower(), value) for name, value in (line.split(": ", 1) for line in lines[1:]))
        return int(lines[0].split(" ")[1]), int(self.fields.get("content-length", -1))

    def call(self, method, target, body=None, kind="application/json"):
        """Return: HTTP status, body."""
        lines = ["%s /api/v1/%s HTTP/1.1" % (method, target), "Host: virtio-rpc", "X-Request-ID: t%d" % time.monotonic_ns()]
        if body is not None:
            lines += ["Content-Type: " + kind, "Content-Length: %d" % len(body)]
        message = "\r\n".join(lines + ["", ""]).encode() + (body or b"")
        try:
            self.socket.sendall(message)
        except (BrokenPipeError, ConnectionResetError):
            raise Silent("the connection was lost") from None
        except socket.timeout:
            raise Silent("the request was not taken") from None
        status, length = self.head()
        while status < 200:
            status, length = self.head()
        if length < 0:
            raise Wrong("an answer without a length")
        while len(self.left) < length:
            self.more()
        answer, self.left = self.left[:length], self.left[length:]
        return status, answer

    def ask(self, method, target, params=None, body=None):
        """Return: data, or None for an error of the agent."""
        if params is not None:
            body = json.dumps(params).encode()
        kind = "application/json" if params is not None else "application/octet-stream"
        status, answer = self.call(method, target, body, kind)
        envelope = json.loads(answer)
        if envelope["code"] == 0 and status < 300:
            return envelope["data"]
        if envelope["code"] <= 0 or not envelope["message"]:
            raise Wrong("an error that is none: %r" % answer)
        return None


# --- what is asked: each gives True when it was right, False for a clear error

def expect(what, right):
    if not right:
        raise Wrong(what)
    return True


def sync(client, _):
    data = client.ask("GET", "sync?id=test")
    return data is not None and expect(data, data["id"] == "test")


def ping(client, _):
    data = client.ask("GET", "ping")
    return data is not None and expect(data, data["uptime"] > 0)


def execute(client, _):
    data = client.ask("POST", "shell/exec", {"argv": ["sh", "-c", "echo out; echo err >&2; exit 3"]})
    if data is None:
        return False
    if data.get("truncated"):
        return False
    return expect(data, (data["exit_code"], data["stdout"], data["stderr"]) == (3, "out\n", "err\n"))


def execute_big(client, files):
    data = client.ask("POST", "shell/exec", {"argv": ["od", "-An", "-v", "-tx1", files + "/big"]})
    if data is None or data.get("truncated"):
        return False
    return expect("od", data["exit_code"] == 0
                  and bytes.fromhex(data["stdout"].replace("\n", " ")) == BIG)


class Job:
    """One that is deleted however it went."""

    def __init__(self, client, params):
        self.client = client
        data = client.ask("POST", "jobs", params)
        self.id = data and data["id"]
        self.said = {1: b"", 2: b""}
        self.at = 0
        self.status = data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(2): # the first may be the call that fails
            if self.id:
                self.client.call("DELETE", "jobs/" + self.id)

    def turn(self, what, body=None):
        """Return: whether it was one, and no error."""
        target = "jobs/%s/%s" % (self.id, what.replace("@", str(self.at)))
        status, answer = self.client.call("POST" if body is not None else "GET", target, body)
        if status != 200:
            expect(answer, json.loads(answer)["code"] > 0)
            return False
        self.status = json.loads(self.client.fields["x-job-status"])
        expect("offset", int(self.client.fields["x-output-offset"]) == self.at)
        for piece in filter(None, self.client.fields.get("x-output-segments", "").split(",")):
            stream, n = map(int, piece.split(":"))
            self.said[stream] += answer[:n]
            answer = answer[n:]
            self.at += n
        return expect("segments", not answer)

    def finish(self):
        """Return: whether all of it could be read."""
        while self.status["state"] != "ended" or self.at < self.status["output"]:
            if not self.turn("output?offset=@&wait_ms=2000"):
                return False
        return True


def job(client, _):
    with Job(client, {"argv": ["sh", "-c", "cat; echo err >&2; exit 3"], "stdin": True}) as it:
        if not it.id or not it.turn("stdin?offset=0&eof=1&output=@&wait_ms=2000", SMALL) or not it.finish():
            return False
        return expect(it.status, (it.status["exit_code"], it.said) == (3, {1: SMALL, 2: b"err\n"}))


def job_elsewhere(client, _):
    """Forked, and as a user of its own."""
    with Job(client, {"argv": ["pwd"], "working_dir": "/proc", "user": str(os.getuid()), "group": str(os.getgid()),
                      "wait_ms": 2000}) as it:
        return bool(it.id) and it.finish() and expect(it.said, it.said[1] == b"/proc\n")


def job_on_a_terminal(client, _):
    with Job(client, {"argv": ["stty", "size"], "tty": {"rows": 7, "columns": 9}, "wait_ms": 2000}) as it:
        return bool(it.id) and it.finish() and expect(it.said, it.said[1] == b"7 9\r\n")


def job_big(client, files):
    with Job(client, {"argv": ["cat", files + "/big"]}) as it:
        return bool(it.id) and it.finish() and expect("cat", it.said[1] == BIG)


def not_found(client, _):
    status, answer = client.call("POST", "shell/exec", json.dumps({"argv": ["no-such-program"]}).encode())
    return expect(answer, json.loads(answer)["code"] > 0 and status >= 200) and True


def stored(client_says, path, content):
    """An upload is whole or not at all."""
    there = os.path.exists(path)
    if there:
        with open(path, "rb") as file:
            expect("half a file", file.read() == content)
        os.remove(path)
    expect("a file that is not there", there or client_says is None)
    return client_says is not None


def upload(client, files):
    path = files + "/up"
    data = client.ask("POST", "file/upload", {"path": path, "content": base64.b64encode(SMALL).decode()})
    return stored(data, path, SMALL)


def put(client, files):
    path = files + "/put"
    data = client.ask("PUT", "file/content?path=" + path, body=BIG)
    return stored(data, path, BIG)


def download(client, files):
    data = client.ask("POST", "file/download", {"path": files + "/small"})
    return data is not None and expect(data, base64.b64decode(data["content"]) == SMALL)


def get(client, files):
    _, answer = client.call("GET", "file/content?path=" + files + "/big")
    if answer.startswith(b"{"):
        expect(answer, json.loads(answer)["code"] > 0)
        return False
    return expect("the file's content", answer == BIG)


def info(client, files):
    data = client.ask("GET", "file/info?path=" + files + "/small")
    return data is not None and expect(data, data["size"] == len(SMALL))


def tree(client, files):
    """Each step does what it says or nothing, but for a removal."""
    top = files + "/tree"
    target = "file/%s?path=" + top
    steps = (("directory", "/a/b&parents=true&mode=700&owner=%d" % os.getuid(), lambda: os.path.isdir(top + "/a/b")),
             ("symlink", "/link&target=a", lambda: os.readlink(top + "/link") == "a"),
             ("symlink", "/link&target=b&overwrite=true", lambda: os.readlink(top + "/link") == "b"),
             ("attributes", "/a&mode=711&mtime=5&owner=%d" % os.getuid(), lambda: os.stat(top + "/a").st_mtime == 5),
             ("sync", "", lambda: True),
             ("remove", "/link", lambda: not os.path.lexists(top + "/link")))
    try:
        for what, rest, done in steps:
            if client.ask("POST", target % what + rest) is None:
                return False
            expect(what, done())
        data = client.ask("GET", target % "list")
        if data is None:
            return False
        expect(data, [(entry["name"], entry["mode"]) for entry in data["entries"]] == [("a", "0711")])
        data = client.ask("POST", target % "remove" + "&recursive=true")
        return data is not None and expect(data, data["removed"] == 3 and not os.path.exists(top))
    finally:
        expect("nothing temporary", not os.path.exists(top) or not [name for name in os.listdir(top) if name[0] == "."])
        shutil.rmtree(top, ignore_errors=True)
        expect("only the tree", sorted(os.listdir(files)) == ["big", "small"])


def capabilities(client, _):
    data = client.ask("GET", "capabilities")
    return data is not None


SCENARIO = (sync, ping, execute, not_found, job, job_elsewhere, job_on_a_terminal,
            upload, put, download, get, info, tree, capabilities)
STREAMS = SCENARIO + (execute_big, job_big)


class Agent:
    def __init__(self, program, work, faults):
        self.faults, self.program = faults, program
        self.files = work + "/files"
        self.path = work + "/agent.sock"
        self.config = work + "/agent.yaml"
        self.stderr = work + "/stderr"
        os.makedirs(self.files, exist_ok=True)
        for name, content in (("big", BIG), ("small", SMALL)):
            with open(os.path.join(self.files, name), "wb") as file:
                file.write(content)
        with open(self.config, "w") as file:
            file.write("security:\n  allowed_commands: ['*']\n  allowed_paths: [/]\n  forbidden_paths: [/nowhere]\n"
                       "rate_limit: {requests_per_second: 0, requests_per_minute: 0, max_concurrent: 0}\n"
                       "logging: {file: none}\n")
        self.process = None

    def spawn(self):
        with open(self.stderr, "wb") as stderr:
            self.process = subprocess.Popen(
                [self.program, "--config", self.config, "--listen", self.path], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=stderr, env=dict(os.environ, FAULTS=self.faults.path))

    def said(self):
        with open(self.stderr, "r", errors="replace") as stderr:
            return stderr.read()

    def up(self):
        """Return: whether it answers; False: it has ended, perhaps after somebody could connect."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return False
            try:
                with Client(self.path) as client:
                    client.call("GET", "ping")
                return True
            except (OSError, Silent):
                time.sleep(0.002)
        raise Wrong("it neither listens nor ends")

    def start(self):
        self.spawn()
        expect("the agent started: " + self.said(), self.up())

    def end(self):
        """Ends it; with sanitizers this is where a leak shows."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Wrong("the agent does not end at SIGTERM") from None
        expect("the agent ended with %s: %s" % (status, self.said()[-3000:]), status == 0)

    def round(self, scenario):
        """Return: what has failed, as words."""
        failed = []
        client = None
        for step in scenario:
            try:
                client = client or Client(self.path)
                if not step(client, self.files):
                    failed.append(step.__name__)
            except Silent as why:
                # Never for long, and never more than this one answer.
                client.socket.close()
                client = None
                raise Wrong("%s: %s" % (step.__name__, why)) from None
            except (Wrong, ValueError, KeyError) as why:
                raise Wrong("%s: %r" % (step.__name__, why)) from None
            finally:
                if self.process.poll() is not None:
                    raise Wrong("%s: the agent has ended: %s" % (step.__name__, self.said()[-3000:]))
        if client:
            client.socket.close()
        return failed

    def children(self):
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as file:
            return file.read().split()

    def kept(self):
        """While a client of ours is connected: any other has been seen off."""
        with Client(self.path) as client:
            expect("a ping", ping(client, None))
            return self.kept_now()

    def kept_now(self):
        fds = len(os.listdir("/proc/%d/fd" % self.process.pid))
        return fds, sorted(os.listdir(self.files)), self.children()

    def settled(self, before):
        """As before, at once or soon: what a client left is being ended."""
        end = time.monotonic() + PATIENCE_S
        while self.kept() != before:
            if time.monotonic() > end:
                raise Wrong("it has kept something: %s, before: %s" % (self.kept(), before))
            time.sleep(0.005)


class Tap:
    def __init__(self):
        self.n = self.bad = 0

    def result(self, good, words, why=()):
        self.n += 1
        self.bad += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.n, words))
        for line in why:
            print("#   " + str(line).replace("\n", "\n#   "))
        sys.stdout.flush()


class Steps:
    """1, 2, 3, … and with larger steps when the time is over."""

    def __init__(self):
        self.end = time.monotonic() + BUDGET_S
        self.number, self.stride, self.rounds = 0, 1, 0

    def next(self):
        if time.monotonic() > self.end:
            self.stride *= 2
            self.end = time.monotonic() + BUDGET_S / 4
        self.number += self.stride
        self.rounds += 1
        return self.number


def healthy(agent, before):
    failed = agent.round((sync, ping, execute))
    expect("afterwards not right: %s" % failed, not failed)
    agent.settled(before)


def each_call(tap, agent, kind):
    """The n-th call fails, for every n."""
    faults, steps, errors, why = agent.faults, Steps(), 0, []
    agent.start()
    agent.round(SCENARIO) # what is made once is made
    before = agent.kept()
    fired = True
    while fired and len(why) < 5:
        number = steps.next()
        try:
            faults.arm(kind, number)
            try:
                errors += bool(agent.round(SCENARIO))
            finally:
                fired = faults.disarm()
            healthy(agent, before)
        except (Wrong, OSError) as wrong:
            faults.disarm()
            fired = True
            why.append("call %d: %s" % (number, wrong))
            if agent.process.poll() is not None:
                agent.start()
            before = agent.kept()
    try:
        agent.end()
    except Wrong as wrong:
        why.append(wrong)
    tap.result(not why, "%s: no call of %d hurts (%d rounds, %d with an error)" % (
        kind.lower(), steps.number - 1, steps.rounds, errors), why)
    tap.result(errors > 0 or why, "%s: … and some were seen to fail" % kind.lower())


def every_call(tap, agent, kind):
    """Each n-th call is cut short or has to be made again: all stays right."""
    why, fired = [], 0
    for number in (1, 2, 3, 7):
        if number == 1 and not kind.endswith("_ONE"):
            continue # for ever is no interruption
        agent.start()
        before = agent.kept()
        try:
            agent.faults.arm(kind, number, 1)
            try:
                # One by one a pipe is not empty within the time it gets.
                failed = agent.round(SCENARIO if number == 1 else STREAMS)
            finally:
                fired += agent.faults.disarm()
            expect("not right: %s" % failed, not failed)
            healthy(agent, before)
            agent.end()
        except (Wrong, OSError) as wrong:
            why.append("each %d: %s" % (number, wrong))
            agent.process.kill()
            agent.process.wait()
    tap.result(not why and fired > 0, "%s: all is right (%d times)" % (kind.lower(), fired), why)


def each_start(tap, agent, kind):
    """A start that fails ends with a message; others make a good agent."""
    faults, steps, ended, why = agent.faults, Steps(), 0, []
    fired = True
    while fired and len(why) < 5:
        number = steps.next()
        try:
            faults.arm(kind, number)
            agent.spawn()
            up = agent.up()
            fired = faults.disarm()
            if up:
                healthy(agent, agent.kept())
                agent.end()
            else:
                ended += 1
                status = agent.process.wait()
                expect("exit status %d: %s" % (status, agent.said()), status == 1)
                expect("no message: " + agent.said(), agent.said().startswith("vsrpc-agent: "))
                expect("a socket was left", not os.path.exists(agent.path))
        except (Wrong, OSError) as wrong:
            faults.disarm()
            fired = True
            why.append("call %d: %s" % (number, wrong))
            agent.process.kill()
            agent.process.wait()
            if os.path.exists(agent.path):
                os.remove(agent.path)
    tap.result(not why, "start, %s: a message or a good agent (%d rounds, %d messages)" % (
        kind.lower(), steps.rounds, ended), why)


def main():
    program, work = sys.argv[1:]
    faults = Faults(work + "/faults")
    agent = Agent(os.path.abspath(program), work, faults)
    tap = Tap()
    only = os.environ.get("FAULTS_ONLY", "").split()
    plan = [(each_call, kind) for kind in ("MEMORY", "FORK", "OPEN", "DISK")]
    plan += [(every_call, kind) for kind in KINDS[KIND["READ_ONE"]:]]
    plan += [(each_start, kind) for kind in ("MEMORY", "OPEN")]
    for run, kind in plan:
        if not only or kind in only:
            run(tap, agent, kind)
    print("1..%d" % tap.n)
    return tap.bad > 0


sys.exit(main())
