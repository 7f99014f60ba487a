# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The driver of `make bench`: runs the contenders of each group in turn, so that
# what else the machine does hits all of them alike, and prints medians.
#
#   VSRPC       path of vsrpc-virsh      DOMAIN      a guest with the agent
#   URI         libvirt's URI            SOCKET      the agent's channel
#   RAW_PORT    name of a spare port     RAW_SOCKET  its channel
#   BENCH_DIR   where the programs of this folder were built
#   BENCH_RUNS  runs of a process (30); copies and connections get fewer
#   BENCH_WORK  where copies lie on the host (the current folder); a disk that
#               is slower than the channel is what is measured there
#   ACCEL       for the headline
#
# A missed target is a measurement, not a failure.  Exit status: 1 when
# something did not work.
import filecmp
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1024 * 1024
COPY = 256 * MIB      # raw port, vsrpc
BIG = 64 * MIB        # through the pipes of a command
GA_READ = 8 * MIB     # qemu-ga: a second or so each
GA_WRITE = 1 * MIB
TURNS = 20            # round trips per connection and run
LINES = 200           # through one exec and back
FILES = 1000          # in a tree
FILE = 4096           # bytes of each
SINGLE = 50           # of them copied by a call each
CONNECTS = 50         # for the first request after a connect, of both kinds
FIRST_MS = 2.0        # that one may take so much longer than the steady ones


class Failed(Exception):
    pass


def env(name, default=None):
    value = os.environ.get(name) or default
    if value is None:
        raise Failed(f"${name} is not set: run ./quickstart bench")
    return value


def run(*argv):
    """Runs a program; its output is wanted, so is a zero status."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120)
    if done.returncode != 0:
        raise Failed(f"{' '.join(argv)[:200]}: exit status {done.returncode}: "
                     f"{done.stderr.strip()}")
    return done.stdout


def captured(*argv, stdin="/dev/null"):
    """Output of a program; costs far less than run(), which would count."""
    ours, theirs = os.pipe()
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, theirs, 1)])
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        output = pipe.read()
    status = os.waitpid(pid, 0)[1]
    if status != 0:
        raise Failed(f"{' '.join(argv)[:200]}: wait status {status}")
    return output


def timed(*argv, **options):
    """Seconds from start to end of a process."""
    start = time.perf_counter()
    captured(*argv, **options)
    return time.perf_counter() - start


def printed(*argv):
    """The seconds that one of our programs measured within itself."""
    return [float(line) for line in run(*argv).split()]


def md5(path):
    with open(path, "rb") as file:
        digest = hashlib.md5()
        while piece := file.read(MIB):
            digest.update(piece)
        return digest.hexdigest()


class Bench:
    def __init__(self, work):
        self.work = work
        self.runs = max(1, int(env("BENCH_RUNS", "30")))
        self.vsrpc = env("VSRPC")
        self.domain = env("DOMAIN")
        self.uri = env("URI")
        self.socket = env("SOCKET")
        self.raw_socket = env("RAW_SOCKET")
        self.tools = env("BENCH_DIR")
        self.virsh = shutil.which("virsh")
        if not self.virsh:
            raise Failed("there is no virsh")
        self.samples = {}

    # --- what is run ---------------------------------------------------------

    def tool(self, name):
        return os.path.join(self.tools, name)

    def ours(self, *words):
        return (self.vsrpc, "-c", self.uri, self.domain, *words)

    def channel(self, mode, n):
        socket = self.socket if mode in ("ping", "exec") else self.raw_socket
        return printed(self.tool("channel"), mode, socket, str(n))

    def qemuga(self, mode, *words):
        return printed(self.tool("qemuga"), mode, self.uri, self.domain, *words)

    def agent_command(self, execute, **arguments):
        command = {"execute": execute}
        if arguments:
            command["arguments"] = arguments
        return (self.virsh, "-c", self.uri, "qemu-agent-command", self.domain,
                json.dumps(command))

    def virsh_exec(self):
        """guest-exec, then guest-exec-status until the command has ended."""
        start = time.perf_counter()
        answer = json.loads(captured(*self.agent_command(
            "guest-exec", path="true", **{"capture-output": True})))
        pid = answer["return"]["pid"]
        exited = False
        while not exited:
            answer = json.loads(captured(*self.agent_command(
                "guest-exec-status", pid=pid)))
            exited = answer["return"]["exited"]
        if answer["return"]["exitcode"] != 0:
            raise Failed("guest-exec: true is not")
        return time.perf_counter() - start

    # --- collecting ----------------------------------------------------------

    def add(self, name, seconds):
        self.samples.setdefault(name, []).extend(
            seconds if isinstance(seconds, list) else [seconds])

    def group(self, runs, contenders):
        """Each in turn, beginning with another one every time."""
        names = list(contenders)
        for i in range(max(1, runs)):
            for name in names[i % len(names):] + names[:i % len(names)]:
                self.add(name, contenders[name]())

    def rate(self, name, nbytes):
        self.samples[name] = [nbytes / MIB / s for s in self.samples[name]]

    # --- groups --------------------------------------------------------------

    def start_rawport(self):
        run(*self.ours("upload", "--mode", "0755", self.tool("rawport"),
                       "/tmp/rawport"))
        port = "/dev/virtio-ports/" + env("RAW_PORT")
        # the shell of an older run may have left one
        run(*self.ours("exec", "--", "sh", "-c",
                       "killall rawport 2>/dev/null; setsid /tmp/rawport "
                       f"{port} </dev/null >/dev/null 2>&1 &"))

    def pings(self):
        self.group(self.runs // 3, {
            "raw echo": lambda: self.channel("echo", TURNS),
            "vsrpc turn": lambda: self.channel("ping", TURNS),
            "ga turn": lambda: self.qemuga("ping", str(TURNS)),
        })
        self.group(self.runs, {
            "libvirt": lambda: timed(self.tool("readxml"), self.uri,
                                     self.domain),
            "vsrpc ping": lambda: timed(*self.ours("ping")),
            "ga ping": lambda: timed(*self.agent_command("guest-ping")),
            "socket ping": lambda: timed(self.vsrpc, "--socket", self.socket,
                                         "ping"),
        })

    def firsts(self):
        """The first request on a connection, and those behind it."""
        lines = run(self.tool("first"), self.socket, str(CONNECTS))
        for line in lines.splitlines():
            word, seconds = line.split()
            self.add("after connect, " + word, float(seconds))

    def execs(self):
        self.group(self.runs // 3, {
            "vsrpc exec turn": lambda: self.channel("exec", 5),
            "ga exec turn": lambda: self.qemuga("exec", "5"),
        })
        self.group(self.runs, {
            "vsrpc exec": lambda: timed(*self.ours("exec", "--", "true")),
            "vsrpc ping beside": lambda: timed(*self.ours("ping")),
            "ga exec": self.virsh_exec,
        })

    def lines(self):
        """A line to a program in the guest and back, in one exec."""
        with subprocess.Popen(self.ours("exec", "--", "cat"), bufsize=0,
                              stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            for i in range(LINES + 1):
                start = time.perf_counter()
                process.stdin.write(b"line\n")
                if process.stdout.readline() != b"line\n":
                    raise Failed("exec -- cat: another line")
                if i > 0:  # the first one waits for the start
                    self.add("exec line", time.perf_counter() - start)
            process.stdin.close()

    def beside(self):
        """Other commands while one exec is idle, and while one floods."""
        for name, command in (("idle", ("sleep", "1000")),
                              ("flood", ("cat", "/dev/zero"))):
            with subprocess.Popen(self.ours("exec", "--", *command),
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL) as process:
                run(*self.ours("ping"))
                for _ in range(self.runs):
                    self.add(f"ping beside {name}",
                             timed(*self.ours("ping")))
                process.terminate()

    def pipes(self):
        """Bytes through a command's standard streams."""
        big = self.file("pipe", BIG)
        run(*self.ours("upload", big, "/tmp/bench.pipe"))
        self.group(max(1, self.runs // 6), {
            "raw out, pipes": lambda: self.channel("out", BIG),
            "exec out": lambda: timed(*self.ours("exec", "--", "cat",
                                                 "/tmp/bench.pipe")),
            "raw in, pipes": lambda: self.channel("in", BIG),
            "exec in": lambda: timed(*self.ours("exec", "--", "sh", "-c",
                                                "cat >/dev/null"),
                                     stdin=big),
        })
        run(*self.ours("exec", "--", "rm", "/tmp/bench.pipe"))
        for name in ("raw out, pipes", "exec out", "raw in, pipes",
                     "exec in"):
            self.rate(name, BIG)

    def file(self, name, nbytes):
        path = os.path.join(self.work, name)
        with open(path, "wb") as file:
            file.write(os.urandom(nbytes))
        return path

    def same(self, ours, theirs):
        if not filecmp.cmp(ours, theirs, shallow=False):
            raise Failed(f"{theirs} differs from {ours}")

    def guest_same(self, ours, theirs):
        words = run(*self.ours("exec", "--", "md5sum", theirs)).split()
        if words[0] != md5(ours):
            raise Failed(f"the guest's {theirs} differs from {ours}")

    def download(self, theirs, ours, *options):
        """Seconds that it takes; what came is looked at afterwards."""
        back = os.path.join(self.work, "back")
        took = timed(*self.ours("download", "--no-progress", *options, theirs,
                                back))
        self.same(ours, back)
        os.remove(back)
        return took

    def first_download(self, theirs, ours):
        """… of a file whose digest the agent does not know yet."""
        run(*self.ours("exec", "--", "touch", theirs))
        return self.download(theirs, ours)

    def upload(self, ours, theirs, *options):
        return timed(*self.ours("upload", "--no-progress", *options, ours,
                                theirs))

    def ga_download(self, theirs, ours):
        back = os.path.join(self.work, "back")
        took = self.qemuga("read", theirs, back)
        self.same(ours, back)
        os.remove(back)
        return took

    def copies(self):
        big = self.file("big", COPY)
        read = self.file("read", GA_READ)
        write = self.file("write", GA_WRITE)
        runs = max(1, self.runs // 6)
        plain = ("--checksum", "none")

        # Reading needs the file there; the first upload is not measured.
        run(*self.ours("upload", big, "/tmp/bench.big"))
        run(*self.ours("upload", read, "/tmp/bench.read"))
        self.group(runs, {
            "raw out": lambda: self.channel("out", COPY),
            "vsrpc down": lambda: self.download("/tmp/bench.big", big),
            "first down": lambda: self.first_download("/tmp/bench.big", big),
            "plain down": lambda: self.download("/tmp/bench.big", big, *plain),
            "ga down": lambda: self.ga_download("/tmp/bench.read", read),
        })
        self.group(runs, {
            "raw in": lambda: self.channel("in", COPY),
            "vsrpc up": lambda: self.upload(big, "/tmp/bench.big"),
            "plain up": lambda: self.upload(big, "/tmp/bench.big", *plain),
            "ga up": lambda: self.qemuga("write", write, "/tmp/bench.write"),
        })
        self.guest_same(big, "/tmp/bench.big")
        self.guest_same(write, "/tmp/bench.write")
        for name, nbytes in (("raw out", COPY), ("vsrpc down", COPY),
                             ("first down", COPY), ("plain down", COPY),
                             ("ga down", GA_READ),
                             ("raw in", COPY), ("vsrpc up", COPY),
                             ("plain up", COPY), ("ga up", GA_WRITE)):
            self.rate(name, nbytes)
        self.beside_copy("download", "/tmp/bench.big",
                         os.path.join(self.work, "back"))
        self.beside_copy("upload", big, "/tmp/bench.big")
        run(*self.ours("exec", "--", "rm", "/tmp/bench.big",
                       "/tmp/bench.read", "/tmp/bench.write"))
        os.remove(big)

    def beside_copy(self, *words):
        """Pings while a copy runs; it begins anew until there are enough."""
        left = self.runs
        argv = self.ours(words[0], "--no-progress", *words[1:])
        while left > 0:
            with subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL) as copy:
                while left > 0 and copy.poll() is None:
                    took = timed(*self.ours("ping"))
                    if copy.poll() is None:  # else it was alone at its end
                        self.add("ping beside " + words[0], took)
                        left -= 1
                if left == 0:
                    copy.terminate()
                elif copy.wait() != 0:
                    raise Failed(f"{words[0]}: exit status {copy.returncode}")

    # --- a tree of small files ------------------------------------------------

    def make_tree(self):
        top = os.path.join(self.work, "tree")
        for i in range(FILES):
            folder = os.path.join(top, f"folder{i % 10}")
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, f"file{i}"), "wb") as file:
                file.write(os.urandom(FILE))
        return top

    def same_tree(self, ours, theirs):
        found = 0
        for folder, _, names in os.walk(ours):
            there = os.path.join(theirs, os.path.relpath(folder, ours))
            if filecmp.cmpfiles(folder, there, names, shallow=False)[1:] \
                    != ([], []):
                raise Failed(f"{there} differs from {folder}")
            found += len(names)
        if found != FILES:
            raise Failed(f"{found} files in {ours}")

    def trees(self):
        top = self.make_tree()
        back = os.path.join(self.work, "tree.back")
        there = "/tmp/bench.tree"
        paths = [f"folder{i % 10}/file{i}" for i in range(SINGLE)]

        def up():
            run(*self.ours("exec", "--", "rm", "-rf", there))
            return timed(*self.ours("upload", "--no-progress", "-r", top,
                                    there))

        def down():
            took = timed(*self.ours("download", "--no-progress", "-r", there,
                                    back))
            self.same_tree(top, back)
            shutil.rmtree(back)
            return took

        def each(seconds):
            """For all of them, of what some took."""
            return sum(seconds) * FILES / SINGLE

        run(*self.ours("exec", "--", "mkdir", "/tmp/bench.one"))
        self.group(max(1, self.runs // 10), {
            "tree up": up,
            "single up": lambda: each(
                [self.upload(os.path.join(top, path), "/tmp/bench.one/file")
                 for path in paths]),
        })
        self.group(max(1, self.runs // 10), {
            "tree down": down,
            "single down": lambda: each(
                [self.download(os.path.join(there, path),
                               os.path.join(top, path)) for path in paths]),
        })
        run(*self.ours("exec", "--", "rm", "-rf", there, "/tmp/bench.one"))

    def memory(self, name, program):
        """Resident MiB of the program that init started."""
        text = run(*self.ours(
            "exec", "--", "sh", "-c",
            f"for p in $(pidof {program}); do cat /proc/$p/status; done"))
        for status in text.split("Name:")[1:]:
            if re.search(r"^PPid:\s+1$", status, re.M):
                kib = re.search(r"^VmRSS:\s+(\d+)", status, re.M).group(1)
                self.add(name, int(kib) / 1024)
                return
        raise Failed(f"{program} does not run in the guest")

    def memories(self, when):
        self.memory(f"vsrpc rss {when}", "vsrpc-agent")
        self.memory(f"ga rss {when}", "qemu-ga")

    # --- the report ----------------------------------------------------------

    def median(self, name):
        return statistics.median(self.samples[name])

    def cell(self, name, factor):
        if not name:
            return "-"
        values = [v * factor for v in self.samples[name]]
        median = statistics.median(values)
        places = 2 if median < 10 else 1 if median < 100 else 0
        if len(values) == 1:
            return f"{median:.{places}f}"
        return (f"{median:.{places}f} ({min(values):.{places}f}"
                f"–{max(values):.{places}f})")

    def better(self, mine, theirs, less_is_more):
        a, b = self.median(mine), self.median(theirs)
        return b / a if less_is_more else a / b

    def row(self, what, raw, mine, theirs, factor=1.0, less_is_more=True):
        gain = f"{self.better(mine, theirs, less_is_more):.2f}"
        print(f"{what:<26}{self.cell(raw, factor):<22}"
              f"{self.cell(mine, factor):<22}{self.cell(theirs, factor):<22}"
              f"{gain:>6}")

    def table(self):
        print(f"{self.runs} runs, guest under {env('ACCEL', '?')}: "
              "medians (min–max); the last column: vsrpc is this many times "
              "better\n")
        print(f"{'':<26}{'raw port':<22}{'vsrpc':<22}{'qemu-ga':<22}"
              f"{'times':>6}")
        ms = 1000.0
        self.row("ping, connected, ms", "raw echo", "vsrpc turn", "ga turn", ms)
        self.row("ping, process, ms", None, "vsrpc ping", "ga ping", ms)
        self.row("exec, connected, ms", None, "vsrpc exec turn",
                 "ga exec turn", ms)
        self.row("exec, process(es), ms", None, "vsrpc exec", "ga exec", ms)
        self.row("a line through exec, ms", "raw echo", "exec line",
                 "ga exec turn", ms)
        self.row("exec -- cat FILE, MiB/s", "raw out, pipes", "exec out",
                 "ga down", less_is_more=False)
        self.row("input of exec, MiB/s", "raw in, pipes", "exec in", "ga up",
                 less_is_more=False)
        self.row("out of the guest, MiB/s", "raw out", "vsrpc down", "ga down",
                 less_is_more=False)
        self.row("  seen for the first time", "raw out", "first down",
                 "ga down", less_is_more=False)
        self.row("  --checksum none", "raw out", "plain down", "ga down",
                 less_is_more=False)
        self.row("into the guest, MiB/s", "raw in", "vsrpc up", "ga up",
                 less_is_more=False)
        self.row("  --checksum none", "raw in", "plain up", "ga up",
                 less_is_more=False)
        self.row("agent resident, MiB", None, "vsrpc rss start",
                 "ga rss start")
        self.row("  after all this, MiB", None, "vsrpc rss end", "ga rss end")
        print("\na process that only opens libvirt and reads the XML, ms: "
              + self.cell("libvirt", ms))
        print("vsrpc-virsh --socket ping, without libvirt, ms:           "
              + self.cell("socket ping", ms))

    def beside_table(self):
        print("\nvsrpc-virsh ping while something else goes on, ms")
        for what, name in (("an exec that is idle", "ping beside idle"),
                           ("an exec that floods", "ping beside flood"),
                           ("a download", "ping beside download"),
                           ("an upload", "ping beside upload")):
            print(f"  {what:<26}{self.cell(name, 1e3)}")

    def tree_table(self):
        print(f"\n{FILES} files of {FILE} bytes, s"
              f"{'-r':>14}{'':<20}single calls ({SINGLE}, times "
              f"{FILES // SINGLE})")
        for what, way in (("upload", "up"), ("download", "down")):
            gain = self.better("tree " + way, "single " + way, True)
            print(f"  {what:<36}{self.cell('tree ' + way, 1):<22}"
                  f"{self.cell('single ' + way, 1):<22}{gain:>6.2f}")

    def ratio_targets(self):
        for what, wanted, got, met in (
                ("exec -- true as a process, times ping", "at most 1.3",
                 self.median("vsrpc exec") / self.median("vsrpc ping beside"),
                 lambda ratio: ratio <= 1.3),
                ("exec -- cat FILE against the raw port", "at least 0.2",
                 self.median("exec out") / self.median("raw out, pipes"),
                 lambda ratio: ratio >= 0.2)):
            print(f"  {what:<48} {wanted}: {got:.2f}  "
                  f"{'met' if met(got) else 'MISSED'}")
        for what, kinds in (("an exec", ("idle", "flood")),
                            ("a copy", ("download", "upload"))):
            worst = 1e3 * max(max(self.samples["ping beside " + kind])
                              for kind in kinds)
            print(f"  {'the slowest ping beside ' + what:<48} at most 300 ms: "
                  f"{worst:.0f}  {'met' if worst <= 300 else 'MISSED'}")

    def copy_targets(self):
        for what, mine, raw, wanted in (
                ("download, with MD5", "vsrpc down", "raw out", 0.4),
                ("download, --checksum none", "plain down", "raw out", 0.7),
                ("upload, with MD5", "vsrpc up", "raw in", 0.4),
                ("upload, --checksum none", "plain up", "raw in", 0.7)):
            got = self.better(mine, raw, False)
            print(f"  {what + ' against the raw port':<48} at least {wanted}: "
                  f"{got:.2f}  {'met' if got >= wanted else 'MISSED'}")
        for way, what in (("up", "upload"), ("down", "download")):
            got = self.better("tree " + way, "single " + way, True)
            print(f"  {what + ' -r against single calls':<48} at least 10.0 "
                  f"times as fast: {got:.2f}  "
                  f"{'met' if got >= 10 else 'MISSED'}")

    def first_table(self):
        print("\nthe first request after a connect, ms (plain client, "
              f"{CONNECTS} connections of each kind)")
        for what, word in (("connect and first answer", "connect"),
                           ("first, once connected", "first"),
                           ("second", "second"), ("steady", "steady")):
            values = sorted(self.samples["after connect, " + word])
            print(f"  {what:<26}{self.cell('after connect, ' + word, 1e3):<22}"
                  f" 95 %: {values[len(values) * 95 // 100] * 1e3:.2f}")

    def first_targets(self):
        steady = self.median("after connect, steady")
        for what, word in (("first request, once connected", "first"),
                           ("first request, with its connect", "connect")):
            late = (self.median("after connect, " + word) - steady) * 1e3
            print(f"  {what:<48} at most {FIRST_MS} ms above steady: "
                  f"{late:+.2f}  {'met' if late <= FIRST_MS else 'MISSED'}")

    def targets(self):
        print("\ntargets")
        for what, wanted, gain in (
                ("process: ping against guest-ping", 1.0,
                 self.better("vsrpc ping", "ga ping", True)),
                ("exec -- true against guest-exec and its status", 2.5,
                 self.better("vsrpc exec", "ga exec", True)),
                ("download against guest-file-read", 5.0,
                 self.better("vsrpc down", "ga down", False))):
            print(f"  {what:<48} at least {wanted:.1f} times as fast: "
                  f"{gain:.2f}  {'met' if gain >= wanted else 'MISSED'}")
        self.ratio_targets()
        self.copy_targets()
        self.first_targets()

    def all(self):
        self.start_rawport()
        self.memories("start")
        self.pings()
        self.firsts()
        self.execs()
        self.lines()
        self.beside()
        self.pipes()
        self.copies()
        self.trees()
        self.memories("end")
        self.table()
        self.beside_table()
        self.tree_table()
        self.first_table()
        self.targets()


def main():
    try:
        with tempfile.TemporaryDirectory(prefix="bench.",
                                         dir=env("BENCH_WORK", ".")) as work:
            Bench(work).all()
    except (Failed, OSError, ValueError, KeyError,
            subprocess.TimeoutExpired) as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
