#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Folders of a guest that lies: nothing is written outside the chosen target.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

start_files() { # MODE
	SOCKET=$WORK/$1.sock
	COUNTS=$WORK/$1.counts
	rm -f "$SOCKET"
	"$PYTHON" "$top_srcdir/tests/peer/files.py" "$SOCKET" "$COUNTS" "$1" "$WORK/outside" &
	PID=$!
	PEERS+=("$PID")
	t_within 20 test -S "$SOCKET"
}
mkdir outside
echo precious >outside/victim
untouched() {
	t_is "$1: … nothing is outside" "outside outside/victim precious" "$(find outside | sort | xargs) $(cat outside/victim)"
	t_is "$1: … nor above" '' "$(find . -path ./in/new -prune -o \( -name climbed -o -name rooted -o -name evil \) -print)"
}
# A folder in a folder, so that "../climbed" would be seen.
get() { quick --socket "$SOCKET" download -r "$@"; }

# --- what is refused
while IFS='|' read -r mode words; do
	start_files "$mode"
	rm -rf in && mkdir -p in
	begin=$EPOCHREALTIME
	t_status "$mode: is an error" 125 get /t in/new
	took=$(since "$begin")
	t_like "$mode: … with the reason" "$words" "$ERR"
	t "$mode: … within 60 s ($took)" soon "$took" 60
	untouched "$mode"
	stop "$PID"
done <<'END'
climbs|refused: the guest lists '\.\./climbed'
slash|refused: the guest lists 'b/c'
rooted|refused: the guest lists '/.*/rooted'
nameless|refused: the guest lists ''
dot|refused: the guest lists '\.'
dotdot|refused: the guest lists '\.\.'
nul|refused: the guest lists 'a'
long|refused: the guest lists 'x{256}'
encoded|refused: the guest lists '\.\./climbed'
encoded_badly|makes no sense: name
no_list|makes no sense: no list of entries
no_object|makes no sense: an entry is not an object
no_type|makes no sense: 'type' is missing
bad_mode|makes no sense: mode
no_target|makes no sense: a symbolic link without a target
nul_target|makes no sense: target
below|refused: the guest lists '\.\./\.\./climbed'
endless|lists more than is taken
same_cursor|a listing that does not end
no_entries|a listing that does not end
odd_cursor|makes no sense: cursor
not_a_folder|the guest's folder is no folder
two_files|one file that is not one
deep|more than 128 folders in each other
END

# --- what is refused in one place, and the rest is copied
start_files below
rm -rf in && mkdir in
t_not "a folder with an impossible name" get /t in/new
t_is "… the others come all the same" "in/new/a in/new/b in/new/z" "$(echo in/new/*)"
stop "$PID"

# --- links that are in the way
for mode in link_first link_last link_file links; do
	start_files "$mode"
	rm -rf in && mkdir in
	t "$mode: is copied" get /t in/new
	untouched "$mode"
	t "$mode: … and once more, over it" get /t/. in/new
	untouched "$mode"
	stop "$PID"
done
t_is "links are copied as links" "$WORK/outside ../../outside" "$(readlink in/new/a) $(readlink in/new/z)"
start_files victim
rm -rf in && mkdir -p in/new
ln -s ../../outside in/new/d
ln -s ../../outside/victim in/new/f
t_not "a link here where the guest has a folder" get /t/. in/new
t_like "… is refused" "'d' is a symbolic link here, not followed" "$ERR"
untouched victim
t_is "a link here where the guest has a file is replaced" "evil regular file" "$(cat in/new/f) $(stat -c %F in/new/f)"
rm -rf in && mkdir -p in
ln -s ../outside in/new
t_status "a link as LOCAL is the user's own choice" 0 get /t in/new
t_is "… and is entered" "outside/t/d outside/t/f" "$(echo outside/t/*)"
rm -r outside/t
stop "$PID"

# --- rights that a guest cannot give
start_files rights
for options in '' -p; do
	rm -rf in && mkdir in
	t "copy ${options:-without -p} of what has set-id and sticky bits" get ${options:+"$options"} /t in/new
	t_is "… has none of them but a folder's sticky bit, which gives nobody anything" in/new/d "$(find in/new -perm /7000)"
	t_is "… and that one" 1 "$(stat -c %a in/new/d | cut -c 1)"
done
t_is "… but what -p keeps" "777 1777 755" "$(stat -c %a in/new/f in/new/d in/new/d/g | xargs)"
stop "$PID"
start_files odd
rm -rf in && mkdir in
t "what is no file, folder or link" get /t in/new
t_is "… is left out" a "$(ls in/new)"
t_like "… and told" "'/t/pipe' is a fifo, left out" "$ERR"
stop "$PID"

# --- the end of a single file
start_files odd_transfer
rm -rf in && mkdir in
t_status "a transfer's end that makes no sense" 125 quick --socket "$SOCKET" download /t/f in/f
t_like "… is said to" "makes no sense: .*first" "$ERR"
t_is "… and nothing is here" '' "$(ls -A in)"
stop "$PID"

# --- what a terminal would obey
start_files terminal
ls_() { quick --socket "$SOCKET" ls "$@"; }
controls() { tr -d '\n' | LC_ALL=C grep -c "$(printf '[\001-\037\177]\|\302\233')"; }
t "ls -l of names with control characters" ls_ -l /t
t_is "… shows none" 0 "$(controls <<<"$OUT")"
t_like "… but what stands for them" "a\\\\033\[2J\\\\007'" "$OUT"
t_like "… also in targets" "-> \\$'\\\\033\]0;evil\\\\007'" "$OUT"
t_like "… and of bytes that are no UTF-8" "\\$'c\\\\2331m'" "$OUT"
"$PYTHON" -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$VSRPC" --config quick.yaml --socket "$SOCKET" ls /t >typed </dev/null
t_is "ls on a terminal shows none" 0 "$(tr -d '\r' <typed | controls)"
t_is "… but four lines" 4 "$(wc -l <typed)"
t "ls --json" ls_ --json /t
t_is "… shows none" 0 "$(controls <<<"$OUT")"
t_json "… and loses none" "d['data']['entries'][0]['name'] == 'a\x1b[2J\x07' and d['data']['entries'][2]['name_encoding'] == 'base64'" "$OUT"
stop "$PID"

done_testing
