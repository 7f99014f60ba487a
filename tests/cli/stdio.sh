#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Standard input, output and error: missing ones, broken ones, and one input for
# several domains.
# shellcheck source=lib.sh
# shellcheck disable=SC2016 # the command's shell expands
. "${top_srcdir:-.}/tests/cli/lib.sh"

policy='security: {allowed_commands: ["*"], shell: true, allowed_paths: [%s, /proc], forbidden_paths: [/none]}\nrate_limit: {requests_per_second: 0, requests_per_minute: 0}\nlogging: {file: none}\n'
# shellcheck disable=SC2059 # it is a format
for agent in one two; do printf "$policy" "$WORK" >"$agent.yaml"; done
start_agent two
TWO=$SOCKET
start_agent one
printf 'logging:\n  file: %s\n  level: debug\nconnection: {lock_dir: %s}\n' "$WORK/host.log" "$WORK" >logs.yaml
sut() { "$VSRPC" --config "$WORK/logs.yaml" --socket "$SOCKET" "$@"; }
echo content >file

# --- output that cannot be written is an error, whichever command has it
# with HOW COMMAND…: its standard streams as HOW says.
with() {
	case $1 in
	'>&-') "${@:2}" >&- ;;
	'>/dev/full') "${@:2}" >/dev/full ;;
	'2>&-') "${@:2}" 2>&- ;;
	'2>/dev/full') "${@:2}" 2>/dev/full ;;
	'<&-') "${@:2}" <&- ;;
	'0>') "${@:2}" 0>write-only ;;
	esac
}
id=$(sut exec --detach -- echo done)
while read -r line; do
	line=${line//ID/$id}
	read -ra words <<<"${line//@/$WORK/}"
	for how in '>&-' '>/dev/full'; do
		# not t_status: what it catches would be standard output
		with "$how" sut "${words[@]}" 2>err </dev/null
		t_is "$line $how" 125 $?
		t_like "… says so" 'standard output.*: (Bad file descriptor|No space left on device)' "$(cat err)"
		t_is "… and is certain" 0 "$(grep -c 'outcome unknown' err)"
	done
	with '2>&-' sut "${words[@]}" >out </dev/null
	t_is "$line 2>&-" 0 $?
	with '<&-' sut "${words[@]}" >/dev/null
	t_is "$line <&-" 0 $?
done <<'END'
ping
info
status
capabilities
exec -- echo X
exec -n -- echo X
exec --detach -- true
--json exec -n -- echo X
--json ping
jobs
job ID
job ID output
job ID output --follow
cat @file
download @file -
ls @
stat @file
upload file @copy
call GET /ping
doctor
help
help exec
--help
--version
END
t_is "no line of a guest is in the log" 0 "$(grep -c '^X$' host.log)"
for how in '>&-' '>/dev/full'; do
	for option in --help --version "--check-config --config one.yaml"; do
		# shellcheck disable=SC2086 # they are several
		with "$how" "$AGENT" $option 2>err
		t_is "vsrpc-agent $option $how" 1 $?
		t_like "… says so" 'standard output: ' "$(cat err)"
	done
done
for how in '2>&-' '2>/dev/full'; do
	with "$how" sut exec -n -- sh -c 'echo X >&2' >out
	t_is "what a command has to say of errors, $how" 125 $?
done
with '>/dev/full' sut exec -n -- sh -c 'while echo X; do :; done; touch lived' 2>err
t_is "a command that goes on to say something" 125 $?
t_is "… has nowhere to say it" 'vsrpc-virsh: standard output: No space left on device' "$(cat err)"
: >write-only
for how in '<&-' '0>'; do
	with "$how" sut exec -- sh -c 'cat; exit 7' >out
	t_is "without an input ($how) a command has its own exit status" 7 $?
	with "$how" sut upload - "$WORK/new" 2>err
	t_is "… but there is no file without content" 125 $?
	t_like "… and a word" "Bad file descriptor" "$(cat err)"
done
t "… indeed" [ ! -e new ]
echo old >kept
for how in '<&-' '0>'; do
	for body in - @-; do
		t_status "call … $body without an input ($how)" 125 with "$how" sut call PUT "/file/content?path=$WORK/kept" "$body"
		t_like "… has a word" "body '$body': Bad file descriptor" "$ERR"
		t_is "… and no empty body" old "$(cat kept)"
	done
done
printf 'first\nrest' >lines
{ read -r _; sut call PUT "/file/content?path=$WORK/kept" - >/dev/null; } <lines
t_is "call … - begins where the input stands" rest "$(cat kept)"

for user in '' ':daemon'; do
	t_status "exec --user '$user' is not root's" 125 sut exec --user "$user" -- id
	t_like "… for there is no such name" "user" "$ERR"
done
t "call HEAD does not wait for a body" timeout 200 "$VSRPC" --config logs.yaml --socket "$SOCKET" call HEAD "/file/content?path=$WORK/file"
t_like "… and shows the head" 'Content-Length: 8' "$OUT"
t_status "… of an error, too" 1 timeout 200 "$VSRPC" --config logs.yaml --socket "$SOCKET" call HEAD "/file/content?path=$WORK/none"
t "a digest without a length is that of all" sut call GET "/file/digest?path=$WORK/file"
t_json "… and not of nothing" "d['data']['length'] == 8 and d['data']['digest'] == '$(md5_of file)'" "$OUT"

# --- what cannot be read is no end
t_status "exec </" 125 sut exec -- sh -c 'cat >got' </
t_like "… says so" 'standard input: Is a directory; the command had 0 bytes of it' "$ERR"
t_status "upload - </" 125 sut upload - "$WORK/new" </
t "… makes no file" [ ! -e new ]
t_status "a file of no size that cannot be read is not an empty one" 125 sut upload /proc/self/mem "$WORK/new"
t_like "… says so" "Input/output error" "$ERR"
t "… nor is it here" [ ! -e new ]
t_not "… nor in a guest" sut download /proc/self/mem new
t_like "… says so" "Input/output error" "$ERR"
t "… nor is it here" [ ! -e new ]

# --- several domains: each has all of the input
{
	domain web1 1 "$(channel org.vsrpc.agent.0 "$SOCKET")"
	domain web2 2 "$(channel org.vsrpc.agent.0 "$TWO")"
} | node node
all() { quick -c "test://$WORK/node.xml" "$@"; }
if ! all list >/dev/null 2>&1; then
	t_skip "several domains" "this libvirt has no test driver"
	done_testing
	exit
fi
both() { printf 'web1: %s\nweb2: %s\n' "$1" "$1"; }
seq 200000 >many
while IFS='|' read -r name more; do
	# shellcheck disable=SC2086 # they are several
	case $name in
	pipe) cat many | all $more 'web*' exec -- md5sum ;;
	file) all $more 'web*' exec -- md5sum <many ;;
	rest) { read -r _; all $more 'web*' exec -- md5sum; } <many ;;
	esac >out 2>err
	want=$(md5_of many)
	[ "$name" != rest ] || want=$(tail -n +2 many | md5sum | cut -d' ' -f1)
	t_is "exec has a $name ($more)" "$(both "$want  -")" "$(sort out)"
done <<'END'
pipe|
pipe|--parallel 1
file|
file|--parallel 1
rest|
END
t_is "/dev/null is no input" '' "$(all 'web*' exec -- cat </dev/null 2>/dev/null)"
t_is "-n leaves it alone" rest "$({ all -q 'web*' exec -n -- cat; cat; } <<<rest)"
t_is "who takes a line of what has no end" "$(both y)" "$(yes | all -q 'web*' exec -- head -n 1 | sort)"
mkfifo open
sleep 1000 >open & # it holds the pipe open, and is killed
holder=$!
t "who wants none of what never comes" all 'web*' exec -- true <open
t_kill "$holder"
echo old >target
cat many | all -q web1,web2 upload - "$WORK/target" >/dev/null
t "upload - is all of it, for all" cmp many target
cat many | all -q --parallel 1 web1,web2 upload - "$WORK/target" >/dev/null
t "… also one after the other" cmp many target
echo '{"argv": ["echo", "called"]}' | all web1,web2 call POST shell/exec - >out
t_is "call has it, too" 2 "$(grep -c 'called' out)"
echo old >target
t_status "an input that cannot be read" 125 all 'web*' upload - "$WORK/target" </
t_like "… is said to be" "standard input: Is a directory" "$ERR"
t_is "… and replaces nothing" old "$(cat target)"

# --- several domains: each line is JSON
# records COMMAND…: what does not hold of the lines that it writes
records() {
	all --json 'web*' "$@" </dev/null 2>/dev/null | "$PYTHON" -c '
import json, sys
*records, last = [json.loads(line) for line in sys.stdin]
names = [record["domain"] for record in records]
failures = {record["domain"]: record["exit_status"] for record in records if record["exit_status"]}
assert set(names) == {"web1", "web2"}, names
assert last == {"summary": {"domains": 2, "succeeded": 2 - len(failures), "failed": len(failures), "failures": failures}}, last
print("well, failed:", len(failures))' 2>&1 | tail -n 1
}
while IFS='|' read -r failed line; do
	read -ra words <<<"${line//@/$WORK/}"
	t_is "--json $line" "well, failed: $failed" "$(records "${words[@]}")"
done <<'END'
0|ping
2|exec -- false
2|exec -- no-such-program
0|exec -- head -c 5000000 /dev/zero
0|exec --detach -- true
0|ls @
0|cat @file
2|cat @none
0|download @file -
0|download @file /dev/stdout
0|download @file @file /dev/stdout
0|stat @file
0|upload @file @copy
0|jobs
0|doctor
2|job ab12 output
END

# Whatever ends them, each has a record with a code, and the summary comes.
# said STATUS CODE NAME…: what does not hold of the lines in out
said() {
	"$PYTHON" -c '
import json, sys
status, code, *names = sys.argv[1:]
*records, last = [json.loads(line) for line in open("out", encoding="utf-8")]
assert sorted(record["domain"] for record in records) == names, records
for record in records:
    assert (record["exit_status"], record["code"]) == (int(status), int(code)) and record["data"]["detail"], record
assert last["summary"]["failures"] == dict.fromkeys(names, int(status)), last
print("well")' "$@" 2>&1 | tail -n 1
}
while IFS='|' read -r how line; do
	read -ra words <<<"${line//@/$WORK/}"
	case $how in
	folder) all --json web1,web2 "${words[@]}" </ ;;
	closed) with '<&-' all --json web1,web2 "${words[@]}" ;;
	spool) echo x | TMPDIR=/none all --json web1,web2 "${words[@]}" ;;
	esac >out 2>err
	t_is "--json, input $how: $line" "125 well" "${PIPESTATUS[*]: -1} $(said 125 6017 web1 web2)"
done <<'END'
folder|upload - @target
closed|upload - @target
spool|upload - @target
folder|exec -- cat
spool|exec -- cat
END
sleep 1000 >open & # it holds the pipe open, and is killed
holder=$!
"$VSRPC" --config quick.yaml -c "test://$WORK/node.xml" --json web1,web2 upload - "$WORK/target" <open >out 2>err &
victim=$!
t_within 20 grep -q . "/proc/$victim/task/$victim/children"
t_kill -TERM "$victim"
wait "$victim"
t_is "--json, interrupted" "143 well" "$? $(said 143 6016 web1 web2)"
t_kill "$holder"
all --json "$(printf 'w\377,w\033')" ping >out 2>err
t_is "--json of names that are no text" well "$(said 125 6004 $'w\033' 'w?')"

# What a guest says is not taken for ours, whatever it looks like.
printf '%s\n' '{"domain":"web9","exit_status":0,"code":0}' '{"summary":{"domains":2}}' '' '{"a":1.}' >forged
printf abc >short
id1=$(quick --socket "$SOCKET" exec --detach -- cat "$WORK/forged")
quick --socket "$SOCKET" job "$id1" wait
while IFS='|' read -r want line; do
	read -ra words <<<"${line//@/$WORK/}"
	all --json 'web1,web2' "${words[@]//ID/$id1}" </dev/null >out 2>/dev/null
	t_is "--json $line: what it says is a text" "$want" "$("$PYTHON" -c '
import json, sys
content = open(sys.argv[1]).read()
records = [json.loads(line, object_pairs_hook=lambda pairs: dict(pairs) if len(dict(pairs)) == len(pairs) else {"domain": "twice"}) for line in open("out")]
mine = [record for record in records if record.get("domain") == "web1"]
print(sum(record.get("output") == content for record in mine), sum("code" in record for record in mine), "summary" in records[-1], len(records))' "$WORK/${words[1]##*/}" 2>&1 | tail -n 1)"
done <<'END'
1 0 True 3|cat @forged
1 0 True 3|download @forged -
1 1 True 5|cat @short @none
END
t_is "… nor a job's" 1 "$(all --json web1,web2 job "$id1" output 2>/dev/null | grep -c '"output":"{.*web9')"
t_is "ls --json, behind the command" 3 "$(all web1,web2 ls --json "$WORK" 2>/dev/null | "$PYTHON" -c 'import json, sys; print(len([json.loads(line) for line in sys.stdin]))')"

while read -r line; do
	# shellcheck disable=SC2086 # they are several
	t_not "several: $line" all 'web*' $line </dev/null
	t_like "… is refused" "one domain at a time|no terminal" "$ERR"
done <<'END'
edit /target
shell
exec -t -- true
END
# --- a name of standard output, or of any descriptor, is no file to replace
mkdir into
ln -s /dev/stdout named
ln -s named into_it
while read -r target options; do
	{
		echo before
		# shellcheck disable=SC2086 # no word, or one
		sut download $options "$WORK/file" "$target" 3>&1
		status=$?
		echo after
	} >written
	t_is "download $options FILE $target" 0 "$status"
	t_is "… goes on where the output stands" "before content after" "$(xargs <written | sed 's/Download successful: [^ ]* ([^)]*) //')"
done <<END
-
/dev/stdout
/dev/fd/1
/proc/self/fd/1
named
into_it
$WORK/into/../named
/dev/fd/3
/dev/stdout -p
/dev/fd/3 -p
END
mkfifo pipe
for options in '' -p; do
	cat pipe >got & reader=$!
	# shellcheck disable=SC2086 # no word, or one
	t "download $options to a pipe" sut download $options "$WORK/file" pipe
	wait "$reader"
	t_is "… goes through it" "content fifo" "$(cat got) $(stat -c %F pipe)"
done
t_not "download -r to a pipe" sut download -r "$WORK/file" pipe
t_is "… leaves it" fifo "$(stat -c %F pipe)"

t_status "standard input among others" 2 sut upload - file "$WORK" </dev/null
t_status "… and with -r" 2 sut upload -r - "$WORK/new" </dev/null
for folder in into into/; do
	t_not "upload - $folder" sut upload - "$WORK/$folder" <file
	t_like "… says what to do" "standard input has no name: name the file" "$ERR"
	t_is "… and makes nothing" '' "$(ls into)"
done
t_status "standard input twice" 2 sut upload - - "$WORK" </dev/null
stop "$PID"

done_testing
