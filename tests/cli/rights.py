#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every route of files with every user, and what setpriv(1) lets coreutils do.

    rights.py SOCKET PID SCRATCH SEED COUNT

Each case is done twice in folders that are alike: once by the agent behind
SOCKET, whose process is PID, and once by a program that setpriv made that user's.
Both have to succeed or to be refused, to read the same, and to leave the same
names, types, owners, modes and contents.  After each the agent is root again.

SEED chooses the COUNT cases that are done besides all of vuser's; 0 is all of them.

Accounts of rights.sh: vuser, who has the folder `mine` and is in the group vshared,
and vother.
"""
import base64
import http.client
import json
import os
import random
import shutil
import socket
import stat
import subprocess
import sys
import urllib.parse

VUSER, VOTHER, VSHARED = 54321, 54322, 54400
MTIME = 981173100

# Owner, group, mode, and a content, a folder's entries, or a link's target.
TREE = (0, 0, 0o755, {
    "mine": (VUSER, VUSER, 0o755, {
        "file": (VUSER, VUSER, 0o644, "mine"), "shut": (VUSER, VUSER, 0o000, "shut"),
        "roots": (0, 0, 0o600, "put here by root"), "empty": (VUSER, VUSER, 0o755, {}),
        "tree": (VUSER, VUSER, 0o755, {"one": (VUSER, VUSER, 0o644, "1"), "sub": (VUSER, VUSER, 0o755, {})}),
        "mixed": (VUSER, VUSER, 0o755, {"roots": (0, 0, 0o755, {"deep": (0, 0, 0o644, "root's")})}),
        "lopen": "-> ../other/open", "lshut": "-> ../other/shut", "lother": "-> ../other",
        "lclosed": "-> ../closed", "lfile": "-> ../closed/file", "lshared": "-> ../shared",
        "lsticky": "-> ../sticky", "dangling": "-> ../other/new", "labs": "-> /etc"}),
    "other": (0, 0, 0o755, {"open": (0, 0, 0o644, "open"), "shut": (0, 0, 0o600, "shut"),
                            "written": (0, 0, 0o666, "by all"), "list": (0, 0, 0o744, {"x": (0, 0, 0o644, "x")}),
                            "vothers": (VOTHER, VOTHER, 0o640, "vother's")}),
    "closed": (0, 0, 0o700, {"file": (0, 0, 0o666, "in a closed folder"), "sub": (0, 0, 0o777, {})}),
    "shared": (0, VSHARED, 0o2775, {"file": (0, VSHARED, 0o660, "the group's"), "sub": (0, VSHARED, 0o2770, {})}),
    "sticky": (0, 0, 0o1777, {"mine": (VUSER, VUSER, 0o644, "mine"), "roots": (0, 0, 0o666, "root's"),
                              "vothers": (VOTHER, VOTHER, 0o644, "vother's")}),
})

FOLDERS = ["mine", "other", "closed", "shared", "sticky", "mine/empty", "mine/tree", "mine/mixed", "mine/mixed/roots",
           "other/list", "closed/sub", "shared/sub", "mine/lother", "mine/lclosed", "mine/lshared", "mine/lsticky",
           "mine/lclosed/sub", "mine/labs"]
FILES = ["mine/file", "mine/shut", "mine/roots", "other/open", "other/shut", "other/written", "other/vothers",
         "closed/file", "shared/file", "sticky/mine", "sticky/roots", "sticky/vothers", "mine/lopen", "mine/lshut",
         "mine/lfile", "mine/lother/open", "mine/lother/shut", "mine/lclosed/file", "mine/lshared/file",
         "mine/lsticky/roots", "mine/dangling", "mine/labs/passwd", "mine/labs/shadow"]
NEW = ["%s/new" % folder for folder in FOLDERS]

USERS = { # user: what setpriv needs for it
    "vuser": ["--reuid", "vuser", "--regid", "vuser", "--init-groups"],
    "vother": ["--reuid", "vother", "--regid", "vother", "--init-groups"],
    "vuser:vother": ["--reuid", "vuser", "--regid", "vother", "--groups", "vother,vshared"],
    "vother:vshared": ["--reuid", "vother", "--regid", "vshared", "--groups", "vshared"],
    "54399:54400": ["--reuid", "54399", "--regid", "54400", "--groups", "54400"],
    "root": ["--reuid", "root", "--regid", "root", "--init-groups"],
}


def build(path, node):
    """Makes a node of the tree."""
    if isinstance(node, str):
        os.symlink(node[3:], path)
        return
    uid, gid, mode, what = node
    if isinstance(what, str):
        with open(path, "w") as out:
            out.write(what)
    else:
        os.mkdir(path)
        for name, below in what.items():
            build(os.path.join(path, name), below)
    os.chown(path, uid, gid)
    os.chmod(path, mode)


def look(top):
    """Everything below a folder as (path, words)."""
    found = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            st = os.lstat(path)
            words = "%o %d:%d" % (st.st_mode, st.st_uid, st.st_gid)
            if stat.S_ISLNK(st.st_mode):
                words += " -> " + os.readlink(path)
            elif stat.S_ISREG(st.st_mode):
                with open(path, encoding="latin1") as content:
                    words += " '%s'" % content.read()
            if st.st_mtime == MTIME:
                words += " of old"
            found[os.path.relpath(path, top)] = words
    return found


class Side:
    """A tree that is made anew when it was changed."""
    def __init__(self, top):
        self.top, self.before = top, None

    def prepare(self):
        if self.before is None or look(self.top) != self.before:
            shutil.rmtree(self.top, ignore_errors=True)
            build(self.top, TREE)
            self.before = look(self.top)


class Agent:
    """Requests; the connection stays, as the channel does."""
    def __init__(self, path):
        self.http = http.client.HTTPConnection("agent")
        self.http.sock = socket.socket(socket.AF_UNIX)
        self.http.sock.connect(path)

    def ask(self, method, target, body=None, **fields):
        """Return: the code, and the data or the content."""
        self.http.request(method, "/api/v1/file/" + target, body,
                          {name.replace("_", "-"): value for name, value in fields.items()})
        answer = self.http.getresponse()
        content = answer.read()
        if method == "HEAD":
            return (0 if answer.status < 300 else -answer.status), None
        if answer.getheader("Content-Type", "").startswith("application/json"):
            envelope = json.loads(content)
            return envelope["code"], envelope["data"]
        return 0, content.decode("latin1")


def query(path, user, **more):
    return urllib.parse.urlencode(dict(more, path=path, user=user))


# --- the routes: FUNCTION(agent, path, user) gives (succeeded, what was read) ---

def simple(method, route, **more):
    """One request, of which only success counts."""
    def run(agent, path, user):
        return agent.ask(method, route + "?" + query(path, user, **more))[0] == 0, None
    return run


def get(agent, path, user):
    code, content = agent.ask("GET", "content?" + query(path, user))
    return code == 0, content if code == 0 else None


def digest(agent, path, user):
    code, data = agent.ask("GET", "digest?" + query(path, user))
    return code == 0, data["digest"] if code == 0 else None


def download(agent, path, user):
    code, data = agent.ask("POST", "download", json.dumps({"path": path, "user": user}),
                           Content_Type="application/json")
    return code == 0, base64.b64decode(data["content"]).decode("latin1") if code == 0 else None


def info(agent, path, user):
    code, data = agent.ask("GET", "info?" + query(path, user))
    return code == 0 and data["exists"], data["mode"] if code == 0 and data["exists"] else None


def info_md5(agent, path, user):
    """The digest is of what may be read."""
    code, data = agent.ask("GET", "info?" + query(path, user))
    md5 = data.get("md5") if code == 0 else None
    return md5 is not None, md5


def listing(agent, path, user):
    code, data = agent.ask("GET", "list?" + query(path + "/", user))
    return code == 0, sorted(entry["name"] for entry in data["entries"]) if code == 0 else None


def put(**more):
    def run(agent, path, user):
        return agent.ask("PUT", "content?" + query(path, user, **more), "new")[0] == 0, None
    return run


def put_parts(agent, path, user):
    run = dict(transfer="a")
    code, _ = agent.ask("PUT", "content?" + query(path, user, **run), "n", Content_Range="bytes 0-0/*")
    if code == 0:
        code, _ = agent.ask("PUT", "content?" + query(path, user, **run), "ew", Content_Range="bytes 1-2/*")
    if code == 0:
        wrong, _ = agent.ask("POST", "transfers/a?size=3")
        assert wrong == 2001, "a transfer that began as a user ends as the agent"
        code, data = agent.ask("POST", "transfers/a?size=3&user=" + user)
        while code == 0 and not data["complete"]:
            code, data = agent.ask("GET", "transfers/a")
    agent.ask("DELETE", "transfers/a")
    return code == 0, None


def upload(agent, path, user):
    code, _ = agent.ask("POST", "upload", json.dumps({
        "path": path, "user": user, "content": base64.b64encode(b"new").decode()}), Content_Type="application/json")
    return code == 0, None


# --- the programs -----------------------------------------------------------

READ = 'cat -- "$1"'
MD5 = 'md5sum < "$1" | cut -c1-32; exit "${PIPESTATUS[0]}"'
# What takes the place of a file is a new one; a link to nothing is refused.
REPLACE = '''[ -e "$1" ] || [ ! -L "$1" ] || exit 1
to=$(realpath -- "$1") && [ ! -d "$to" ] && printf new > "${to%/*}/.new" || exit 1
mv -fT -- "${to%/*}/.new" "$to" || { rm -f "${to%/*}/.new"; exit 1; }'''

# Name, route, program, paths.
CASES = [
    ("content GET", get, READ, FILES + NEW),
    ("content HEAD", simple("HEAD", "content"), READ + ">/dev/null", FILES),
    ("digest", digest, MD5, FILES + NEW),
    ("download", download, READ, FILES + NEW),
    ("info", info, 'stat -Lc %04a -- "$1"', FILES + FOLDERS + NEW),
    ("info's md5", info_md5, MD5, FILES),
    ("list", listing, 'ls -A -- "$1/"', FOLDERS),
    ("sync", simple("POST", "sync"), 'sync -f -- "$1"', FILES + FOLDERS),
    ("content PUT", put(), REPLACE, FILES + NEW),
    ("content PUT, not durable", put(sync="false"), REPLACE, FILES + NEW),
    ("content PUT, to be resumed", put(resume="true"), REPLACE, FILES + NEW),
    ("content PUT in parts", put_parts, REPLACE, FILES + NEW),
    ("upload", upload, REPLACE, FILES + NEW),
    ("directory", simple("POST", "directory"), 'mkdir -- "$1"', FILES + NEW),
    ("directory, with parents", simple("POST", "directory", parents="true", exist_ok="true"), 'mkdir -p -- "$1"',
     FOLDERS + [new + "/a/b" for new in NEW]),
    ("symlink", simple("POST", "symlink", target="x"), 'ln -sT -- x "$1"', FILES + NEW),
    ("symlink, over what is there", simple("POST", "symlink", target="x", overwrite="true"), 'ln -sfT -- x "$1"',
     FILES + NEW),
    ("remove", simple("POST", "remove"), 'rm -- "$1"', FILES + NEW),
    ("remove of trees", simple("POST", "remove", recursive="true"), 'rm -r -- "$1"', FOLDERS),
    ("attributes: mode", simple("POST", "attributes", mode="0604"), 'chmod 00604 -- "$1"',
     [path for path in FILES + FOLDERS if not os.path.basename(path)[0] in "ld" or path == "other/list"]),
    ("attributes: owner", simple("POST", "attributes", owner="vother"), 'chown -h vother -- "$1"', FILES),
    ("attributes: group", simple("POST", "attributes", group="vshared"), 'chgrp -h vshared -- "$1"', FILES),
    ("attributes: time", simple("POST", "attributes", mtime=str(MTIME)), 'touch -chd @%d -- "$1"' % MTIME,
     FILES + FOLDERS),
]


def harmless(path, name):
    """Real files of the machine are only looked at."""
    return "labs" not in path or name in ("content GET", "digest", "download", "info")


def ids_of(pid):
    """Who the process is."""
    with open("/proc/%d/status" % pid) as status:
        return [line for line in status if line.startswith(("Uid", "Gid", "Groups", "Cap"))]


def compare(one, two, name, user):
    """Return: words for what differs."""
    words = []
    for path in sorted(set(one) | set(two)):
        left, right = one.get(path, "nothing"), two.get(path, "nothing")
        # rm(1) goes on behind what it may not remove.
        if name == "remove of trees" and right == "nothing":
            continue
        # Who replaces a file is its owner, unless he may give it to the old one; the
        # old file's group and mode are left to it as far as he may.
        if "'new'" in left and "'new'" in right and user == "root":
            continue
        if "'new'" in left and "'new'" in right:
            left, right = left.split()[1].split(":")[0], right.split()[1].split(":")[0]
        if left != right:
            words.append("%s: ours %s; theirs %s" % (path, left, right))
    return words


def main():
    agent, pid, scratch = Agent(sys.argv[1]), int(sys.argv[2]), os.path.realpath(sys.argv[3])
    ours, theirs = Side(os.path.join(scratch, "ours")), Side(os.path.join(scratch, "theirs"))
    os.umask(0o022)
    before = ids_of(pid)
    rng, count = random.Random(int(sys.argv[4])), int(sys.argv[5])
    every = [(case, user, path) for case in CASES for user in USERS for path in case[3] if harmless(path, case[0])]
    others = [case for case in every if case[1] != "vuser"]
    chosen = {(case[0], user, path) for case, user, path in (rng.sample(others, count) if count else others)}
    for number, (name, route, program, paths) in enumerate(CASES, 1):
        wrong, n, done = [], 0, 0
        for user, ids in USERS.items():
            for path in paths:
                if not harmless(path, name) or (user != "vuser" and (name, user, path) not in chosen):
                    continue
                ours.prepare()
                theirs.prepare()
                mine = route(agent, os.path.join(ours.top, path), user)
                run = subprocess.run(["setpriv"] + ids + ["bash", "-c", program, "-", os.path.join(theirs.top, path)],
                                     capture_output=True, check=False)
                read = run.stdout.decode("latin1")
                if name not in ("content GET", "download"):
                    read = read.rstrip("\n")
                if name == "list":
                    read = sorted(read.split())
                words = [] if mine[0] == (run.returncode == 0) else ["we %s" % ("succeed" if mine[0] else "fail")]
                if mine[0] and mine[1] is not None and mine[1] != read:
                    words.append("read: ours %s; theirs %s" % (mine[1], read))
                words += compare(look(ours.top), look(theirs.top), name, user)
                if ids_of(pid) != before:
                    words.append("the agent is no longer who it was")
                if words:
                    wrong.append("%s, %s: %s (%s)" % (user, path, "; ".join(words),
                                                      run.stderr.decode("latin1").strip()))
                n, done = n + 1, done + mine[0]
        print("%s %d - %s: as that user (%d cases, %d may)" % ("not ok" if wrong else "ok", number, name, n, done))
        for line in wrong:
            print("#   " + line.replace("\n", "\n#   "))
        sys.stdout.flush()
    print("1..%d" % len(CASES))


main()
