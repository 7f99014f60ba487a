#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An agent of whose answers one part does not agree with another, or with what was
# asked: it is refused, with the words for it, and nothing is left.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

start_liar() { # LIE
	SOCKET=$WORK/liar.sock
	COUNTS=$WORK/liar.counts
	rm -f "$SOCKET"
	"$PYTHON" "$top_srcdir/tests/peer/lies.py" "$SOCKET" "$COUNTS" "$1" &
	PID=$!
	PEERS+=("$PID")
	t_within 20 test -S "$SOCKET"
}
# What goes round in a circle is ended; 124 is no status that is wanted here.
lied() { timeout 200 "$VSRPC" --config "$WORK/quick.yaml" --socket "$SOCKET" "$@" </dev/null; }

printf hello >file
head -c 9437184 /dev/zero >bigfile

# --- the truth
start_liar "nothing x=1"
mkdir in
for path in /f /big; do
	t "download $path" lied download "$path" in/f
	t_is "… all of it" "$("$PYTHON" -c "print({'/f': 5, '/big': 9 << 20}['$path'])")" "$(stat -c %s in/f)"
	t "cat $path" lied cat "$path"
done
for file in file bigfile; do
	t "upload $file" lied upload "$file" /x
done
t "rm" lied rm /x
t "mkdir" lied mkdir /x
t "service" lied service x is-active
t "exec" lied exec -- echo hello
t "job" lied job "$(lied exec --detach -- echo hello)" wait
stop "$PID"

# --- files: what was there stays, and nothing is beside it.  Where only the file is
# among the words, what is wrong first depends on how long a turn was.
check_in() { # what is there
	t_is "… nothing is left${1:+ but what was there}" "${1:+f old}" "$(ls -A in)${1:+ $(cat in/f)}"
}
while IFS='|' read -r lie words path; do
	for old in '' old; do
		rm -rf in && mkdir in
		[ -z "$old" ] || printf old >in/f
		start_liar "$lie"
		t_status "$lie: download $path" 125 lied download "$path" in/f
		t_like "… is refused" "$words" "$ERR"
		check_in "$old"
		stop "$PID"
	done
	start_liar "$lie"
	t_status "$lie: cat $path" 125 lied cat "$path"
	t_like "… is refused" "$words" "$ERR"
	[ "$path" = /big ] || [[ $lie = transfer* ]] || t_is "… before a byte is printed" '' "$OUT"
	stop "$PID"
done <<'END'
content Content-Range=bytes 0-2/3|does not agree with itself: Content-Range announces 3 bytes, and Content-Length 5 of '/f'|/f
content Content-Range=bytes 0-2/3; chunked|does not agree with itself: Content-Range announces 3 bytes, and 5 came|/f
content Content-Range=bytes 0-8/9|does not agree with itself: Content-Range announces 9 bytes, and Content-Length 5|/f
content Content-Range=bytes 0-2/5|does not agree with itself: Content-Range announces 3 bytes, and Content-Length 5|/f
content Content-Range=bytes 0-2/5; body=hel|another part of '/f' than asked for|/f
content Content-Range=bytes 0-5/6|does not agree with itself: Content-Range announces 6 bytes|/f
content Content-Range=bytes 1-5/6|another part of '/f' than asked for|/f
content Content-Range=bytes 0-4/*|another part of '/f' than asked for|/f
content Content-Range=bytes 0-4/4|another part of '/f' than asked for|/f
content Content-Range=bytes 0-4|another part of '/f' than asked for|/f
content Content-Range=bytes 4-0/5|another part of '/f' than asked for|/f
content Content-Range=bytes 0-9223372036854775806/9223372036854775807|another part of '/f' than asked for|/f
content Content-Range=|another part of '/f' than asked for|/f
content status=200 OK|another part of '/f' than asked for|/f
content body=|does not agree with itself: Content-Range announces 5 bytes, and Content-Length 0|/f
content body=; chunked|does not agree with itself: Content-Range announces 5 bytes, and 0 came|/f
content status=416 Range Not Satisfiable; Content-Range=bytes */5; Content-Type=application/json; body={"version":"1.0","code":1004,"message":"x","data":{},"timestamp":1}|does not agree with itself: there is nothing from byte 0 on, and there are 5 bytes|/f
content Content-Type=application/json|does not agree with itself: Content-Range announces 5 bytes, and 0 came|/f
content#2 body=|does not agree with itself: Content-Range announces [0-9]+ bytes, and Content-Length 0|/big
content#2 body=; chunked|does not agree with itself: Content-Range announces [0-9]+ bytes, and 0 came|/big
content#2 status=200 OK; Content-Type=application/json; body={"version":"1.0","code":0,"message":"x","data":{},"timestamp":1}|another part of '/big' than asked for|/big
content#2 Content-Range=bytes 0-4194303/9437184|another part of '/big' than asked for|/big
content#2 total=9437185|does not agree with itself: one ETag for 9437184 and for 9437185 bytes of '/big'|/big
content#2 total=9437183|'/big'|/big
content#2 total=9437183; ETag="2"|'/big'|/big
content#2 status=416 Range Not Satisfiable; Content-Range=bytes */4194304; Content-Type=application/json; body={"version":"1.0","code":1004,"message":"x","data":{},"timestamp":1}|changed while it was read|/big
content#2 status=416 Range Not Satisfiable; Content-Range=bytes */9437184; Content-Type=application/json; body={"version":"1.0","code":1004,"message":"x","data":{},"timestamp":1}|changed while it was read|/big
END

# --- what is said afterwards of what was sent
while IFS='|' read -r lie words; do
	rm -rf in && mkdir in
	start_liar "$lie"
	t_status "$lie: download" 125 lied download /f in/f
	t_like "… is refused" "$words" "$ERR"
	check_in ''
	stop "$PID"
done <<'END'
transfer first=7; next=3|does not agree with itself: it sent bytes from 7 to 3
transfer next=4, digest first=1|does not agree with itself: a digest of 5 bytes from 1 on, of a file of 5 bytes, where 5 bytes from 0 on were asked for
transfer next=4, digest length=6|does not agree with itself: a digest of 6 bytes from 0
transfer next=4, digest size=4|does not agree with itself: a digest of 5 bytes from 0 on, of a file of 4 bytes
transfer next=4, digest length=4|the copy differs or the file changed
END

# --- uploads
while IFS='|' read -r lie file words; do
	start_liar "$lie"
	t_status "$lie: upload $file" 125 lied upload "$file" /x
	t_like "… is refused" "$words" "$ERR"
	[[ $lie != put\ received* ]] || t_is "… and the parts are given up" 1 "$(grep -c '^DELETE /api/v1/file/transfers/' "$COUNTS")"
	stop "$PID"
done <<'END'
put size=4|file|the copy in the guest differs \(4 bytes
put size=6|file|the copy in the guest differs \(6 bytes
put size=|file|makes no sense: 'size' is missing
put md5="0"|file|the copy in the guest differs
put md5=|file|makes no sense: 'md5' is missing
put md5=null|file|makes no sense: 'md5'
put md5=7|file|makes no sense: 'md5'
put complete=false; received=2|file|does not agree with itself: the file is stored, and is not complete
put complete=7|file|makes no sense: 'complete'
put received=1|bigfile|does not agree with itself: it took the part, and has 1 bytes, where [0-9]+ were sent
put received=9999999999|bigfile|does not agree with itself: it took the part, and has 9999999999 bytes
finish complete=false; received=1|bigfile|does not agree with itself: it took the part, and has 1 bytes, where 9437184 were sent
finish size=1|bigfile|the copy in the guest differs \(1 bytes
finish md5="0"|bigfile|the copy in the guest differs
finish md5=null|bigfile|makes no sense: 'md5'
finish complete=|bigfile|makes no sense: 'complete' is missing
END
for more in "--checksum none file" "--checksum none bigfile"; do
	start_liar "put md5=null, finish md5=null"
	# shellcheck disable=SC2086 # they are several
	t "upload $more wants no digest" lied upload $more /x
	stop "$PID"
done

# --- call shows what came, but JSON without an envelope is no answer
while read -r body; do
	[ "$body" != empty ] || body=
	start_liar "ping body=$body"
	t_status "call: '$body'" 125 lied call GET /ping
	t_is "… is shown" "$body" "$OUT"
	t_like "… and makes no sense" "the agent's answer makes no sense" "$ERR"
	t_status "--json call: '$body'" 125 lied --json call GET /ping
	t_json "… is one value" "d['code'] == 6015 and d['data']['error_type'] == 'BAD_ANSWER'" "$OUT"
	stop "$PID"
done <<'END'
empty
[]
7
"x"
null
{}
{"version":"1.0","message":"x","data":{},"timestamp":1}
{"version":"1.0","code":"0","message":"x","data":{},"timestamp":1}
{"version":"1.0","code":0.5,"message":"x","data":{},"timestamp":1}
{"version":"1.0","code":99999999999999999999,"message":"x","data":{},"timestamp":1}
{"version":"1.0","code":0,"message":"x","data":{},"timestamp":1} {}
{"version":"1.0","code":0,"message":"x","data":{},"timestamp":1}x
{"version":"1.0","code":0,
END
start_liar "ping Content-Type=text/plain; body=plain"
t "call: what is no JSON" lied call GET /ping
t_is "… is shown" plain "$OUT"
stop "$PID"

# --- commands, services, and what was removed
# A command that was started may have run on: that is 123.
while IFS='|' read -r status lie words command; do
	start_liar "$lie"
	if [[ $command = *ID* ]]; then
		t "$lie: a job" lied exec --detach -- echo hello
		id=$OUT
		t_within 20 grep -q exit_code <(lied job "$id")
		command=${command/ID/$id}
	fi
	read -ra line <<<"$command"
	t_status "$lie: $command" "$status" lied "${line[@]}"
	t_like "… is refused" "$words" "$ERR"
	t_is "… before a byte is printed" '' "$OUT"
	stop "$PID"
done <<'END'
125|start state=running; exit_code=0|its members contradict each other|exec -- true
125|start state=ended; exit_code=0; signal=SIGKILL|its members contradict each other|exec -- true
125|start output_start=7; output=3|its members contradict each other|exec -- true
123|turn X-Job-Status.output=1|does not agree with itself: output from 0 to 6, asked for from 0 on, and there is that from 0 to 1|exec -- echo hello
123|turn X-Job-Status.output_start=3|does not agree with itself: output from 0 to 6|exec -- echo hello
123|turn X-Output-Segments=1:5|makes no sense: X-Output-Segments|exec -- echo hello
123|turn X-Output-Segments=1:7|makes no sense: X-Output-Segments|exec -- echo hello
123|turn X-Output-Segments=|makes no sense: X-Output-Segments|exec -- echo hello
123|turn body=|makes no sense: X-Output-Segments|exec -- echo hello
123|turn X-Output-Offset=1; X-Job-Status.output=9|1 bytes of output are lost|exec -- echo hello
123|turn X-Job-Status.id=abcd|about another job|exec -- echo hello
125|turn X-Job-Status.output=1|does not agree with itself: output from 0 to 6|job ID output
125|turn body=; X-Output-Segments=|does not agree with itself: there is output, and it is not given|job ID output
125|turn X-Job-Status.id=abcd|about another job|job ID output
125|turn X-Output-Segments=1:5|makes no sense: X-Output-Segments|job ID output
125|job#2 id=abcd|about another job|job ID output
125|job#2 id=abcd|about another job|job ID wait
125|signal id=abcd|about another job|job ID signal TERM
125|remove removed=|removed|rm /x
125|remove path=/y|does not agree with itself: it is about '/y', where '/x' was asked|rm /x
125|directory created=|created|mkdir /x
125|directory path=/y|does not agree with itself: it is about '/y', where '/x' was asked|mkdir /x
125|remove removed=2|does not agree with itself: 2 removed, of one|rm /x
125|service name=y|does not agree with itself: it is about 'y is-active', where 'x is-active' was asked|service x is-active
125|service name=y|does not agree with itself: it is about 'y start', where 'x start' was asked|service x start
125|service action=stop|does not agree with itself: it is about 'x stop', where 'x start' was asked|service x start
125|service action=is-active|does not agree with itself: it is about 'x is-active', where 'x is-enabled' was asked|service x is-enabled
END

done_testing
