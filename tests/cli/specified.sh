#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# vsrpc-virsh with a server that knows only the specification (tests/peer/specified.py,
# which was written from it alone): no sync, no sessions, no jobs.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

start_server() { # NAME [WAY [PROGRAM]]: what it makes of the marker
	SOCKET=$WORK/$1.sock COUNTS=$WORK/$1.counts
	: >"$COUNTS"
	"$PYTHON" "${3:-$top_srcdir/tests/peer/specified.py}" "$SOCKET" "$COUNTS" "${2:-skips}" &
	PID=$!
	PEERS+=("$PID")
	t_within 20 test -S "$SOCKET"
}
spec() { virsh_ --socket "$SOCKET" "$@"; }
asked() { grep -v /sync "$COUNTS" | sed 's/ HTTP.*//; s/?.*//' | uniq -c | sed 's/^ *//' | paste -sd, ; }
fresh() { : >"$COUNTS"; }

printf 'retry:\n  retry_interval: 0.1\n' >>host.yaml # of connections that break

# --- whatever it makes of the marker
for way in skips refuses shuts noid mute leaves; do
	start_server "$way" "$way"
	t "$way: ping" spec -v ping
	t_like "$way: … is answered" '"message":"pong"' "$OUT"
	t_like "$way: … and -v tells what is missing" 'knows only the specification .*no jobs' "$ERR"
	t_is "$way: … asked once" "1 GET /api/v1/ping" "$(asked)"
	fresh
	t_status "$way: exec" 7 spec exec -- sh -c 'echo out; exit 7'
	t_is "$way: … once" "1 POST /api/v1/shell/exec" "$(asked)"
	t "$way: doctor" spec doctor
	stop "$PID"
done

start_server all
t "quiet without -v" spec ping
t_is "…" "" "$ERR"
for command in info status "stat /etc/hostname" "service nginx restart"; do
	# shellcheck disable=SC2086
	t "$command" spec $command
	t_json "… as the server has it" "d['code'] == 0" "$OUT"
done

# --- exec
t "exec prints both outputs" spec exec --env 'A=x y' --cwd / -- sh -c 'pwd; echo "$A"; echo e >&2'
t_is "… the one" $'/\nx y' "$OUT"
t_is "… and the other" e "$ERR"
words=(printf '<%s>' '' 'a b' "it's" '"' '\' '*' '~' '$HOME' é)
t "exec's words stay what they are" spec exec -n -- "${words[@]}"
t_is "…" "$("${words[@]}")" "$OUT"
t "exec's string is the server's to split" spec exec -n "printf %s, a 'b c'"
t_is "…" "a,b c," "$OUT"
t_status "exec --json has the command's status" 7 spec --json exec -n -- sh -c 'exit 7'
t_json "…" "d['data']['exit_code'] == 7" "$OUT"
t_status "exec of nothing" 127 spec exec -n -- nosuch
t_status "exec --timeout" 124 spec exec -n --timeout 1 -- sleep 60
t_like "… with the next step" "--timeout SECONDS" "$ERR"

# --- copies, by the data flow for large files
head -c 300000 /dev/urandom >file
: >empty
for size in file empty; do
	fresh
	t "upload $size" spec upload --mode 0600 "$size" "$WORK/there"
	t "… is the same" cmp "$size" there
	t_is "… mode" 600 "$(stat -c %a there)"
	t_is "… in one request, and a look at it" "1 POST /api/v1/file/upload,1 GET /api/v1/file/info" "$(asked)"
	fresh
	t "download $size" spec download "$WORK/there" back
	t "… is the same" cmp "$size" back
	[ "$size" = empty ] || t_is "… in pieces of 64 KiB" "1 GET /api/v1/file/info,5 POST /api/v1/file/download" "$(asked)"
done
mkdir folder
t "upload into a folder" spec upload file "$WORK/folder/"
t "… that does not end as one" spec upload empty "$WORK/folder"
t_is "… tells where it is" "Upload successful: $WORK/folder/empty (0 bytes)" "$OUT"
t_not "… but not over one in it" spec upload --no-clobber empty "$WORK/folder"
t "download into a folder" spec download "$WORK/folder/file" folder
t_not "upload --no-clobber" spec upload --no-clobber file "$WORK/there"
t_like "… is a file's trouble" "File exists" "$ERR"
t_not "download of nothing" spec download "$WORK/nosuch" x
t_like "… says so" "no file" "$ERR"
sed 's/md5(whole)}/md5(b"x")}/; s/md5(content)}/md5(b"x")}/' "$top_srcdir/tests/peer/specified.py" >lies.py
stop "$PID"
start_server lies skips lies.py
t_not "an MD5 that differs is an error" spec download "$WORK/file" liar
t_like "…" "is not what is in the guest: MD5" "$ERR"
t_not "… and leaves nothing" test -e liar
t_not "… of an upload, too" spec upload file "$WORK/x"
t_like "…" "is not what is in the guest: MD5" "$ERR"
stop "$PID"

# --- what there is no way to ask for: told, and nothing was sent
start_server little refuses
fresh
while IFS='|' read -r words command; do
	# shellcheck disable=SC2086
	t_status "$command" 125 spec $command
	t_like "… names the layer" "the server in the guest knows only the specification.*$words" "$ERR"
	t_like "… and the next step" "try: .*vsrpc-agent" "$ERR"
done <<'END'
--user|exec -n --user nobody id
--umask|exec -n --umask 077 id
--output-limit|exec -n --output-limit 5 id
POST /api/v1/jobs|exec --detach id
GET /api/v1/jobs|jobs
GET /api/v1/file/list|ls /tmp
GET /api/v1/capabilities|capabilities
service/control: reload|service nginx reload
service/control: is-active|service nginx is-active
service/control: is-enabled|service nginx is-enabled
--preserve|upload -p file /tmp/x
numbers of owners|upload --owner 0 file /tmp/x
numbers of owners|upload --group 0 file /tmp/x
--resume|upload --resume file /tmp/x
several files at once|upload file empty /tmp/
folders|upload -r folder /tmp/x
--limit-rate|download --limit-rate 5 /tmp/x y
END
for option in preserve recursive; do
	t_not "download --$option" spec download "--$option" /etc/hostname y
	t_like "… names the option" "knows only the specification, which has no .*--$option" "$ERR"
done
t_status "exec with an input" 125 spec exec cat <file
t_like "…" "has not: standard input" "$ERR"
t_status "exec with a pipe" 125 spec exec cat < <(echo x)
for command in "" " " "--"; do
	words=("$command")
	[ "$command" != -- ] || words+=("")
	t_status "exec of '$command', which is empty" 125 spec exec -n "${words[@]}"
	t_like "… is not sent" "exec: the command is empty" "$ERR"
done
t_is "nothing of it was sent" "" "$(asked)"
t "doctor" spec doctor
t_like "… tells what the server is" 'warn +version +the server in the guest knows only the specification' "$OUT"
t_like "… that it answers" 'ok +auth +requests need no signature' "$OUT"
t_like "… and what it does not tell" 'not looked at: clock, abilities, kernel, policy, limits$' "$OUT"
t_is "… nor asks for it" "1 GET /api/v1/ping" "$(asked)"
stop "$PID"

# --- a part of the specification is not there, or answers are nobody's
sed '/^ *handler = DATA.get/s/$/ if "info" in target else None/' "$top_srcdir/tests/peer/specified.py" >part.py
start_server part skips part.py
for command in "exec -n id" "upload file /tmp/x"; do
	# shellcheck disable=SC2086
	t_not "$command to a server without" spec $command
	t_like "… is that server's fault" "the server in the guest cannot .*which the specification has" "$ERR"
	t_like "… and not a version's" 'try: in the guest: vsrpc-agent instead of that server$' "$ERR"
done
stop "$PID"
sed '/X-Request-ID: " + request_id\]/s/\["X-Request-ID[^*]*\* bool(request_id) + //' "$top_srcdir/tests/peer/specified.py" >nobody.py
start_server nobody skips nobody.py
printf 'connection:\n  lock_dir: %s\n  connect_timeout: 2\n' "$WORK" >short.yaml
t_not "answers without X-Request-ID" "$VSRPC" --config short.yaml --socket "$SOCKET" ping
t_like "… do not mean that nobody is there" "answers without the X-Request-ID" "$ERR"
stop "$PID"

# --- what may have run is not sent again
sed 's/^    done = subprocess.run/    os._exit(0)\n&/' "$top_srcdir/tests/peer/specified.py" >dies.py
start_server dies skips dies.py
t_status "a server that dies at it" 123 spec exec -n id
t_like "…" "outcome unknown: the command may have run" "$ERR"
t_is "… was asked once" "1 POST /api/v1/shell/exec" "$(asked)"

done_testing
