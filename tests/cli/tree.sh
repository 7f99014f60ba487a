#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Folders with everything in them, in both directions, with a real agent.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

mkdir guest
cat >real.yaml <<END
logging: {file: none}
security: {allowed_paths: [$WORK/guest], readonly_paths: [], forbidden_paths: [$WORK/guest/secret], allowed_commands: ['*']} # so links lead anywhere
rate_limit: {requests_per_second: 0, requests_per_minute: 0}
END
start_agent real
G=$WORK/guest
sut() { virsh_ --socket "$SOCKET" "$@"; }
listed() { (cd "$1" && find . -mindepth 1 -printf '%P %y %l\0' | LC_ALL=C sort -z | md5sum); }
contents() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum | md5sum); }
modes() { (cd "$1" && find . -mindepth 1 \( -type f -o -type d \) -printf '%P %m\0' | LC_ALL=C sort -z | md5sum); }
times() { (cd "$1" && find . -printf '%P %T@\0' | LC_ALL=C sort -z | md5sum); }
same() { # DESCRIPTION A B
	t_is "$1: names, kinds, targets" "$(listed "$2")" "$(listed "$3")"
	t_is "$1: contents" "$(contents "$2")" "$(contents "$3")"
}

# --- a tree of everything odd
mkdir -p tree/empty tree/a/b/c tree/many 'tree/ blank ' tree/.hidden
echo one >tree/one
: >tree/zero
head -c 5000000 /dev/urandom >tree/large
echo x >"tree/$(printf 'new\nline')"
echo x >"tree/$(printf 'not\377utf-8')"
echo x >"tree/$(printf 'esc\033[31m')"
echo x >tree/-rf
echo x >'tree/a%2Fb&c=d+e?f#g'
echo x >"tree/quote'\"\\"
echo x >tree/ünï
echo x >"tree/$(printf 'n%.0s' $(seq 255))"
echo deep >tree/a/b/c/deep
echo x >tree/.hidden/.file
for i in $(seq 300); do echo "$i" >"tree/many/$i"; done
ln -s one tree/link
ln -s nowhere tree/dangling
ln -s / tree/out
ln -s ../../.. tree/a/up
ln -s "$(printf 'odd\n\377')" tree/a/oddlink
ln tree/one tree/hard
chmod 0640 tree/one
chmod 0755 tree/-rf
chmod 0700 tree/a
chmod 0555 tree/a/b
find tree -exec touch -h -d '2001-02-03 04:05:06.789' {} +

t "upload -r" sut upload -r tree "$G/new"
same "upload -r" tree guest/new
t_is "… has the local modes" "$(modes tree)" "$(modes guest/new)"
t_like "… and says how much it was" "Upload successful: $G/new \([0-9]+ files, [0-9]+ bytes\)" "$OUT"
t "download -r" sut download -r "$G/new" back
same "download -r" tree back
t_is "… has the guest's modes" "$(modes tree)" "$(modes back)"
t_not "… but not its times" [ "$(times tree)" = "$(times back)" ]
(umask 077 && sut download -r "$G/new" private >/dev/null)
t_is "… less the umask" '' "$(find private ! -type l -perm /077)"
t "upload -rp" sut upload -rp tree "$G/kept"
t_is "… keeps times" "$(times tree)" "$(times guest/kept)"
t_is "… and modes" "$(modes tree)" "$(modes guest/kept)"
t "download -rp" sut download -rp "$G/kept" kept
same "download -rp" tree kept
t_is "… keeps modes" "$(modes tree)" "$(modes kept)"
# The folder itself is asked for by file/info, which has whole seconds.
t_is "… and times" "$(cd tree && find . -mindepth 1 -printf '%P %T@\0' | LC_ALL=C sort -z | md5sum)" "$(cd kept && find . -mindepth 1 -printf '%P %T@\0' | LC_ALL=C sort -z | md5sum)"

# --- where it goes, as cp(1) has it
mkdir guest/there here
t "upload -r into a folder" sut upload -r tree/a "$G/there"
t_is "… is a folder in it" deep "$(cat guest/there/a/b/c/deep)"
t "… with a slash" sut upload -r tree/.hidden/ "$G/there/"
t_is "… likewise" x "$(cat guest/there/.hidden/.file)"
t "upload -r FOLDER/." sut upload -r tree/many/. "$G/there"
t_is "… is what is in it" 300 "$(cat guest/there/300)"
t "download -r into a folder" sut download -r "$G/there/a" here
t_is "… is a folder in it" deep "$(cat here/a/b/c/deep)"
t "download -r FOLDER/." sut download -r "$G/new/many/." here
t_is "… is what is in it" 300 "$(cat here/300)"
t "download -r of a file" sut download -r "$G/new/one" here/1st
t_is "… is a file" one "$(cat here/1st)"
t "download -r of a link" sut download -r "$G/new/dangling" here
t_is "… is a link" nowhere "$(readlink here/dangling)"
t "several files" sut upload tree/one tree/zero tree/link "$G/there"
t_is "… into a folder, a link as its file" "one  one regular file" "$(cat guest/there/one) $(cat guest/there/zero) $(cat guest/there/link) $(stat -c %F guest/there/link)"
t_status "… but to no file" 1 sut upload tree/one tree/zero "$G/there/one"
t_like "… because" "'$G/there/one' is not a folder, and several files are meant" "$ERR"
t_like "… and what to do" "try: vsrpc-virsh … mkdir $G/there/one" "$ERR"
t_not "several to no folder here" sut download "$G/there/one" "$G/there/zero" nowhere
t_like "… and what to do" "try: mkdir nowhere" "$ERR"
t "several files from the guest" sut download "$G/new/one" "$G/new/-rf" here
t_is "… into a folder" "one x" "$(cat here/one) $(cat here/-rf)"
t_status "… but to no file" 125 sut download "$G/new/one" "$G/new/zero" here/one
t "several to standard output" sut download "$G/new/one" "$G/new/-rf" -
t_is "… one behind the other" "one x" "$(xargs <<<"$OUT")"
t_not "a folder without -r" sut download "$G/new/one" "$G/new/a" "$G/new/-rf" here
t_is "… does not keep the others" "one x" "$(cat here/one) $(cat here/-rf)"
t_not "a folder to the guest without -r" sut upload tree/one tree/a "$G/there"
t_like "… says so" "'tree/a' is a folder: left out without -r" "$ERR"

# --- what is said to be copied, and not to be, is all that was meant
# Of each: exit status, code, files copied, sources that were not.
while IFS='|' read -r status code files failed line; do
	rm -rf counted guest/counted && mkdir counted guest/counted
	read -ra words <<<"${line//@/$G/}"
	t_status "--json $line" "$status" sut --json "${words[@]}"
	t_json "… is counted" "(d['code'], d['data']['files'], d['data']['failed']) == ($code, $files, $failed)" "$OUT"
	[ "$failed" = 0 ] || t_like "… so it is in words" "^vsrpc-virsh: $failed not copied, $files copied\$" "$(sut "${words[@]}" 2>&1 >/dev/null | tail -n 1)"
done <<'END'
0|0|2|0|upload tree/one tree/zero @counted
0|0|2|0|upload tree/one tree/zero tree/one @counted
1|1004|0|2|upload tree/one tree/zero @there/one
1|1004|0|2|upload -r tree/one tree/many @there/one
1|1004|0|3|upload tree/one tree/zero tree/link @none/
1|1004|0|2|upload tree/one tree/zero @secret/
125|6017|1|2|upload nothing tree/one nowhere @counted
0|0|2|0|download @there/one @there/zero counted
125|6017|0|2|download @there/one @there/zero tree/one
125|6017|0|2|download -r @there/one @there tree/one
125|6017|0|3|download @there/one @there/zero @there/link newx/
1|3002|1|2|download @none @there/one @nothing counted
END

# --- what is replaced keeps what it has
attributes() { # FILE: "NAME=VALUE" of each that may be set here
	"$PYTHON" -c '
import os, sys
for name in sorted(os.listxattr(sys.argv[1])):
    print(name, os.getxattr(sys.argv[1], name).hex())' "$1"
}
attribute() { "$PYTHON" -c 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]))' "$@" 2>/dev/null; }
acl=0200000001000600ffffffff02000600d204000004000000ffffffff10000600ffffffff20000000ffffffff
for way in upload download; do
	for options in '' -r; do
		to=$WORK/kept.$way from=$G/new/one
		[ "$way" = download ] || to=$G/kept.$way from=tree/one
		file=${to/"$G"/guest}
		rm -f "$file"
		echo old >"$file"
		attribute "$file" user.vsrpc 00ff && attribute "$file" system.posix_acl_access "$acl" || t_skip "$way $options: attributes" "the file system has none"
		[ "$(id -u)" != 0 ] || chown 12:34 "$file"
		before=$(stat -c '%a %u %g' "$file"; attributes "$file")
		# shellcheck disable=SC2086 # no word, or one
		t "$way $options over a file" sut "$way" $options "$from" "$to"
		t_is "… has the content" one "$(cat "$file")"
		t_is "… and keeps mode, owner, ACL and attributes" "$before" "$(stat -c '%a %u %g' "$file"; attributes "$file")"
		t "$way $options -p" sut "$way" $options -p "$from" "$to"
		t_is "… has the original's mode" "$(stat -c %a tree/one)" "$(stat -c %a "$file")"
	done
done

# --- what is in the way
echo old >here/one
echo own >here/many_own
t "over what is there" sut download -r "$G/new/." here
t_is "… files are replaced, others stay" "one own" "$(cat here/one) $(cat here/many_own)"
ln -sfn mine here/dangling && ln -sfn theirs guest/there/dangling
for target in "$G/new/dangling here" "tree/dangling $G/there"; do
	way=download
	[ "${target#tree}" = "$target" ] || way=upload
	# shellcheck disable=SC2086 # two words
	t_not "$way --no-clobber over a link" sut "$way" -r --no-clobber $target
done
t_is "… leaves it" "mine theirs" "$(readlink here/dangling) $(readlink guest/there/dangling)"
t "without it" sut download -r "$G/new/dangling" here
t_is "… it is replaced" nowhere "$(readlink here/dangling)"
t_not "--no-clobber" sut download -r --no-clobber "$G/new/a" here
mkdir victim && echo precious >victim/b
rm -rf here/a && ln -s ../victim here/a
t_not "a link where the guest has a folder" sut download -r "$G/new/a" here
t_like "… is not followed" "'a' is a symbolic link here, not followed" "$ERR"
t_is "… nothing is behind it" b "$(ls victim)"
rm here/a && : >here/a
t_not "a file where the guest has a folder" sut download -r "$G/new/a" here
t_is "… stays" "regular empty file" "$(stat -c %F here/a)"
rm here/a && ln -s "$WORK/victim/b" here/one2 && cp guest/new/one guest/new/one2
t "a link where the guest has a file" sut download -r "$G/new/one2" here
t_is "… is replaced and not followed" "precious one" "$(cat victim/b) $(cat here/one2)"
mkdir guest/there/hard
t_not "a folder in the guest where a file is to be" sut upload tree/hard tree/-rf "$G/there"
t_is "… and the other is copied" x "$(cat guest/there/-rf)"
mkfifo tree/pipe
t "a pipe" sut upload -r tree/. "$G/there2"
t_like "… is left out, and that is told" "'tree/\./pipe' is a named pipe, left out" "$ERR"
t "… not with --quiet" sut -q upload -r tree/. "$G/there2"
t_is "… indeed" '' "$ERR$OUT"
rm tree/pipe

# --- errors half-way
mkdir -p guest/secret guest/part/x && echo s >guest/secret/s
for i in 1 2 3; do echo "$i" >"guest/part/$i"; done
ln guest/secret/s guest/part/hardlink
t_not "what may not be read" sut download -r "$G" part
t_is "… does not keep the rest" "1 2 3" "$(cat part/part/[123] | xargs)"
t_like "… is told" "secret" "$ERR"
t_is "… once" 1 "$(grep -c "secret" <<<"$ERR")"
t_status "what is not there" 1 sut download -r "$G/nowhere" here
t_not "what is not here" sut upload -r nowhere tree/one "$G/there"
t_is "… does not keep the rest" one "$(cat guest/there/one)"
t_not "a folder here that is not there" sut download -r "$G/part" no/such/folder
if [ "$(id -u)" != 0 ]; then
	mkdir -p tree2/closed && echo x >tree2/x && chmod 000 tree2/closed
	t_not "a folder that may not be read" sut upload -r tree2 "$G/tree2"
	t_is "… does not keep the rest" x "$(cat guest/tree2/x)"
	chmod 700 tree2/closed
fi
t_not "--json with errors" sut --json download -r "$G" part2
t_json "… has counts and the first of them" "d['code'] != 0 and d['data']['failed'] == 1 and d['data']['files'] > 300 and 'secret' in d['data']['detail']" "$OUT"
t "--json" sut --json upload -r tree "$G/json"
t_json "… has counts" "d['code'] == 0 and d['data']['symlinks'] == 5 and d['data']['failed'] == 0 and d['data']['folders'] == 8" "$OUT"

# --- somebody presses Ctrl-C: what is there is whole, and there is no more
mkdir slow
for i in $(seq 40); do head -c 200000 /dev/urandom >"slow/$i"; done
breaks() { # WAY TARGET ARG…: as soon as two files are there
	local way=$1 target=$2
	shift 2
	env --default-signal=INT "$VSRPC" --config "$WORK/host.yaml" --socket "$SOCKET" "$way" -r --limit-rate 2M "$@" >broken.out 2>broken.err & pid=$!
	t_within 20 some "$target"
	t_kill -INT "$pid"
	RC=0
	wait "$pid" || RC=$?
}
some() { [ "$(find "$1" -type f -size 200000c 2>/dev/null | wc -l)" -ge 2 ]; }
partly() { # DESCRIPTION DIR
	local name
	t_is "$1: it ends as by a signal" 130 "$RC"
	t_not "$1: not all of it" [ "$(find "$2" -type f | wc -l)" = 40 ]
	t_is "$1: what is there is whole" '' "$(for name in $(ls -A "$2"); do cmp "$2/$name" "slow/$name"; done 2>&1)"
}
t "an upload -r is on its way" breaks upload guest/slow slow "$G/slow"
partly "upload" guest/slow
t "… the next one ends it" sut upload -r slow "$G"
same "… the next one" slow guest/slow
mkdir into
t "a download -r is on its way" breaks download into/slow "$G/slow" into
partly "download" into/slow
t "… the next one ends it" sut download -r "$G/slow" into
same "… the next one" slow into/slow

# --- deep, and very many
deep=$(printf 'd/%.0s' $(seq 100))
mkdir -p "deep/$deep" && echo bottom >"deep/${deep}f"
t "a hundred folders in each other" sut upload -r deep "$G/deep"
t_is "… to the bottom" bottom "$(cat "guest/deep/${deep}f")"
t "… and back" sut download -r "$G/deep" deep2
t_is "… to the bottom" bottom "$(cat "deep2/${deep}f")"
mkdir -p "deep/$deep$deep"
t_not "two hundred" sut upload -r deep "$G/deep3"
t_like "… are too many" "more than 128 folders in each other" "$ERR"
mkdir guest/wide && (cd guest/wide && seq 2500 | xargs touch)
t "more than fit on a page" sut download -r "$G/wide" wide
t_is "… all of them" 2500 "$(find wide -type f | wc -l)"
stop "$PID"

done_testing
