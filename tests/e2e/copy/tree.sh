#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# upload -r and download -r: a thousand files, links, empty folders, odd names,
# modes and times, and what must not happen.
# shellcheck source=../files.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../files.sh"

there=/tmp/trees
t_finally in_guest rm -rf "$there"
in_guest sh -c "rm -rf $there; mkdir $there"

# What a tree is, one line for each thing in it. WITH is which of "mode" and
# "mtime" count (of links neither; "seconds": without their fractions).
listing() { # DIR [WITH…]
	"$PYTHON" -c '
import hashlib, os, stat, sys
top, words = os.fsencode(sys.argv[1]), sys.argv[2:]
def look(path):
    st = os.lstat(path)
    said = [os.path.relpath(path, top), stat.S_IFMT(st.st_mode)]
    if stat.S_ISLNK(st.st_mode):
        return said + [os.readlink(path)]
    if stat.S_ISREG(st.st_mode):
        with open(path, "rb") as file:
            said += [st.st_size, hashlib.sha256(file.read()).hexdigest()]
    if "mode" in words:
        said.append(oct(stat.S_IMODE(st.st_mode)))
    if "mtime" in words:
        said.append(st.st_mtime_ns)
    if "seconds" in words:
        said.append(st.st_mtime_ns // 10**9)
    return said
found = [look(top)]
for folder, folders, files in os.walk(top):
    found += [look(os.path.join(folder, name)) for name in folders + files]
for said in sorted(found):
    print(*said)' "$@"
}
# The guest's tree, brought here without the code that is tested.
fetch() { # PATH DIR
	rm -rf "$2"
	mkdir -p "$2"
	in_guest tar -C "$1" -cf - . | tar -C "$2" -xpf -
}
same() { # DESCRIPTION A B [WITH…]
	local what=$1 a=$2 b=$3
	shift 3
	listing "$a" "$@" >listing.a
	listing "$b" "$@" >listing.b
	t "$what" diff listing.a listing.b
}

# --- the tree
make_tree() {
	"$PYTHON" - <<'END'
import os, random
random.seed(5)
os.umask(0o022)
os.mkdir("tree")
os.chdir("tree")
for i in range(1000):
    folder = f"part{i % 7}/deeper{i % 11}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/file{i}", "wb") as file:
        file.write(random.randbytes(random.choice((0, 1, 100, 4096, 5000, 70000))))
os.makedirs("empty/in/empty")
os.mkdir("odd")
for name in (b"a blank", b" leading", b"trailing ", b"new\nline", b"tab\t", b"-rf", b"*", b"?", b"[a]",
             b"'", b'"', b"\\", b"\\n", b"$HOME", b"`id`", b";", b"&", b"%41", b"%", b"#", b"+", b"=",
             b".hidden", b"..two", b"...", b"~", "\u00e4\u65e5\U0001f600".encode(), b"\xff\xfe", b"\xc3", b"\x1b[2J",
             b"\x01\x7f", b"{}", b"C:", b"n" * 255):
    with open(b"odd/" + name, "wb") as file:
        file.write(name)
os.makedirs(b"odd/folder with \n and \xff/-")
with open(b"odd/folder with \n and \xff/-/f", "wb") as file:
    file.write(b"deep")
deep = "deep" + "/d" * 100
os.makedirs(deep)
with open(deep + "/bottom", "wb") as file:
    file.write(b"bottom")
os.mkdir("links")
for name, target in (("file", "../part0/deeper0/file0"), ("folder", "../part1"), ("nowhere", "no/such/thing"),
                     ("absolute", "/etc/passwd"), ("up", "../../../../../../etc"), ("self", "self"), ("odd", b"\xff \n")):
    os.symlink(target, os.fsencode("links/" + name) if isinstance(target, bytes) else "links/" + name)
os.mkdir("modes")
for mode in (0o600, 0o644, 0o755, 0o400, 0o444, 0o777, 0o711):
    with open(f"modes/{mode:o}", "wb") as file:
        file.write(b"x")
    os.chmod(f"modes/{mode:o}", mode)
os.mkdir("modes/closed", 0o700)
os.mkdir("modes/readonly")
with open("modes/readonly/f", "wb") as file:
    file.write(b"x")
os.chmod("modes/readonly", 0o555)
with open("sparse", "wb") as file:
    file.truncate(64 << 20)
    file.seek(32 << 20)
    file.write(b"middle")
# times, from the bottom up: making things changes those of their folders
for folder, folders, files in os.walk(".", topdown=False):
    for name in files + ["."]:
        path = os.path.join(folder, name)
        if not os.path.islink(path):
            at = random.randrange(10**9, 17 * 10**8) * 10**9 + random.randrange(10**9)
            os.utime(path, ns=(at, at))
END
}
make_tree
files=$(find tree -type f | wc -l)
t_diag "$files files, $(find tree -type d | wc -l) folders, $(find tree -type l | wc -l) links"

# --- there
ms_of t "upload -r" "$VSRPC" "$DOMAIN" upload -r tree "$there/tree"
t_diag "… takes $MS ms"
fetch "$there/tree" got
same "… is the same in the guest" tree got
in_guest rm -rf "$there/tree"
ms_of t "upload -r -p" "$VSRPC" "$DOMAIN" upload -r -p tree "$there/tree"
t_diag "… takes $MS ms"
fetch "$there/tree" got
same "… is the same in the guest, with modes and times" tree got mode seconds
kib=$(in_guest du -k "$there/tree/sparse" | cut -f1)
t "… holes are holes: $kib KiB" [ "$kib" -lt 1024 ]

# --- and back
rm -rf back
ms_of t "download -r" "$VSRPC" "$DOMAIN" download -r "$there/tree" back
t_diag "… takes $MS ms"
same "… is the same here" tree back
rm -rf back
ms_of t "download -r -p" "$VSRPC" "$DOMAIN" download -r -p "$there/tree" back
t_diag "… takes $MS ms"
same "… is the same here, with modes and times" tree back mode mtime
kib=$(du -k back/sparse | cut -f1)
t "… holes are holes: $kib KiB" [ "$kib" -lt 1024 ]
t_is "nothing is left here" '' "$(leftovers back)"
t_is "… nor in the guest" '' "$(guest_leftovers "$there")"

# --- once more, over what is there
echo changed >tree/part0/deeper0/file0
rm tree/links/file && ln -s elsewhere tree/links/file
mkdir "$WORK/over" && cp -a back over/tree
t "download -r over a tree" "$VSRPC" "$DOMAIN" download -r -p "$there/tree" over
same "… into a folder that is there: below it" back over/tree mode mtime
t "upload -r over a tree" "$VSRPC" "$DOMAIN" upload -r -p tree "$there"
fetch "$there/tree" got
same "… into a folder that is there: below it" tree got mode seconds
t_not "--no-clobber over a tree" "$VSRPC" "$DOMAIN" upload -r --no-clobber tree "$there"
t_not "… in the other direction" "$VSRPC" "$DOMAIN" download -r --no-clobber "$there/tree" over
rm -rf over back got

# --- several, and without -r
random 100 one
random 200 two
in_guest mkdir "$there/into"
t "two files into a folder" "$VSRPC" "$DOMAIN" upload one two "$there/into"
mkdir into
t "… and back" "$VSRPC" "$DOMAIN" download "$there/into/one" "$there/into/two" into
t_is "… are the same" "$(md5sum <one; md5sum <two)" "$(md5sum <into/one; md5sum <into/two)"
t_not "two files into a file" "$VSRPC" "$DOMAIN" upload one two "$there/into/one"
t_not "a folder without -r" "$VSRPC" "$DOMAIN" upload tree "$there/without"
t_not "… is not copied" guest_has "$there/without"
t_not "a folder without -r, from the guest" "$VSRPC" "$DOMAIN" download "$there/tree" without
t "… is not copied" [ ! -e without ]
t_not "one of two is missing" "$VSRPC" "$DOMAIN" upload one no-such "$there/into"
t_like "… which is named" no-such "$ERR"
t_not "a tree that is not there" "$VSRPC" "$DOMAIN" download -r "$there/no-such" got
t "… makes nothing" [ ! -e got ]

# --- what must not happen
in_guest sh -c 'mkdir -p "$0/bits" && cd "$0/bits" && echo x >set && chmod 6755 set && mkdir sticky && chmod 1777 sticky && mkdir group && chmod 2755 group' "$there"
t "download -r -p of set-id bits" "$VSRPC" "$DOMAIN" download -r -p "$there/bits" bits
t_is "… does not take them over, but for a sticky bit" bits/sticky "$(find bits -perm /7000)"
# A link where a folder is to be: nothing goes through it.
mkdir -p elsewhere linked/tree
ln -s "$WORK/elsewhere" linked/tree/part0
t_not "a link in the place of a folder" "$VSRPC" "$DOMAIN" download -r "$there/tree" linked
t_is "… is not written through" '' "$(ls -A elsewhere)"
# One where a file is to be is replaced.
mkdir -p linked2/into
echo precious >precious
ln -s "$WORK/precious" linked2/into/one
t "a link in the place of a file" "$VSRPC" "$DOMAIN" download -r "$there/into" linked2
t_is "… is not written through" precious "$(cat precious)"
t "… but replaced" cmp one linked2/into/one
# In the guest it is the policy that counts, and where things really are.
in_guest sh -c 'mkdir "$0/l" && ln -s /root "$0/l/part0"' "$there"
mkdir l && cp -r tree/part0 l/part0
before=$(in_guest ls -A /root)
t_not "a link in the guest to where nothing may be written" "$VSRPC" "$DOMAIN" upload -r l "$there"
t_is "… is not written through" "$before" "$(in_guest ls -A /root)"
# Not files at all: the rest is copied.
in_guest sh -c 'mkdir "$0/special" && cd "$0/special" && mkfifo pipe && mknod null c 1 3 && echo rest >rest' "$there"
"$VSRPC" "$DOMAIN" download -r "$there/special" special >special.out 2>&1
t_is "a pipe and a device are left out, the rest is copied" "rest rest" "$(ls -A special) $(cat special/rest)"
mkdir pipes && mkfifo pipes/pipe && echo rest >pipes/rest
t_run timeout 20 "$VSRPC" "$DOMAIN" upload -r pipes "$there/pipes"
t_is "… in the other direction, too" "rest rest" "$(in_guest sh -c 'ls -A "$0"; cat "$0/rest"' "$there/pipes" | paste -sd ' ')"
t "the channel is in order" "$VSRPC" "$DOMAIN" ping
t_is "nothing is left here" '' "$(leftovers .)"
t_is "… nor in the guest" '' "$(guest_leftovers "$there")"

# --- a tree on a terminal
in_guest rm -rf "$there/tree"
in_pty 80 "$VSRPC" "$DOMAIN" upload -r --limit-rate 1M tree/part0 "$there/part0" >seen
t_like "a tree's progress is in files and bytes" '[0-9]+/[0-9]+ files +[0-9]+%  [0-9.]+ [KM]?i?B  [0-9.]+ [KM]?i?B/s' "$(cat seen)"
chmod -R u+w tree
done_testing
