#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cat, ls, rm, mkdir and edit: files of the guest as if they were here.
# roads: both
# shellcheck source=../files.sh
# shellcheck disable=SC2016 # other shells expand
. "$(dirname "$0")/../files.sh"

there=/tmp/remote
t_finally in_guest rm -rf "$there"
in_guest sh -c 'rm -rf "$0"; mkdir "$0"' "$there"
v() { local command=$1; shift; "$VSRPC" "$DOMAIN" "$command" "$@"; }
put() { in_guest sh -c 'printf %s "$1" >"$0"' "$there/$1" "$2"; }
get() { in_guest cat "$there/$1"; }
meta() { in_guest stat -c '%a %U %G' "$there/$1"; }

# --- cat
random 300000 a
random 70000 b
"$VSRPC" -q "$DOMAIN" upload a b "$there"
v cat "$there/a" "$there/b" >ab
t "cat prints files one behind the other" cmp ab <(cat a b)
t_status "cat of a missing file" 1 v cat "$there/none"
t_like "… names it" none "$ERR"
t_status "cat of a folder" 1 v cat "$there"
t_status "cat of a forbidden file" 126 v cat /etc/shadow
v cat "$there/a" "$there/none" "$there/b" >ab 2>/dev/null
t_is "cat with one missing has a status that says so" 1 "$?"
put empty ''
t "cat of an empty file" v cat "$there/empty"
t_is "… prints nothing" '' "$OUT"

# --- ls
put .hidden x
in_guest sh -c 'cd "$0" && mkdir folder && ln -s a link && chmod 640 b && touch -d "2020-02-03 04:05:06" b' "$there"
t_is "ls" "a b empty folder link" "$(v ls "$there" | sort | paste -sd ' ')"
t_is "ls -a" ".hidden a b empty folder link" "$(v ls -a "$there" | grep -vxE '\.\.?' | sort | paste -sd ' ')"
t "ls -l" v ls -l "$there"
t_like "… shows mode, owner, group, size and time" "-rw-r----- +([0-9]+ +)?root +root +70000 +2020-02-0[234].* b" "$OUT"
t_like "… and where links go" 'lrwxrwxrwx.* link -> a' "$OUT"
t_like "… and folders" '(^|'$'\n'')drwxr-xr-x.* folder' "$OUT"
t_is "ls of a file" "$there/b" "$(v ls "$there/b")"
t_status "ls of what is not there" 1 v ls "$there/none"
t_like "… names it" none "$ERR"
in_guest sh -c 'mkdir "$0/odd" && cd "$0/odd" && touch "$(printf "new\nline")" "$(printf "esc\033[2J")" "$(printf "no-utf8-\377")" " x"' "$there"
in_pty 80 "$VSRPC" "$DOMAIN" ls "$there/odd" >seen
t_not "ls on a terminal shows nothing that steers it" grep -qP '[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]' seen
t "ls --json" v ls --json "$there"
t_json "… is JSON" "d['code'] == 0 or 'entries' in d['data']" "$OUT"
in_guest sh -c 'mkdir "$0/many" && cd "$0/many" && seq 2500 | xargs touch' "$there"
t_is "ls of more than a page has each once" "$(seq 2500 | sort | md5sum)" "$(v ls "$there/many" | sort | md5sum)"

# --- mkdir
t "mkdir" v mkdir "$there/new"
t_is "… makes a folder" "755 root root" "$(meta new)"
t_status "mkdir of one that is there" 1 v mkdir "$there/new"
t "mkdir -p of it" v mkdir -p "$there/new"
t_status "mkdir below one that is not" 1 v mkdir "$there/x/y/z"
t "mkdir -p below one that is not" v mkdir -p "$there/x/y/z"
t_is "… makes all of them" "755 root root" "$(meta x/y/z)"
t "mkdir --mode" v mkdir --mode 0700 "$there/private"
t_is "… is obeyed" 700 "$(meta private | cut -d' ' -f1)"
t_status "mkdir where it is forbidden" 126 v mkdir /root/new

# --- rm
put f x
t "rm" v rm "$there/f"
t_not "… removes the file" guest_has "$there/f"
t_status "rm of what is not there" 1 v rm "$there/f"
t "rm -f of what is not there" v rm -f "$there/f"
t_status "rm of a folder" 1 v rm "$there/many"
t_is "… leaves it" 2500 "$(in_guest ls "$there/many" | wc -l)"
t "rm of a link" v rm "$there/link"
t "… leaves what it leads to" guest_has "$there/a"
in_guest sh -c 'mkdir "$0/tree" "$0/outside" && cd "$0" && touch outside/precious && ln -s "$0/outside" tree/out' "$there"
t "rm -r of a tree with a link out of it" v rm -r "$there/tree"
t_not "… removes it" guest_has "$there/tree"
t "… and nothing outside" guest_has "$there/outside/precious"
t "rm -r of many" v rm -r "$there/many" "$there/odd"
t_not "… removes them" guest_has "$there/many"
t_status "rm of a forbidden path" 126 v rm -r /root
t_status "rm -r of a read-only one" 126 v rm -r /etc
t_not "rm -r of everything" v rm -r /
t "… removes nothing" in_guest test -e /etc/passwd

# --- edit
edits() { EDITOR=$1 VISUAL='' v edit "$there/$2"; }
cat >append <<'END'
#!/bin/sh
echo added >>"$1"
END
chmod +x append
put f 'text
'
in_guest sh -c 'chown 1000:1000 "$0" && chmod 640 "$0" && touch -d "2020-02-03 04:05:06" "$0"' "$there/f"
before=$(in_guest stat -c '%i %Y' "$there/f")
t "edit without a change" edits true f
t_is "… leaves the file alone" "$before" "$(in_guest stat -c '%i %Y' "$there/f")"
t "edit" edits "$WORK/append" f
t_is "… puts back what was written" $'text\nadded' "$(get f)"
t_is "… with its mode and owner" "640 user user" "$(meta f)"
t "EDITOR may have arguments" edits "sh $WORK/append" f
t_is "… and is obeyed" $'text\nadded\nadded' "$(get f)"
t "VISUAL comes first" env EDITOR=false VISUAL="$WORK/append" "$VSRPC" "$DOMAIN" edit "$there/f"
t_not "an editor that fails" edits false f
t_is "… changes nothing" $'text\nadded\nadded\nadded' "$(get f)"
in_guest ln -s f "$there/to-f"
t "edit of a link" edits "$WORK/append" to-f
t_is "… changes what it leads to" "f 5" "$(in_guest readlink "$there/to-f") $(get f | wc -l)"
t "edit of a new file" edits "$WORK/append" fresh
t_is "… makes it" added "$(get fresh)"
t "edit of a new file that is not written" edits true fresh2
t_not "… makes none" guest_has "$there/fresh2"
t_not "edit of a folder" edits "$WORK/append" folder
t_not "edit of a forbidden file" env EDITOR="$WORK/append" VISUAL='' "$VSRPC" "$DOMAIN" edit /etc/shadow
random 100000 bytes
"$VSRPC" -q "$DOMAIN" upload bytes "$there/bytes"
cat >flip <<'END'
#!/bin/sh
printf x | dd of="$1" bs=1 seek=5000 conv=notrunc 2>/dev/null
END
chmod +x flip
t "edit keeps bytes" edits "$WORK/flip" bytes
./flip bytes
t_is "… whatever they are" "$(md5_of bytes)" "$(guest_md5 "$there/bytes")"

# Somebody changes it meanwhile; other commands are answered while one edits.
cat >meanwhile <<END
#!/bin/sh
echo mine >>"\$1"
'$VSRPC' '$DOMAIN' exec -- sh -c 'echo theirs >>"\$0"' '$there/f'
END
chmod +x meanwhile
put f 'text
'
t_status "edit of a file that is changed in the guest meanwhile" 1 edits "$WORK/meanwhile" f
t_is "… is refused: theirs is there" $'text\ntheirs' "$(get f)"
t_like "… and said" 'meanwhile' "$ERR"
kept=$(grep -oE '/[^ ]+' <<<"$ERR" | while read -r path; do [ ! -f "$path" ] || echo "$path"; done | tail -n 1)
t_is "… and what was typed is kept" $'text\nmine' "$([ -z "$kept" ] || cat "$kept")"
[ -z "$kept" ] || rm -rf "$kept"
rmdir "${kept%/*}" 2>/dev/null
cat >appears <<END
#!/bin/sh
echo mine >>"\$1"
'$VSRPC' '$DOMAIN' exec -- sh -c 'echo theirs >>"\$0"' '$there/fresh3'
END
chmod +x appears
t_status "edit of a new file that somebody makes meanwhile" 1 edits "$WORK/appears" fresh3
t_is "… is refused: theirs is there" theirs "$(get fresh3)"
kept=$(grep -oE '/[^ ]+' <<<"$ERR" | while read -r path; do [ ! -f "$path" ] || echo "$path"; done | tail -n 1)
t_is "… and what was typed is kept" mine "$([ -z "$kept" ] || cat "$kept")"
[ -z "$kept" ] || rm -rf "$kept"
rmdir "${kept%/*}" 2>/dev/null

t_is "nothing is left in the guest" '' "$(guest_leftovers "$there")"
t "the channel is in order" v ping
done_testing
