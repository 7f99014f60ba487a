#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that are killed in the middle of something, and whoever comes next.

    storm.py RESULT     with the environment of tests/e2e/lib.sh

A round is a victim, which is killed with SIGKILL at a random moment or after a
random byte, and a follower: a normal command, at once.  Everything random about
a round comes from the seed and the round's number, so that it can be repeated:

    STORM_ROUNDS=500  STORM_SEED=random  STORM_ONLY=  (that round, again and again)

Lines for a person go to stdout, each with a # in front; RESULT gets one line
"NAME VALUE" for each thing that storm.sh judges.
"""
import base64
import json
import os
import random
import select
import signal
import socket
import statistics
import subprocess
import sys
import time

VSRPC, SOCKET, DOMAIN, WORK = (os.environ[k] for k in ("VSRPC", "SOCKET", "DOMAIN", "WORK"))
ROUNDS = int(os.environ.get("STORM_ROUNDS") or 500)
SEED = int(os.environ.get("STORM_SEED") or random.SystemRandom().randrange(10 ** 6))
ONLY = os.environ.get("STORM_ONLY")

MIB = 1024 * 1024
GUEST = "/tmp/storm"          # everything of ours in the guest
RAN = GUEST + "/ran"          # a line for each command that was carried out
SIZES = (1, 2, 3, 5, 8)       # MiB of the files
LATE_S = 2.0                  # no follower may take longer
GIVE_UP_S = 20                # a follower that takes so long is ended
CURL_SHARE = 0.3              # of the rounds have a client that is not ours


def say(words):
    for line in words.split("\n"):
        print("# " + line, flush=True)


def ours(*words, how=("--socket", SOCKET)):
    return [VSRPC, *how, *words]


def second(script):
    """What a script in the guest prints, run by the agent of the other port."""
    return subprocess.run([VSRPC, "--channel", "test.vserial.0", DOMAIN, "exec", "--", "sh", "-c", script],
                          check=True, stdout=subprocess.PIPE, timeout=60).stdout.decode()


# --- files that look like traffic ------------------------------------------------

def padded(head, body, size=256):
    """A message of exactly so many bytes, so that many fill 4 KiB evenly."""
    text = "%s\r\nContent-Length: %d\r\nX-Pad: %%s\r\n\r\n%s" % (head, len(body), body)
    return (text % ("x" * (size - len(text) + 2))).encode()


def requests_as_content(size):
    body = json.dumps({"argv": ["sh", "-c", "echo evil >>" + RAN]})
    return padded("POST /api/v1/shell/exec HTTP/1.1\r\nHost: virtio-rpc", body) * (size // 256)


def answers_as_content(size):
    body = json.dumps({"version": "1.0", "code": 0, "message": "foreign", "data": {"exit_code": 0}})
    return padded("HTTP/1.1 200 OK\r\nContent-Type: application/json", body) * (size // 256)


def local_file(size):
    return "%s/file-%d" % (WORK, size)


def guest_file(size):
    """Its name tells what must be in it."""
    return "%s/file-%d" % (GUEST, size)


# --- what a victim is doing --------------------------------------------------------

def noting(token, then):
    """A command that leaves a line in the guest, once each time it is run."""
    return ["sh", "-c", "echo %s >>%s; %s" % (token, RAN, then)]


OUTPUT = "exec head -c %d /dev/zero"
SLEEP = "exec sleep 1000"


class Ours:
    """Commands of vsrpc-virsh; rng picks, token marks what is carried out."""
    name = "ours"

    def upload(rng, token):
        size = rng.choice(SIZES)
        return ours("upload", local_file(size), guest_file(size))

    def download(rng, token):
        return ours("download", GUEST + "/answers", WORK + "/downloaded")

    def exec_output(rng, token):
        return ours("exec", "--", *noting(token, OUTPUT % rng.randrange(100000, 3000000)))

    def exec_short(rng, token):
        return ours("exec", "--", *noting(token, "true"))

    def exec_sleep(rng, token):
        return ours("exec", "--", *noting(token, SLEEP))

    def status(rng, token):
        return ours("status")

    def ping(rng, token):
        return ours("ping")

    def ping_by_name(rng, token):
        return ours("ping", how=(DOMAIN,))

    def stat(rng, token):
        return ours("stat", rng.choice((GUEST + "/answers", "/etc/passwd", "/nothing")))

    def service(rng, token):
        return ours("service", "vsrpc-demo", "status")

    def capabilities(rng, token):
        return ours("capabilities")


def json_upload(size):
    return "%s/json-%d" % (WORK, size)


class Curl:
    """The same with plain curl, which knows no handshake."""
    name = "curl"

    def curl(target, *words):
        return ["curl", "-s", "--max-time", "20", "--unix-socket", SOCKET, *words, "http://virtio-rpc/api/v1" + target]

    def put(rng, token):
        size = rng.choice(SIZES)
        return Curl.curl("/file/content?path=" + guest_file(size), "-T", local_file(size), "-o", "/dev/null")

    def post_json(rng, token):
        return Curl.curl("/file/upload", "-H", "Expect:", "--data-binary", "@" + json_upload(rng.choice(SIZES[:4])))

    def get(rng, token):
        return Curl.curl("/file/content?path=" + GUEST + "/answers", "-o", "/dev/null")

    def execute(rng, token):
        then = rng.choice((SLEEP, OUTPUT % 500000, "true"))
        return Curl.curl("/shell/exec", "--data", json.dumps({"argv": noting(token, then)}))


class Bytes:
    """Requests for a victim that writes an exact number of bytes of them."""

    def request(method, target, body=b"", fields=()):
        head = ["%s /api/v1%s HTTP/1.1" % (method, target), "Host: virtio-rpc", *fields]
        if body and "Transfer-Encoding: chunked" not in fields:
            head.append("Content-Length: %d" % len(body))
        return "\r\n".join(head + ["", ""]).encode() + body

    def ping(rng, token):
        return Bytes.request("GET", "/ping")

    def sync(rng, token):
        return b"\xff" + Bytes.request("GET", "/sync?id=" + token)

    def info(rng, token):
        return Bytes.request("GET", "/file/info?path=/etc/passwd")

    def status(rng, token):
        return Bytes.request("GET", "/system/status")

    def get(rng, token):
        return Bytes.request("GET", "/file/content?path=" + GUEST + "/answers")

    def execute(rng, token):
        then = rng.choice((SLEEP, OUTPUT % 500000, "true"))
        return Bytes.request("POST", "/shell/exec", json.dumps({"argv": noting(token, then)}).encode(),
                             ["X-Request-ID: " + token])

    def service(rng, token):
        return Bytes.request("POST", "/service/control", b'{"name": "vsrpc-demo", "action": "status"}')

    def download(rng, token):
        return Bytes.request("POST", "/file/download", json.dumps({"path": GUEST + "/answers"}).encode())

    def upload(rng, token):
        with open(json_upload(rng.choice(SIZES[:4])), "rb") as content:
            return Bytes.request("POST", "/file/upload", content.read())

    def put(rng, token):
        size = rng.choice(SIZES)
        return Bytes.request("PUT", "/file/content?path=" + guest_file(size), requests_as_content(size * MIB))

    def put_chunked(rng, token):
        size = rng.choice(SIZES)
        chunk = b"%x\r\n%s\r\n" % (65536, requests_as_content(65536))
        return Bytes.request("PUT", "/file/content?path=" + guest_file(size), chunk * (size * 16) + b"0\r\n\r\n",
                             ["Transfer-Encoding: chunked"])


def operations(kind, weights={}):
    names = [name for name, value in vars(kind).items()
             if callable(value) and name not in ("curl", "request") and not name.startswith("_")]
    return [name for name in names for _ in range(weights.get(name, 1))]


# --- victims -----------------------------------------------------------------------

class Program:
    """A program that is killed after a while."""

    def __init__(self, rng, token, kind, typical):
        self.operation = rng.choice(operations(kind))
        self.delay = rng.uniform(0, typical[kind.name, self.operation])
        self.words = getattr(kind, self.operation)(rng, token)

    def __str__(self):
        return "%s\n  killed after %.1f ms" % (" ".join(self.words), 1000 * self.delay)

    def start(self):
        self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.delay)  # the random moment

    def kill(self):
        self.busy = self.process.poll() is None
        self.process.kill()

    def reap(self):
        self.process.wait()


class Writer:
    """A process that writes so many bytes of a request, perhaps reads some of
    the answer, and is killed there or closes."""

    def __init__(self, rng, token, sync):
        self.operation = rng.choice(operations(Bytes))
        self.bytes = getattr(Bytes, self.operation)(rng, token)
        self.sync, self.token = sync, token
        self.closes = rng.random() < 0.3
        where = rng.random()
        self.count, self.reads = len(self.bytes), 0
        if where < 0.3:
            self.count = rng.randrange(1, min(400, len(self.bytes)))
        elif where < 0.7:
            self.count = rng.randrange(1, len(self.bytes))
        elif where < 0.9:
            self.reads = rng.choice((1, 10, 1000, 100000, 2000000))

    def __str__(self):
        return "%s%d bytes of %s (%d)%s, then %s" % (
            "sync, " if self.sync else "", self.count, self.operation, len(self.bytes),
            ", at most %d of the answer are read" % self.reads if self.reads else "",
            "closed" if self.closes else "killed")

    def start(self):
        here, ready = os.pipe()
        go, self.go = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.go)
                self.be(ready, go)
            finally:
                os._exit(0)
        os.close(ready)
        os.close(go)
        # At its byte; or stuck on the way, which is a random byte, too.
        select.select([here], [], [], 3)
        os.close(here)

    def be(self, ready, go):
        client = socket.socket(socket.AF_UNIX)
        client.connect(SOCKET)
        client.settimeout(1)
        if self.sync:
            client.sendall(b"\xff" + Bytes.request("GET", "/sync?id=v" + self.token))
            client.recv(4096)
        client.settimeout(None)
        client.sendall(self.bytes[:self.count])
        self.read(client)
        os.write(ready, b".")
        os.read(go, 1)
        client.close()

    def read(self, client):
        client.settimeout(0.2)  # an answer that never comes is not waited for
        try:
            while self.reads > 0:
                piece = client.recv(min(self.reads, 65536))
                self.reads = self.reads - len(piece) if piece else 0
        except socket.timeout:
            pass

    def kill(self):
        self.busy = True
        if not self.closes:
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.go)

    def reap(self):
        os.waitpid(self.pid, 0)


# --- a round -------------------------------------------------------------------------

class Round:
    def __init__(self, number, plan, typical):
        self.number = number
        self.rng = rng = random.Random("%d/%d" % (SEED, number))
        self.token = "%d.%d.%d" % (SEED, number, time.monotonic_ns())
        victim = "victim-" + self.token
        if plan == "curl":
            self.victim = rng.choice((lambda: Program(rng, victim, Curl, typical),) * 3 +
                                     (lambda: Writer(rng, victim, False),))()
        else:
            self.victim = rng.choice((lambda: Program(rng, victim, Ours, typical),) * 2 +
                                     (lambda: Writer(rng, victim, True),))()
        # A follower that waits in the socket's queue while the victim dies comes
        # sooner than one that is started then.
        self.queued = rng.random() < 0.4
        self.ahead = rng.uniform(0, 0.02)
        self.how = (DOMAIN,) if rng.random() < 0.3 else ("--socket", SOCKET)

    def __str__(self):
        return "round %d, victim: %s\n  follower with %s, %s\n  again: STORM_SEED=%d STORM_ONLY=%d" % (
            self.number, self.victim, self.how[0],
            "started %.1f ms before" % (1000 * self.ahead) if self.queued else "started at once",
            SEED, self.number)

    def follow(self):
        words = ours("exec", "--", *noting(self.token, "echo " + self.token), how=self.how)
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self):
        self.victim.start()
        if self.queued:
            follower = self.follow()
            time.sleep(self.ahead)
        start = time.monotonic()
        self.victim.kill()
        if not self.queued:
            follower = self.follow()
        self.victim.reap()
        try:
            out, err = follower.communicate(timeout=GIVE_UP_S)
        except subprocess.TimeoutExpired:
            follower.kill()
            out, err = follower.communicate()
        self.seconds = time.monotonic() - start
        self.right = out == self.token.encode() + b"\n" and err == b"" and follower.returncode == 0
        self.foreign = out not in (b"", self.token.encode() + b"\n")
        self.report = "exit status %d after %.3f s\n  stdout: %r\n  stderr: %r" % (
            follower.returncode, self.seconds, out[:300], err[:300])


# --- the agent, seen from the other port ------------------------------------------

LOOK = """
for p in $(pidof vsrpc-agent); do
    tr '\\0' ' ' </proc/$p/cmdline | grep -q %s || continue
    [ "$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$p/status)" = 1 ] || continue
    echo pid $p
    sed -n 's/^RssAnon:[[:space:]]*\\([0-9]*\\) kB/rss \\1/p' /proc/$p/status
    echo fds $(ls /proc/$p/fd | wc -l)
    echo unnamed $(ls -l /proc/$p/fd | grep -c deleted)
done
echo files $(ls -a %s | grep -vcE '^(\\.|\\.\\.|ran|answers|file-[0-9]*)$')
echo zombies $(grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l)
echo processes $(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -cE '^(sleep|head)$')
"""


def look():
    pairs = (line.split() for line in second(LOOK % (os.environ["PORT"], GUEST)).splitlines())
    return {key: int(value) for key, value in pairs}


def settled(before):
    """The agent when it has ended what victims have left, which takes it up to
    SESSION_GRACE_MS, 5 s, and the 5 s between TERM and KILL."""
    deadline = time.monotonic() + 12
    while True:
        now = look()
        same = all(now[key] == before[key] for key in before if key != "rss")
        if same or time.monotonic() > deadline:
            return now
        time.sleep(0.1)  # the step of a poll


def duration(words):
    start = time.monotonic()
    subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)
    return time.monotonic() - start


def prepare():
    """Files on both sides; every operation, for the time it takes; and the agent
    has then touched all the memory that it needs."""
    for size in SIZES:
        with open(local_file(size), "wb") as content:
            content.write(requests_as_content(size * MIB))
        with open(json_upload(size), "w") as content:
            json.dump({"path": guest_file(size),
                       "content": base64.b64encode(requests_as_content(size * MIB)).decode()}, content)
    with open(WORK + "/answers", "wb") as content:
        content.write(answers_as_content(4 * MIB))
    second("rm -rf %s; mkdir %s" % (GUEST, GUEST))
    subprocess.run(ours("-q", "upload", WORK + "/answers", GUEST + "/answers"), check=True)
    # the answers that an agent remembers, up to their limit
    for _ in range(6):
        subprocess.run(ours("exec", "--", "sh", "-c", "head -c 900000 /dev/zero | tr '\\0' x"),
                       check=True, stdout=subprocess.DEVNULL)
    typical = {}
    rng = random.Random(0)
    for kind in Ours, Curl:
        for name in operations(kind):
            words = getattr(kind, name)(rng, "warm-up")
            if name == "exec_sleep" or any(SLEEP in word for word in words):
                typical[kind.name, name] = 0.06
                continue
            # hardly any is to be killed behind its end
            typical[kind.name, name] = 0.95 * min(duration(words) for _ in range(3))
    return typical


def plans():
    count = round(ROUNDS * CURL_SHARE)
    plan = ["curl"] * count + ["ours"] * (ROUNDS - count)
    random.Random(SEED).shuffle(plan)
    if ONLY:
        return [(int(ONLY), plan[int(ONLY)])] * ROUNDS
    return list(enumerate(plan))


def storm(typical):
    done = []
    for number, plan in plans():
        one = Round(number, plan, typical)
        one.run()
        done.append(one)
        if not one.right or one.seconds > LATE_S:
            say("%s\n  %s" % (one, one.report))
    return done


def ran_lines():
    lines = second("cat " + RAN).split()
    return [line for line in lines if line != "warm-up"]


def torn_files():
    """Uploads that have appeared with something else than their content."""
    script = "cd %s; for f in file-*; do cmp -s $f /dev/null || md5sum $f; done" % GUEST
    for line in second(script).splitlines():
        md5, name = line.split()
        local = subprocess.run(["md5sum", WORK + "/" + name], stdout=subprocess.PIPE, check=True)
        if local.stdout.split()[0].decode() != md5:
            yield name


def main():
    typical = prepare()
    before = settled({})
    say("seed %d, %d rounds; the agent before: %s" % (SEED, ROUNDS, before))
    start = time.monotonic()
    done = storm(typical)
    took = time.monotonic() - start
    after = settled(before)
    lines = ran_lines()
    times = sorted(one.seconds for one in done)
    say("%.1f s, %.2f rounds/s; followers: median %.0f ms, 90 %% %.0f ms, 99 %% %.0f ms, max %.0f ms" % (
        took, len(done) / took, 1000 * statistics.median(times), 1000 * times[len(times) * 9 // 10],
        1000 * times[len(times) * 99 // 100], 1000 * times[-1]))
    say("%d victims were in the middle of something, %d victims' commands were carried out" % (
        sum(one.victim.busy for one in done), sum(line.startswith("victim-") for line in set(lines))))
    say("the agent after: %s" % after)
    followers = {one.token for one in done}
    result = {
        "rounds": len(done), "seconds": int(took), "max_ms": int(1000 * times[-1]),
        "median_ms": int(1000 * statistics.median(times)),
        "busy_percent": 100 * sum(one.victim.busy for one in done) // len(done),
        "wrong": sum(not one.right for one in done),
        "foreign": sum(one.foreign for one in done),
        "late": sum(one.seconds > LATE_S for one in done),
        "twice": len(lines) - len(set(lines)),
        "lost": len(followers - set(lines)),
        "evil": sum(line == "evil" for line in lines),
        "torn": len(list(torn_files())),
        "same_pid": int(after["pid"] == before["pid"]),
        "rss_more": after["rss"] - before["rss"],
        "fds_more": after["fds"] - before["fds"],
        **{key: after[key] for key in ("unnamed", "files", "zombies", "processes")},
    }
    with open(sys.argv[1], "w") as out:
        for key, value in result.items():
            out.write("%s %s\n" % (key, value))
    second("rm -rf " + GUEST)


main()
