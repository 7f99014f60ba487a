# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2016 # the guest's shell expands
#
# The main commands, between any two programs that meet. Sourced behind
# tests/e2e/lib.sh, in an empty folder, by whoever knows how to reach the guest:
#   VSRPC      the host's tool
#   TARGET     array: the words that name the guest (--socket PATH, or a domain)
#   GUEST_DIR  a folder to be made in the guest, for this alone
#   DENIED     a file there that the agent's policy forbids
#   HOST_IS, GUEST_IS  what the two are, for the descriptions
#   LONG_POLICY  set: the agent's lists of paths are longer than doctor shows
# The assertions are the same for every pair: what one version lacks has to be
# left out here by name, with the message that is to come instead.

# Nothing that hangs keeps a run; 255 would be no status of ours.
at() { timeout -s KILL 60 "$VSRPC" "${TARGET[@]}" "$@"; }
json() { timeout -s KILL 60 "$VSRPC" --json "${TARGET[@]}" "$@"; }

WIDE='ñ€𝄞' # two, three and four bytes in UTF-8
pair_name() { echo "$HOST_IS tool, $GUEST_IS agent"; }

pair_about() {
	t "$(pair_name): ping" at ping
	t_json "… pong" "d['code'] == 0 and d['message'] == 'pong'" "$OUT"
	t "info" at info
	t_json "… of a system" "types(d['data'], hostname=str, kernel=str, cpu_count=int)" "$OUT"
	t "status" at status
	t_json "… of its load" "types(d['data'], process_count=int, disk_usage=(dict, list))" "$OUT"
	t "capabilities" at capabilities
	t_json "… with what there is to ask for" "'GET /api/v1/ping' in d['data']['endpoints'] and types(d['data'], agent_version=str, limits=dict, policy=dict)" "$OUT"
	t "--json ping" json ping
	t_json "… is JSON" "d['message'] == 'pong'" "$OUT"
}

pair_exec() {
	local rc=0
	t "exec" at exec -- true
	t_status "… its exit code" 3 at exec -- sh -c 'exit 3'
	t_status "… killed by a signal" 137 at exec -- sh -c 'kill -9 $$'
	t_status "… no such program" 127 at exec -- no-such-program
	t "a file that is no program" at exec -- sh -c 'echo true >"$1/plain" && chmod 644 "$1/plain"' sh "$GUEST_DIR"
	t_status "… cannot be run" 126 at exec -- "$GUEST_DIR/plain"
	t_status "… its time" 124 at exec --timeout 0.5 -n -- sleep 50
	t_like "… is said to be over" 'timed out after 0\.5 s' "$ERR"
	t "both streams" at exec -- sh -c 'echo out; echo err >&2'
	t_is "… standard output" out "$OUT"
	t_is "… standard error" err "$ERR"
	head -c 1048576 /dev/urandom >in
	at exec -- cat <in >out || rc=$?
	t_is "1 MB in and out" "0 $(md5_of in)" "$rc $(md5_of out)"
	t "one string" at exec 'echo "a  b" é'
	t_is "… is split as a shell does" 'a  b é' "$OUT"
	t "a shell" at exec --shell "printf %s '$WIDE' | wc -c"
	t_is "… counts bytes" 9 "$(tr -d ' ' <<<"$OUT")"
	t "a word of two bytes" at exec -- printf %s é
	t_is "… comes back" é "$OUT"
	t "output of the agent's side alone" at exec -- printf '\303\261\342\202\254\360\235\204\236'
	t_is "… is the same" "$WIDE" "$OUT"
	t "words that are not UTF-8" at exec -- sh -c 'printf %s "$1" | od -An -tx1' sh $'\xff\xe9'
	t_is "… arrive" 'ffe9' "${OUT//[[:space:]]/}"
	t_is "output that is not UTF-8" 'ff00fe' "$(at exec -- printf '\377\000\376' | od -An -tx1 | tr -d ' \n')"
	t "--env and --cwd" at exec --env "WORD=$WIDE" --cwd "$GUEST_DIR" -- sh -c 'echo "$WORD"; pwd'
	t_is "… of such words" "$WIDE"$'\n'"$GUEST_DIR" "$OUT"
	t_status "--json exec" 3 json exec -- sh -c 'printf "$1"; exit 3' sh "$WIDE"
	t_json "… is JSON" "d['data']['stdout'] == '$WIDE' and d['data']['exit_code'] == 3" "$OUT"
}

pair_jobs() {
	local id
	t "exec --detach" at exec --detach -- sh -c 'echo "$1"; echo err >&2; exit 9' sh "$WIDE"
	id=$OUT
	t_like "… prints an id" '^[0-9a-f]{8}$' "$id"
	t_status "job wait has its exit code" 9 at job "$id" wait
	t "jobs" at jobs
	t_like "… has it" "$id" "$OUT"
	t "--json jobs" json jobs
	t_json "… has it" "[j['exit_code'] for j in d['data']['jobs'] if j['id'] == '$id'] == [9]" "$OUT"
	t "job output" at job "$id" output
	t_is "… standard output" "$WIDE" "$OUT"
	t_is "… standard error" err "$ERR"
	t "job" json job "$id"
	t_json "… with its words" "d['data']['argv'][-1] == '$WIDE' and d['data']['state'] == 'ended'" "$OUT"
	t "job remove" at job "$id" remove
	t_status "… it is forgotten" 1 at job "$id"
	t "one that goes on" at exec --detach -- sleep 600
	id=$OUT
	t "… gets a signal" at job "$id" signal TERM
	t_status "… and ends by it" 143 at job "$id" wait
	t "… and is removed" at job "$id" remove
}

pair_copies() {
	local size name
	for size in 0 11 5242880; do
		name="$size ñ bytes"
		head -c "$size" /dev/urandom >"$name"
		t "upload of $size bytes" at upload "$name" "$GUEST_DIR/$name"
		t_is "… is right" "$(md5_of "$name")" "$(at exec -- md5sum "$GUEST_DIR/$name" | tr -d \\\\ | cut -d' ' -f1)"
		t "download" at download "$GUEST_DIR/$name" "$name.back"
		t "… is right" cmp "$name" "$name.back"
		t_is "cat" "$(md5_of "$name")" "$(at cat "$GUEST_DIR/$name" | md5sum | cut -d' ' -f1)"
	done
	at upload - "$GUEST_DIR/from input" <in
	t_is "upload of standard input" 0 "$?"
	t_is "download to standard output" "$(md5_of in)" "$(at download "$GUEST_DIR/from input" - | md5sum | cut -d' ' -f1)"
	t "upload --mode" at upload --mode 0640 "11 ñ bytes" "$GUEST_DIR/moded"
	t_is "… has it" 640 "$(at exec -- stat -c %a "$GUEST_DIR/moded")"
	t "--json upload" json upload "11 ñ bytes" "$GUEST_DIR/json ñ"
	t_json "… is JSON" "d['code'] == 0 and d['data']['size'] == 11" "$OUT"
	t "--json download" json download "$GUEST_DIR/json ñ" json.back
	t_json "… is JSON" "d['code'] == 0 and d['data']['size'] == 11" "$OUT"
}

# What find tells of a tree: kind, mode, time, size or link, name.
tree_words() { (cd "$1" && find . -mindepth 1 \( -type d -printf 'd %m - %P\n' \) -o \( -type l -printf 'l %l %P\n' \) -o -printf 'f %m %T@ %s %P\n' | LC_ALL=C sort); }

pair_trees() {
	mkdir -p "tree ñ/below é/deep" "tree ñ/empty"
	echo "$WIDE" >"tree ñ/below é/deep/file $WIDE"
	: >"tree ñ/nothing"
	touch -d '2020-02-03 04:05:06' "tree ñ/nothing"
	chmod 750 "tree ñ/nothing"
	ln -s "below é/deep" "tree ñ/link"
	t "upload -rp" at upload -rp "tree ñ" "$GUEST_DIR/tree ñ"
	t "download -rp" at download -rp "$GUEST_DIR/tree ñ" back
	t_is "… the same comes back" "$(tree_words "tree ñ")" "$(tree_words back)"
	t "… with the content" cmp "tree ñ/below é/deep/file $WIDE" "back/below é/deep/file $WIDE"
	t "ls" at ls "$GUEST_DIR/tree ñ"
	t_is "… the names" $'below é\nempty\nlink\nnothing' "$OUT"
	t "ls -l" at ls -l "$GUEST_DIR/tree ñ"
	t_like "… modes and names" "-rwxr-x--- .*nothing" "$OUT"
	t "ls --json" at ls --json "$GUEST_DIR/tree ñ"
	t_json "… is JSON" "'below é' in json.dumps(d, ensure_ascii=False)" "$OUT"
	t "mkdir -p" at mkdir -p "$GUEST_DIR/new é/below"
	t_status "mkdir of what is there" 1 at mkdir "$GUEST_DIR/new é"
	t "stat" at stat "$GUEST_DIR/new é"
	t_json "… is JSON" "d['data']['type'] == 'directory' and d['data']['path'].endswith('new é')" "$OUT"
	t "rm of a file" at rm "$GUEST_DIR/moded"
	t "… stat" at stat "$GUEST_DIR/moded"
	t_json "… says that it has gone" "d['data']['exists'] is False" "$OUT"
	t_status "rm of a folder with something in it" 1 at rm "$GUEST_DIR/new é"
	t "rm -r" at rm -r "$GUEST_DIR/new é" "$GUEST_DIR/tree ñ"
	t_status "… they have gone" 1 at ls "$GUEST_DIR/tree ñ"
}

pair_calls() {
	t "call GET" at call GET /ping
	t_json "… is answered" "d['message'] == 'pong'" "$OUT"
	t "call POST" at call POST /shell/exec "{\"argv\": [\"printf\", \"%s\", \"$WIDE\"]}"
	t_json "… with what is not ASCII" "d['data']['stdout'] == '$WIDE'" "$OUT"
	printf '{"command": "echo é"}' >body
	t "… from a file" at call POST /shell/exec @body
	t_json "… as well" "d['data']['stdout'] == 'é\n'" "$OUT"
	t_status "a route that nobody has" 1 at call GET /no-such-thing
	t_json "… is answered so" "d['code'] == 3001 and d['data']['error_type'] == 'ENDPOINT_NOT_FOUND'" "$OUT"
}

pair_errors() {
	local command
	for command in cat ls rm; do
		t_status "$command of what is not there" 1 at "$command" "$GUEST_DIR/no ñ"
		t_like "… in words" '[Nn]o such file|does not exist' "$ERR"
	done
	t_status "download of it" 1 at download "$GUEST_DIR/no ñ" none
	t_like "… in words" "no ñ.*does not exist" "$ERR"
	t_not "… and makes no file" test -e none
	t_status "upload below it" 1 at upload "11 ñ bytes" "$GUEST_DIR/no ñ/file"
	t_status "a path that the policy forbids" 126 at cat "$DENIED"
	t_like "… in words" '[Pp]ermission denied|not allowed|forbidden' "$ERR"
	t_status "… to be written" 126 at upload "11 ñ bytes" "$DENIED"
	t_status "… as JSON" 126 json upload "11 ñ bytes" "$DENIED"
	t_json "… is JSON" "d['code'] == 4001" "$OUT"
	t_status "what no shell is there to do" 126 at exec 'echo a; echo b'
	t_like "… in words" "exec -- PROGRAM" "$ERR"
}

# The abilities that today's tool misses in an older agent.
pair_lacks() {
	case "$HOST_IS $GUEST_IS" in
	'today 9f2a6be') echo units users ;;
	esac
}

# Never as root in silence: an agent that would ignore the user is not asked.
pair_user() {
	"$VSRPC" help rm | grep -q -e --user || return 0
	t "upload of a file" at upload "11 ñ bytes" "$GUEST_DIR/roots"
	if [[ " $(pair_lacks) " = *' users '* ]]; then
		t_status "rm --user" 1 at rm --user nobody "$GUEST_DIR/roots"
		t_like "… is more than the agent can" "cannot act on files with a user's rights" "$ERR"
	else
		t_status "rm --user of what is not the user's" 126 at rm --user nobody "$GUEST_DIR/roots"
	fi
	t "… removes nothing" at cat "$GUEST_DIR/roots"
}

# Its checks are rows that one process of it sends to another as JSON.
pair_doctor() {
	t "doctor" at doctor
	t_is "… comes to its end" 0 "$(grep -c 'ended by itself' <<<"$OUT$ERR")"
	t_is "… every check is well or only worth a word" '' "$(grep -E '^[^ ]' <<<"$OUT" | grep -Ev '^(ok|warn|-) ' | grep -v '^ ')"
	t_like "… to the last of them" '(ok|warn) +limits' "$OUT"
	t_is "… what the agent cannot do is named" "$(pair_lacks)" "$(grep -o 'cannot: .*' <<<"$OUT" | grep -o '([a-z]*)' | tr -d '()' | xargs)"
	[ -z "${LONG_POLICY:-}" ] || t_like "… lists are cut, and say so" 'reads below: [^;]*, …' "$OUT"
	t "--json doctor" json doctor
	t_json "… is JSON" "all(r['state'] in ('ok', 'warn', 'skipped') for r in d)" "$OUT"
}

# One folder for all, which nothing is left of.
pair_commands() {
	t "$(pair_name): mkdir" at mkdir -p "$GUEST_DIR"
	pair_about
	pair_exec
	pair_jobs
	pair_copies
	pair_trees
	pair_calls
	pair_user
	pair_errors
	pair_doctor
	t "$(pair_name): rm -r" at rm -r "$GUEST_DIR"
	t_status "… nothing is left" 1 at ls "$GUEST_DIR"
}
