#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copies that fail: what is said to be kept is there, and what is there is said.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

mkdir allowed
printf 'security: {allowed_paths: [%s/allowed]}\nrate_limit: {requests_per_second: 0, requests_per_minute: 0}\nlogging: {file: none}\n' "$WORK" >real.yaml
start_agent real
sut() { quick --socket "$SOCKET" "$@"; }
head -c 3000000 /dev/urandom >big
cp big allowed/big
part_in() { find "$1" -name '.*part' -size +0 2>/dev/null | grep -q .; }
kept() { grep -cE 'are kept|went to the guest' err; }

# --- nothing was copied
while read -r line; do
	mkdir into
	# shellcheck disable=SC2086 # they are several
	t_not "$line" sut ${line//@/$WORK/}
	t_is "… leaves nothing" '' "$(ls -A into)"
	t_is "… of which nothing is said" '' "$(grep -E 'kept' <<<"$ERR")"
	rm -r into
done <<'END'
download --resume @big into/big
download --resume @allowed/none into/big
download --resume @allowed into/big
download --resume --checksum sha256 @big into
END
while read -r line; do
	mkdir allowed/into
	# shellcheck disable=SC2086 # they are several
	t_not "$line" sut ${line//@/$WORK/}
	t_is "… leaves nothing" '' "$(ls -A allowed/into)"
	t_is "… of which nothing is said" '' "$(grep -E 'kept' <<<"$ERR")"
	rm -r allowed/into
done <<'END'
upload --resume none @allowed/into/big
upload --resume --owner nosuchuser big @allowed/into/big
upload --resume big @into/big
END

# --- the folder goes while it is copied
# goes FOLDER COMMAND…: removes it in the middle
goes() {
	local folder=$1 status=0 copy
	shift
	mkdir "$folder"
	sut "$@" >out 2>err </dev/null &
	copy=$!
	t_within 20 part_in "$folder" || t_diag "no part in $folder"
	rm -r "$folder"
	wait "$copy" || status=$?
	[ "$status" -gt 0 ]
}
t "a download whose folder goes fails" goes into download --resume --limit-rate 1M "$WORK/allowed/big" into/big
t_is "… and does not say that anything is kept" 0 "$(kept)"
t "an upload whose folder goes fails" goes allowed/into upload --resume --limit-rate 1M big "$WORK/allowed/into/big"
t_is "… and does not say that anything is kept" 0 "$(kept)"

# --- broken off
# broken FOLDER COMMAND…: the agent is killed in the middle, and comes back later
broken() {
	local folder=$1 copy
	shift
	mkdir -p "$folder"
	sut "$@" >out 2>err </dev/null &
	copy=$!
	t_within 20 part_in "$folder" || t_diag "no part in $folder"
	t_kill -KILL "$PID"
	wait "$PID" 2>/dev/null
	rm -f "$SOCKET"
	wait "$copy"
	start_agent real
}
said() { grep -oE '[0-9]+ bytes of .* (are kept|went to the guest)' err | cut -d' ' -f1; }
broken into download --resume --limit-rate 1M "$WORK/allowed/big" into/big
t_is "a download that is broken off says what is kept" "$(find into -type f -printf '%s')" "$(said)"
t "… and is gone on with" sut -v download --resume "$WORK/allowed/big" into/big
t_like "… from there" "bytes that were here are right" "$ERR"
t "… to its end" cmp big into/big
broken allowed/into upload --resume --limit-rate 1M big "$WORK/allowed/into/big"
t_like "an upload that is broken off says what went" '^[1-9][0-9]+$' "$(said)"
t "… and is gone on with" sut -v upload --resume big "$WORK/allowed/into/big"
t_like "… from there" "bytes that were there are right" "$ERR"
t "… to its end" cmp big allowed/into/big
# ended SIGNAL COMMAND…: by it, when something has come
ended() {
	local signal=$1 copy
	shift
	rm -rf into allowed/into && mkdir -p into allowed/into
	env --default-signal="$signal" "$VSRPC" --config "$WORK/quick.yaml" --socket "$SOCKET" "$1" --limit-rate 1M "${@:2}" >out 2>err </dev/null &
	copy=$!
	t_within 20 turns_came || t_diag "no part"
	t_kill "-$signal" "$copy"
	wait "$copy"
}
turns_came() { find into allowed/into -name '.*part' -size +300k | grep -q .; }
while read -r signal status line; do
	# shellcheck disable=SC2086 # they are several
	t_status "$signal ends $line" "$status" ended "$signal" ${line//@/$WORK/}
	t_like "… which says what is kept" "interrupted; --resume goes on with what is kept of $WORK/[a-z/]+( in the guest)?\$" "$(cat err)"
	t "… and it is there" turns_came
done <<'END'
INT 130 download --resume @allowed/big @into/big
HUP 129 upload --resume big @allowed/into/big
END
# One of this size is kept when it breaks off; who ends it thinks better of it.
head -c 70000000 /dev/zero >allowed/large
t_status "TERM ends a large download" 143 ended TERM download "$WORK/allowed/large" "$WORK/into/large"
t_is "… without a word" '' "$(cat err)"
t_is "… and leaves nothing" '' "$(ls -A into)"
rm allowed/large

t_not "a job that the agent does not know" sut job deadbeef
t_like "… may be one of an agent that was killed, and run on" "what an agent that was killed had started may still run" "$ERR"
stop "$PID"

done_testing
