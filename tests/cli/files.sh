#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cat, ls, rm, mkdir and edit, with a real agent.
# shellcheck source=lib.sh
# shellcheck disable=SC2016 # the editor's shell expands
. "${top_srcdir:-.}/tests/cli/lib.sh"

mkdir guest tmp
cat >real.yaml <<END
logging: {file: none}
security: {allowed_commands: ["*"], allowed_paths: [$WORK/guest], readonly_paths: [], forbidden_paths: [$WORK/guest/secret]}
rate_limit: {requests_per_second: 0, requests_per_minute: 0}
END
start_agent real
G=$WORK/guest
sut() { virsh_ --socket "$SOCKET" "$@"; }
export TMPDIR=$WORK/tmp

# --- cat
printf 'a\0b\377' >guest/bytes
echo two >guest/two
t "cat" sut cat "$G/bytes" "$G/two"
t_is "… one behind the other, each byte" "$(cat guest/bytes guest/two | md5sum)" "$(sut cat "$G/bytes" "$G/two" | md5sum)"
t_status "cat of what is not there" 1 sut cat "$G/none" "$G/two"
t_is "… does not keep the rest" two "$OUT"
t_status "cat of a folder" 1 sut cat "$G"
t_status "cat of what is forbidden" 126 sut cat "$G/secret"
head -c 3000000 /dev/urandom >guest/large
sut cat "$G/large" 2>err | head -c 1 >/dev/null
t_is "nobody reads it to its end" "141 " "${PIPESTATUS[0]} $(cat err)"

# --- ls
mkdir -p guest/ls/sub
cd guest/ls || exit
echo 12345 >b
echo 1 >a
echo 1 >.dot
ln -s b link
ln -s nowhere dangling
touch "$(printf 'new\nline')" "$(printf 'x\377')" ünï
touch -d '2001-02-03 04:05' b
chmod 4750 b
cd "$WORK" || exit
t "ls" sut ls "$G/ls"
t_is "… is one name a line, by name" "a b dangling link new line sub" "$(head -n 7 <<<"$OUT" | xargs)"
t_is "… with -a also those with a dot" ".dot" "$(sut ls -a "$G/ls" | head -n 1)"
t "ls -l" env TZ=UTC "$VSRPC" --config host.yaml --socket "$SOCKET" ls -l "$G/ls"
t_like "… has a file's" "-rwsr-x---  $(id -un) +$(id -gn) +6 +2001-02-03 04:0[0-9]  b"$'\n' "$OUT"$'\n'
t_like "… a folder's" "drwxr-xr-x .* sub"$'\n' "$OUT"$'\n'
t_like "… a link's" "lrwxrwxrwx .* link -> b"$'\n' "$OUT"$'\n'
t_like "… names as a shell takes them" "\\$'new\\\\nline'" "$OUT"
t_like "… of any bytes" "\\$'x\\\\377'" "$OUT"
t "ls of a file" sut ls "$G/ls/b"
t_is "… is what was asked for" "$G/ls/b" "$OUT"
t "ls of several" sut ls "$G/ls/sub" "$G/ls/b" "$G/ls"
t_is "… has heads for folders" "$G/ls/sub: $G/ls/b  $G/ls: a" "$(head -n 5 <<<"$OUT" | tr '\n' ' ' | sed 's/ $//')"
t_status "ls of what is not there" 1 sut ls "$G/none"
t_status "ls of what is forbidden" 126 sut ls "$WORK"
t "ls --json" sut ls --json "$G/ls"
t_json "… has everything" "[e['size'] for e in d['data']['entries'] if e['name'] == 'b'] == [6] and d['data']['folder'] and [e['target'] for e in d['data']['entries'] if e['type'] == 'symlink'] == ['nowhere', 'b']" "$OUT"
mkdir guest/wide && (cd guest/wide && seq 2500 | xargs touch)
t_is "ls of more than a page" 2500 "$(sut ls "$G/wide" | sort -u | wc -l)"

# --- mkdir
t "mkdir" sut mkdir "$G/m"
t_is "… is 755" 755 "$(stat -c %a guest/m)"
t_status "mkdir of what is there" 1 sut mkdir "$G/m"
t "mkdir -p of it" sut mkdir -p "$G/m"
t_status "mkdir without those above" 1 sut mkdir "$G/m/1/2"
t "mkdir -p with those above, several" sut mkdir -p --mode 0700 "$G/m/1/2" "$G/m/3"
t_is "… with their mode" "700 700" "$(stat -c %a guest/m/1/2 guest/m/3 | xargs)"
t_status "mkdir where it is not allowed" 126 sut mkdir "$WORK/m"

# --- rm
touch guest/r1 guest/r2
t "rm" sut rm "$G/r1" "$G/r2"
t_is "… indeed" '' "$(ls guest/r1 guest/r2 2>/dev/null)"
t_status "rm of what is not there" 1 sut rm "$G/r1"
t "rm -f of it" sut rm -f "$G/r1"
t_status "rm of a folder" 1 sut rm "$G/m"
ln -s "$WORK/guest/two" guest/m/1/out
ln -s "$G/ls" guest/m/1/folder
t "rm -r" sut rm -r "$G/m"
t_is "… of it, not of what its links lead to" "two b" "$(cat guest/two) $(cd guest/ls && echo b)"
t_not "… it is gone" [ -e guest/m ]
ln -s two guest/alias
t "rm of a link" sut rm "$G/alias"
t_is "… leaves what it leads to" two "$(cat guest/two)"
for path in two/ two/. two/.. .; do
	t_not "rm -r $path" sut rm -r "$G/$path"
done
t_is "… removes nothing" two "$(cat guest/two)"
t_not "rm -r of an allowed root" sut rm -r "$G"
t "… and all is there" [ -e guest/two ]
mkdir -p guest/holds/x guest/secret2
t_status "rm goes on behind an error" 1 sut rm "$G/none" "$G/ls/a"
t_not "… indeed" [ -e guest/ls/a ]

# --- edit
edit() { # SCRIPT PATH: $1 is the file
	printf '#!/bin/sh\n%s\n' "$1" >editor && chmod +x editor
	shift
	VISUAL='' EDITOR=$WORK/editor sut edit "$@"
}
echo two >two.txt
printf 'first\n' >guest/app.conf && chmod 0640 guest/app.conf
[ "$(id -u)" != 0 ] || chown 12:34 guest/app.conf
owner=$(stat -c '%u:%g %a' guest/app.conf)
t "edit" edit 'echo second >>"$1"' "$G/app.conf"
t_is "… changes the file" "first second" "$(xargs <guest/app.conf)"
t_is "… which keeps owner, group and mode" "$owner" "$(stat -c '%u:%g %a' guest/app.conf)"
t_is "… and leaves nothing here" '' "$(ls tmp)"
t "the editor sees the file's name" edit 'case $1 in */app.conf) exit 0 ;; esac; exit 1' "$G/app.conf"
before=$(stat -c '%i %y' guest/app.conf)
t "nothing changed" edit ':' "$G/app.conf"
t_like "… says so" "not changed" "$ERR"
t_is "… and does nothing" "$before" "$(stat -c '%i %y' guest/app.conf)"
t_status "an editor that fails" 1 edit 'echo lost >"$1"; exit 3' "$G/app.conf"
t_like "… is named" "ended with status 3" "$ERR"
t_is "… and changes nothing" "$before" "$(stat -c '%i %y' guest/app.conf)"
t_is "… and leaves nothing here" '' "$(ls tmp)"
t_status "an editor that is not there" 1 env EDITOR=/no/such/editor VISUAL= "$VSRPC" --config host.yaml --socket "$SOCKET" edit "$G/app.conf"
t "one with options, and one that renames" env VISUAL='sed -i -e s/first/1st/' "$VSRPC" --config host.yaml --socket "$SOCKET" edit "$G/app.conf"
t_is "… indeed" "1st second" "$(xargs <guest/app.conf)"
t_status "changed in the guest meanwhile" 1 edit "echo mine >>\"\$1\"; echo theirs >>$G/app.conf" "$G/app.conf"
t_like "… says so, and where ours is" "was changed in the guest meanwhile.*your version is $WORK/tmp/vsrpc-edit-[^/]*/app\.conf" "${ERR//$'\n'/ }"
t_is "… theirs stays" "1st second theirs" "$(xargs <guest/app.conf)"
t_is "… ours is kept" "1st second mine" "$(xargs <"$(sed -n 's/.*your version is //p' <<<"$ERR")")"
rm -rf tmp/*
t "a new file" edit 'echo new >"$1"' "$G/new.txt"
t_is "… is made" "new 644" "$(cat guest/new.txt) $(stat -c %a guest/new.txt)"
t "… not when nothing was written" edit ':' "$G/none.txt"
t_not "… indeed" [ -e guest/none.txt ]
t_status "… nor where one came meanwhile" 1 edit "echo mine >\"\$1\"; echo theirs >$G/came.txt" "$G/came.txt"
t_is "… which stays" theirs "$(cat guest/came.txt)"
rm -rf tmp/*
ln -s app.conf guest/link
t "through a link" edit 'echo third >>"$1"' "$G/link"
t_is "… which stays one" "app.conf third" "$(readlink guest/link) $(tail -n 1 guest/app.conf)"
ln -s nowhere/at/all guest/lost
t_status "a link that leads to no file" 1 edit 'echo x >"$1"' "$G/lost"
t_like "… is told" "'$G/lost' is a symbolic link that leads to no file" "$ERR"
t_status "… and by upload" 1 sut upload two.txt "$G/lost"
t_like "… in the same words" "'$G/lost' is a symbolic link that leads to no file" "$ERR"
t_is "… and it stays" nowhere/at/all "$(readlink guest/lost)"
t_status "a folder" 1 edit ':' "$G/ls"
t_status "a path without a name" 2 edit ':' "$G/.."
t "others have the channel meanwhile" edit "'$VSRPC' --config '$WORK/quick.yaml' --wait-lock 0 --socket '$SOCKET' ping" "$G/app.conf"

# --- standard output is for content: JSON goes elsewhere
printf content >guest/content
job=$(sut exec --detach -- cat "$G/content")
sut job "$job" wait
while read -r line; do
	# shellcheck disable=SC2086 # they are several
	t "--json $line" sut --json ${line//@/$G}
	t_is "… is the content" content "$OUT$ERR"
done <<END
cat @/content
download @/content -
download @/content /dev/stdout
job $job output
END
while read -r line; do
	# shellcheck disable=SC2086 # they are several
	t_status "--json $line" 1 sut --json ${line//@/$G}
	t_is "… has no content" '' "$OUT"
	t_json "… but one value, on standard error" "d['code'] != 0 and d['data']['detail']" "$ERR"
done <<END
cat @/none
download @/none -
job 00000000 output
END

# --- names that are not UTF-8 come whole, as base64
odd=$G/$(printf 'odd\377')
while read -r line; do
	read -ra words <<<"$line"
	t "--json $line, of a name that is not UTF-8" sut --json "${words[@]/@/$odd}"
	t_json "… says which" "__import__('base64').b64decode(d['data']['path']) == '$G/odd'.encode() + b'\\xff' and d['data']['path_encoding'] == 'base64'" "$OUT"
done <<'END'
upload host.yaml @
upload -r host.yaml @
stat @
rm @
mkdir @
upload -r guest/ls @
ls @
rm -r @
END
stop "$PID"

done_testing
