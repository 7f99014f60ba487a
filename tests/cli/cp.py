#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""upload, download, rm and mkdir, and what cp(1), rm(1) and mkdir(1) do.

    cp.py VSRPC CONFIG SOCKET SCRATCH SEED COUNT

Each case is done twice in folders that are alike: once by us, where the agent
behind SOCKET sees the same SCRATCH, and once by coreutils.  Afterwards both have
the same names, types, modes, contents and old times, and both have succeeded or
failed.  What is to differ is a row of DIFFERENCES, with its reason.

SEED chooses the options of each pair of source and target, and the COUNT cases
that are added to those which are always there; 0 is all of them, and then each
row has to be met.
"""
import os
import random
import shutil
import stat
import subprocess
import sys
import time

OLD = 981173100 # the time of everything that is there before

# What is in src/, and what may be meant by a source.  A word is a content, a
# tuple a folder's mode and entries, "-> x" a link, None a named pipe.
SOURCES = (0o755, {
    "file": (0o644, "file"), "exec": (0o755, "exec"), "secret": (0o600, "secret"), "setid": (0o4755, "setid"),
    "folder": (0o755, {"one": (0o644, "one"), "exec": (0o750, "x"), "sub": (0o700, {"two": (0o640, "two")}),
                       "link": "-> one", "none": "-> nowhere"}),
    "sticky": (0o1777, {"in": (0o1777, {"one": (0o644, "s")})}),
    "group": (0o2755, {"one": (0o644, "g")}),
    "pipes": (0o755, {"pipe": None, "one": (0o644, "p")}),
    # Of the same names as others here.
    "twin": (0o755, {"file": (0o644, "twin"), "exec": "-> file", "lfile": (0o640, "twin of a link"), "dangling": "-> file",
                     "folder": (0o755, {"one": (0o644, "twin"), "more": (0o644, "more")}), "sticky": (0o644, "no folder"),
                     "secret": (0o755, {"one": (0o644, "no file")})}),
    "lfile": "-> file", "lfolder": "-> folder", "dangling": "-> nowhere",
})

# What is in dst/, with what some sources meet in the folders there.
TARGETS = (0o755, {
    "old": (0o640, "old"), "oldexec": (0o755, "old exec"), "oldsecret": (0o600, "old secret"),
    "oldid": (0o4755, "old setid"),
    "empty": (0o755, {}), "setgid": (0o2775, {}),
    "full": (0o755, {"file": (0o600, "older"), "exec": "-> ../old", "secret": (0o755, {}), "setid": "-> nowhere",
                     "folder": (0o711, {"one": (0o600, "older"), "own": (0o644, "own"), "sub": (0o755, {}),
                                        "link": (0o600, "was a file"), "exec": "-> ../../old"}),
                     "lfile": (0o600, "older"), "dangling": "-> elsewhere"}),
    "mixed": (0o755, {"file": (0o755, {}), "folder": (0o644, "a file"), "exec": None,
                      "lfolder": "-> ../empty", "lfile": "-> ../oldexec", "sticky": (0o755, {})}),
    "lold": "-> old", "lempty": "-> empty", "dangling": "-> nowhere", "pipe": None,
})

SLASHES = ("", "/", "/.", "//")
ENDS = {"source": list(SOURCES[1]) + ["missing", "missing/one"],
        "target": list(TARGETS[1]) + ["new", "new/one", "old/one", "."]}


class Case:
    """A command line: what of its operands is in src or dst, and what they are."""
    def __init__(self, command, flags, sources, target=None):
        self.command, self.flags, self.sources, self.target = command, flags, sources, target

    def __str__(self):
        flags = ["-" + self.flags] if self.flags else []
        return " ".join([self.command] + flags + self.sources + ([self.target] if self.target else []))

    def kind(self, tree, operand):
        """What an operand is: "file", "folder", "link", "pipe" or "none"."""
        thing = tree
        for name in [name for name in operand.split("/")[1:] if name not in ("", ".")]:
            if not (isinstance(thing, tuple) and isinstance(thing[1], dict) and name in thing[1]):
                return "none"
            thing = thing[1][name]
        if thing is None:
            return "pipe"
        if isinstance(thing, str):
            return "link"
        return "folder" if isinstance(thing[1], dict) else "file"

    def source_kinds(self):
        return [self.kind(SOURCES, source) for source in self.sources]

    def has(self, *sources):
        return any(source.split("/")[1] in sources for source in self.sources)

    def to(self, *targets):
        return self.target is not None and (self.target.split("/") + [""])[1] in targets


def copies(case, command, flags=""):
    return case.command == command and all(flag in case.flags for flag in flags)


# What may differ, why, and which lines of differ() that explains.
DIFFERENCES = [
    ("named pipes are left out", "cp -r makes another pipe; what is sent through one is nothing that could be copied",
     lambda case, line: case.has("pipes") and "/pipe: ours nothing; theirs pipe" in line),
    ("a pipe in the target stays as it is, but for a plain download", "cp writes into it; the agent would wait for whoever "
     "reads there, and a tree of the guest does not write into devices here",
     lambda case, line: (case.to("pipe") or (case.to("mixed") and case.has("exec", "folder", "lfolder")))
     and (line == "we fail" or "dst/pipe" in line or "dst/mixed/exec" in line)),
    ("-r here replaces links below the target", "cp -r writes through them; what a guest has in a tree is not to be "
     "written elsewhere",
     lambda case, line: copies(case, "download", "r") and case.to("full", "mixed", "lold", "dangling")
     and (line == "we succeed" or "theirs link" in line or "dst/old" in line)),
    ("-r in the guest enters links to folders", "cp -r refuses them below the target; whoever has moved a folder and left "
     "a link wants the files there (rsync --keep-dirlinks)",
     lambda case, line: copies(case, "upload", "r") and case.to("mixed") and case.has("lfolder")
     and (line == "we succeed" or "dst/empty" in line)),
    ("new content has no set-id bits", "cp leaves those of what it writes into, as root, and -p gives the source's with "
     "its owner; here nobody vouches for the content, and the owner is not carried over",
     lambda case, line: (case.has("setid") or case.to("oldid")) and "theirs file 4" in line),
    ("set-group-ID of a guest's folder is not taken", "cp -p does; but the group is not carried over",
     lambda case, line: copies(case, "download", "p") and case.has("group") and "theirs folder 2755" in line),
    ("-p gives a folder the very mode of its original", "cp lets a new one have the set-group-ID bit of that above, too",
     lambda case, line: "p" in case.flags and case.to("setgid") and "theirs folder 2" in line),
    ("no umask in the guest", "cp takes away what it says; that of the agent is nobody's wish, and ours is not about there",
     lambda case, line: copies(case, "upload", "r") and case.has("sticky") and "777; theirs folder" in line),
    ("a plain download has the mode of a new file", "cp gives it the source's; that were a question more to the guest",
     lambda case, line: copies(case, "download") and not case.flags and ": ours file 0644 new: " in line),
    ("a folder that is named in two ways is copied twice", "cp takes the second copy for a hard link that it cannot make",
     lambda case, line: "r" in case.flags and (line == "we succeed" or line.endswith("theirs nothing"))
     and len(set(case.sources)) > len({source.rstrip("/.").replace("lfolder", "folder") for source in case.sources})),
    ("what ends in . or .. is refused", "rm -f and mkdir -p take it where they have nothing to do",
     lambda case, line: case.command in ("rm", "mkdir") and case.sources[0].rstrip("/").endswith(".")
     and line == "we fail"),
    ("rm LINK/ is refused", "rm -r empties the folder that it leads to and then fails; rm -f says nothing",
     lambda case, line: case.command == "rm" and case.has("lold", "lempty", "dangling") and line == "we fail"),
]


def make(path, thing):
    """Makes a thing as SOURCES and TARGETS have it."""
    if thing is None:
        os.mkfifo(path)
    elif isinstance(thing, str):
        os.symlink(thing[3:], path)
    elif isinstance(thing[1], dict):
        os.mkdir(path)
        for name, entry in thing[1].items():
            make(os.path.join(path, name), entry)
        os.chmod(path, thing[0])
    else:
        with open(path, "w") as file:
            file.write(thing[1])
        os.chmod(path, thing[0])
    if not isinstance(thing, str) and thing is not None:
        os.utime(path, (OLD, OLD))


def look(top, path=""):
    """Return: a line for each thing in a folder, by its path."""
    seen = {}
    for name in sorted(os.listdir(os.path.join(top, path))):
        where = os.path.join(path, name)
        full = os.path.join(top, where)
        st = os.lstat(full)
        mode = "%04o" % stat.S_IMODE(st.st_mode)
        if stat.S_ISLNK(st.st_mode):
            seen[where] = "link -> " + os.readlink(full)
        elif stat.S_ISDIR(st.st_mode):
            seen[where] = "folder " + mode
            seen.update(look(top, where))
        elif stat.S_ISREG(st.st_mode):
            with open(full) as file:
                seen[where] = "file %s %s: %s" % (mode, "old" if st.st_mtime == OLD else "new", file.read())
        else:
            seen[where] = "pipe " + mode
    return seen


class Side:
    """One of the two folders, and how a case is done in it."""
    def __init__(self, top):
        self.top = top

    def prepare(self):
        shutil.rmtree(self.top, ignore_errors=True)
        os.mkdir(self.top)
        make(os.path.join(self.top, "src"), SOURCES)
        make(os.path.join(self.top, "dst"), TARGETS)

    def run(self, argv):
        # Nobody waits for a pipe that nobody has the other end of.
        pipes = [os.open(os.path.join(self.top, path), os.O_RDWR | os.O_NONBLOCK)
                 for path in ("dst/pipe", "dst/mixed/exec", "src/pipes/pipe")
                 if os.path.exists(os.path.join(self.top, path))]
        done = subprocess.run(argv, cwd=self.top, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300)
        for pipe in pipes:
            os.close(pipe)
        return done.returncode == 0, look(self.top), done.stdout.decode(errors="replace")


def ours(case, tool, top):
    there = lambda path: os.path.join(top, path) # noqa: E731
    here = lambda path: path # noqa: E731
    source, target = {"upload": (here, there), "download": (there, here)}.get(case.command, (there, there))
    flags = ["-" + case.flags] if case.flags else []
    return (tool + ["-q", case.command] + flags + [source(path) for path in case.sources]
            + ([target(case.target)] if case.target else []))


def theirs(case):
    command = case.command if case.command in ("rm", "mkdir") else "cp"
    flags = ["-" + case.flags] if case.flags else []
    return [command] + flags + ["--"] + case.sources + ([case.target] if case.target else [])


def operands(kind):
    folder = "src/" if kind == "source" else "dst/"
    for name in ENDS[kind]:
        for slash in SLASHES[:3 if kind == "source" else 2]:
            yield folder + name + slash



def always(rng):
    """A file to each kind of file, with all options; and what is rare."""
    for command in ("upload", "download"):
        for flags in ("", "r", "p", "rp"):
            for target in ("old", "oldexec", "oldsecret", "oldid", "lold", "dangling", "new"):
                yield Case(command, flags, ["src/" + rng.choice(["file", "exec", "secret"])], "dst/" + target)
        yield Case(command, "r", ["src/folder/.", "src/folder"], "dst/empty")
        for flags in ("", "r"):
            for name in sorted(SOURCES[1]["twin"][1]):
                sources = ["src/" + name, "src/twin/" + name]
                sources.append(rng.choice(sources + ["src/missing/" + name, "src/setid"]))
                yield Case(command, flags, rng.sample(sources, len(sources)), "dst/" + rng.choice(["empty", "full"]))


def cases(rng):
    sources, targets = list(operands("source")), list(operands("target"))
    for command in ("upload", "download"):
        for source in sources:
            for target in targets:
                yield Case(command, rng.choice(["", "r", "p", "rp"]), [source], target)
        for _ in range(60):
            yield Case(command, rng.choice(["", "r", "p", "rp"]), rng.sample(sources, rng.choice([2, 2, 3])),
                       rng.choice(targets))
    for flags in ("", "r", "f", "rf"):
        for name in ENDS["target"]:
            for slash in ("", "/", "/.", "/.."):
                yield Case("rm", flags, ["dst/" + name + slash])
    for flags in ("", "p"):
        for name in ENDS["target"] + ["setgid/new", "new/one/two", "lempty/new"]:
            for slash in ("", "/", "/."):
                yield Case("mkdir", flags, ["dst/" + name + slash])


def differ(a, b):
    """Return: words for what differs."""
    words = [] if a[0] == b[0] else ["we %s" % ("succeed" if a[0] else "fail")]
    for path in sorted(set(a[1]) | set(b[1])):
        left, right = a[1].get(path, "nothing"), b[1].get(path, "nothing")
        if left != right:
            words.append("%s: ours %s; theirs %s" % (path, left, right))
    return words


def main():
    tool = [sys.argv[1], "--config", sys.argv[2], "--socket", sys.argv[3]]
    scratch = os.path.realpath(sys.argv[4])
    seed, count = int(sys.argv[5]), int(sys.argv[6])
    rng = random.Random(seed)
    few, every = list(always(rng)), list(cases(rng))
    every = few + (rng.sample(every, min(len(every), count)) if count else every)
    os.umask(0o022)
    sides = Side(os.path.join(scratch, "ours")), Side(os.path.join(scratch, "theirs"))
    met, failed, groups = set(), {}, {}
    began = time.time()
    for case in every:
        for side in sides:
            side.prepare()
        a = sides[0].run(ours(case, tool, sides[0].top))
        b = sides[1].run(theirs(case))
        words = differ(a, b)
        rows = [next((name for name, _, where in DIFFERENCES if where(case, line)), None) for line in words]
        group = ("%s -%s" % (case.command, case.flags)).rstrip(" -")
        groups[group] = groups.get(group, 0) + 1
        met.update(rows)
        if None in rows:
            failed.setdefault(group, []).append([str(case)] + words + ["ours: " + a[2].strip(), "cp: " + b[2].strip()])
    for number, group in enumerate(groups, 1):
        print("%s %d - %s: %d cases as coreutils, or as the table says"
              % ("not ok" if group in failed else "ok", number, group, groups[group]))
        for lines in failed.get(group, []):
            print("\n".join("#   " + line for line in "\n  ".join(lines).split("\n")))
    forgotten = [name for name, _, _ in DIFFERENCES if name not in met and not count]
    print("%s %d - no row of the table is there for nothing (seed %d, %d cases, %.1f s)"
          % ("not ok" if forgotten else "ok", len(groups) + 1, seed, len(every), time.time() - began))
    for name in forgotten:
        print("#   " + name)
    print("1..%d" % (len(groups) + 1))


main()
