#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that are killed in the middle of something, and whoever comes next.

    storm.py RESULT     with the environment of tests/e2e/lib.sh

A round is a victim, which is killed with SIGKILL at a random moment or after a
random byte, and a follower: a normal command, at once.  Everything random about
a round comes from the seed and the round's number, so that it can be repeated:

    STORM_ROUNDS=500  STORM_SEED=1  STORM_ONLY=  (that round, again and again)

Lines for a person go to stdout, each with a # in front; RESULT gets one line
"NAME VALUE" for each thing that storm.sh judges.
"""
import base64
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time

from victims import (DOMAIN, GUEST, MIB, RAN, SIZES, SLEEP, SOCKET, VSRPC, WORK, Curl, Ours, Program, Writer,
                     answers_as_content, guest_file, json_upload, local_file, noting, operations, ours,
                     requests_as_content)

ROUNDS = int(os.environ.get("STORM_ROUNDS") or 500)
SEED = int(os.environ.get("STORM_SEED") or 1)
ONLY = os.environ.get("STORM_ONLY")

# No follower may take longer than two seconds, on a machine with nothing else to do.
LATE_S = 2.0 * max(1, os.getloadavg()[0] / os.cpu_count())
GIVE_UP_S = 120               # a follower that takes so long is ended
CURL_SHARE = 0.3              # of the rounds have a client that is not ours


def say(words):
    for line in words.split("\n"):
        print("# " + line, flush=True)


def second(script):
    """What a script in the guest prints, run by the agent of the other port."""
    return subprocess.run([VSRPC, "--channel", "test.vserial.0", DOMAIN, "exec", "--", "sh", "-c", script],
                          check=True, stdout=subprocess.PIPE, timeout=60).stdout.decode()


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


def jobs():
    answer = subprocess.run(ours("call", "GET", "jobs"), capture_output=True, check=True)
    return json.loads(answer.stdout)["data"]["jobs"]


def settled(before):
    """The agent when it has ended and forgotten what victims have left, which takes
    it up to SESSION_GRACE_MS, 5 s, the 5 s between TERM and KILL, and 5 s more.  Each
    look is a client of its own, for which what is away has its grace anew."""
    deadline = time.monotonic() + 40
    while jobs() and time.monotonic() < deadline:
        time.sleep(7)  # the step of a poll: longer than the grace
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


def fill_memory():
    """All that an agent remembers of requests, up to its limits: 4 MiB of answers,
    and 1024 requests, which can be about nothing."""
    client = http.client.HTTPConnection("virtio-rpc")
    client.sock = socket.socket(socket.AF_UNIX)
    client.sock.connect(SOCKET)
    for i in range(1024):
        client.request("POST", "/api/v1/jobs/0/signal", body="{}",
                       headers={"X-Request-ID": "fill-%d-%d" % (os.getpid(), i)})
        client.getresponse().read()
    client.close()
    command = json.dumps({"argv": ["sh", "-c", "head -c 900000 /dev/zero | tr '\\0' x"]})
    for _ in range(6):
        subprocess.run(ours("call", "POST", "shell/exec", command), check=True, stdout=subprocess.DEVNULL)


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
    fill_memory()
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
    say("this machine's load: %.1f %.1f" % os.getloadavg()[:2])  # a late one may be its doing
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
