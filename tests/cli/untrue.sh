#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A server that knows only the specification, and of whose answers one member is
# missing, of another kind, or not true (tests/peer/untrue.py): nobody is told of a
# success, and no copy is left.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

SOCKET=$WORK/server.sock COUNTS=$WORK/counts
: >lies
"$PYTHON" "$top_srcdir/tests/peer/untrue.py" "$SOCKET" "$COUNTS" "$WORK/lies" &
PEERS+=("$!")
t_within 20 test -S "$SOCKET"
spec() { quick --socket "$SOCKET" "$@" </dev/null; }
lie() { printf '%s\n' "$@" >lies; }
truth() { : >lies; }

head -c 100000 /dev/urandom >file
chmod 600 file
cp file there
declare -A commands=(
	[ping]="ping" [system/info]="info" [system/status]="status" [file/info]="stat $WORK/there"
	[shell/exec]="exec -- echo out" [file/upload]="upload file $WORK/stored"
	[file/download]="download $WORK/there back" [service/control]="service nginx restart"
)

# --- the truth
for route in "${!commands[@]}"; do
	# shellcheck disable=SC2086 # several words
	t "${commands[$route]}" spec ${commands[$route]}
done

# --- every member of every example: left out, and each value of another kind.
# Kinds: Text, Number, Count, Octal, Flag, Object, List, Exit code, Md5. In small
# letters: need not be there.
"$PYTHON" - >wrong <<'END'
ROUTES = """
ping: timestamp N, uptime N
system/info: hostname T, os T, os_version T, kernel T, arch T, cpu_count C, memory_total C, memory_available C
system/status: cpu_usage N, memory_usage N, disk_usage O, load_average L, process_count C
shell/exec: exit_code E, stdout T, stderr T, duration_ms N
file/upload: path T, size C, md5 M
file/download: path T, content T, size C, total_size C, md5 m
file/info: path T, exists F, type T, size C, mode o, owner T, group T, mtime N, md5 m
service/control: name T, action T, status T, pid c
"""
KINDS = {'"x"': "T", "7": "NCE", "7.5": "N", "-1": "N", "256": "NC", "true": "F", "[]": "L", "{}": "O"}
for line in ROUTES.split("\n")[1:-1]:
    route, members = line.split(": ")
    for name, kind in (member.split() for member in members.split(", ")):
        if kind.isupper():
            print(route, name)
            print(route, name, "null")
        for value, of in KINDS.items():
            if kind.upper() not in of:
                print(route, name, value)
    for value in "", "null", "[]", "7":
        print(route, ".data", value)
    for member in ".version", ".timestamp":
        print(route, member, "[]")
    for member in ".code", ".message":
        for value in "", "null", "[]":
            print(route, member, value)
END
while read -r line; do
	read -r route name _ <<<"$line"
	lie "$line"
	rm -rf back stored
	STATUS=0
	# shellcheck disable=SC2086 # several words
	spec ${commands[$route]} >"$WORK.out" 2>"$WORK.err" || STATUS=$?
	words="makes no sense: '|envelope"
	[[ $name = .* ]] || words="makes no sense: '$name' is|gave no MD5"
	if [[ $STATUS = 12[35] ]] && [ ! -e back ] && grep -Eq "$words" "$WORK.err" \
		&& { [[ $route = shell/exec ]] || [ ! -s "$WORK.out" ]; }; then
		t_result ok "$line: is refused"
	else
		t_result 'not ok' "$line: is refused"
		t_diag "exit status: $STATUS" "$(head -c 2000 "$WORK.out" "$WORK.err")"
	fi
done <wrong

# --- what a command printed is not lost with its end
for code in -9 256 '"0"' ''; do
	lie "shell/exec exit_code $code"
	t_status "exit_code ${code:-left out}" 123 spec exec -n -- echo out
	t_is "… and what came is printed" out "$OUT"
	t_like "… with the words for it" "'exit_code' is.*; outcome unknown: the command may have run" "$ERR"
	t_not "… with --json" spec --json exec -n -- echo out
done
lie 'shell/exec .code 1001' 'shell/exec exit_code "x"'
t_not "a failure without a status" spec exec -n -- echo out
t_like "… is the server's" 'success' "$ERR"
lie 'shell/exec .code 1001'
t_not "a failure with the status 0" spec exec -n -- echo out
lie 'shell/exec .code 1002' 'shell/exec exit_code 137'
t_status "a command that was ended" 124 spec exec -n -- echo out

# --- right kinds, and not true: LIES|COMMAND|WORDS
head -c 5 /dev/zero >small
while IFS='|' read -r lies command words; do
	lie "${lies//; /$'\n'}"
	rm -rf back stored
	# shellcheck disable=SC2086 # several words
	t_not "$lies: $command" spec $command
	t_like "… is refused" "$words" "$ERR"
	t_is "… without a word of success" '' "$OUT"
	t_not "… and without a file" test -e back
done <<END
file/download content =was[:-8]|download $WORK/there back|not what was asked for
file/download content =was+was|download $WORK/there back|not what was asked for
file/download content ""|download $WORK/there back|not what was asked for
file/download content "!"|download $WORK/there back|not what was asked for
file/download size =was+1|download $WORK/there back|not what was asked for
file/download size =was-1|download $WORK/there back|not what was asked for
file/download total_size =was+1|download $WORK/there back|became another size
file/download path "/x"|download $WORK/there back|not what was asked for
file/download md5 ="0"*32|download $WORK/there back|is not what is in the guest: MD5
file/download md5 ="0"*32; file/info md5 null|download $WORK/there back|is not what is in the guest: MD5
file/download md5 ="0"*32; file/info md5|download $WORK/there back|is not what is in the guest: MD5
file/download content ="A"*len(was); file/info md5 null|download $WORK/there back|(not what was asked for|is not what is in the guest: MD5)
file/download md5 null; file/info md5 null|download $WORK/there back|gave no MD5 .*try: --checksum none
file/info md5 ="0"*32|download $WORK/there back|is not what is in the guest: MD5
file/info size =was-1|download $WORK/there back|not what was asked for|became another size
file/info size =was+1|download $WORK/there back|became another size
file/info type "directory"|download $WORK/there back|is no file but a directory
file/info exists false|download $WORK/there back|no file
file/upload size =was-1|upload file $WORK/stored|stored 99999 bytes of 100000
file/upload size =was+1|upload file $WORK/stored|stored 100001 bytes of 100000
file/upload md5 ="0"*32|upload file $WORK/stored|is not what is in the guest: MD5
file/upload md5 null|upload file $WORK/stored|gave no MD5 .*try: --checksum none
file/upload md5|upload file $WORK/stored|gave no MD5 .*try: --checksum none
file/download md5; file/info md5|download $WORK/there back|gave no MD5 .*try: --checksum none
file/upload path "/x"|upload file $WORK/stored|it stored '/x', and '$WORK/stored' is a file
file/info exists false|upload file $WORK/stored|is not there
file/info path "/x"|upload file $WORK/stored|and '/x' is a file
file/info type "directory"|upload file $WORK/stored|is a directory
file/info size =was-1|upload file $WORK/stored|stored 99999 bytes of 100000
file/info md5 ="0"*32|upload file $WORK/stored|is not what is in the guest: MD5
file/info .code 5001|upload file $WORK/stored|looking at what was stored
file/info owner "x"|upload --owner $(id -un) file $WORK/stored|is stored, but its owner is 'x', and not '$(id -un)' as asked for
file/info group "x"|upload --group $(id -gn) file $WORK/stored|is stored, but its group is 'x'
file/info mode "0644"|upload --mode 0640 file $WORK/stored|is stored, but its mode is '0644', and not '0640'
shell/exec .code -1|exec -n true|envelope
service/control name "x"|service nginx start|it is about 'x start', where 'nginx start' was asked
service/control action "stop"|service nginx start|it is about 'nginx stop', where 'nginx start' was asked
service/control name "x"|service nginx status|it is about 'x status'
END

# --- and what is true
while IFS='|' read -r lies command; do
	lie "${lies//; /$'\n'}"
	rm -rf back stored
	# shellcheck disable=SC2086 # several words
	t "$lies: $command" spec $command
	case $command in
	*" back") t "… the same" cmp there back ;;
	upload*) t "… the same" cmp file stored ;;
	esac
done <<END
file/download md5 =was.upper(); file/info md5 =was.upper()|download $WORK/there back
file/download md5 ="$(md5sum <there | cut -c-32)"|download $WORK/there back
file/download md5 ="$(md5sum <there | cut -c-32)"; file/info md5 null|download $WORK/there back
file/info md5|download $WORK/there back
file/download md5|download $WORK/there back
file/download md5 null|download $WORK/there back
file/info md5 null|download $WORK/there back
file/download md5; file/info md5|download --checksum none $WORK/there back
file/info path "/y"; file/download path "/y"|download $WORK/there back
file/upload md5 =was.upper()|upload file $WORK/stored
file/upload md5 null; file/info md5 null|upload --checksum none file $WORK/stored
file/info path "/y"; file/upload path "/y"|upload file $WORK/stored
file/info mode "100600"|upload --mode 600 file $WORK/stored
file/info md5|upload file $WORK/stored
file/info md5 null; file/info mtime 1.5|upload file $WORK/stored
service/control pid null|service nginx stop
END
lie 'file/info mode "0644"'
t "a mode that nobody named" spec upload file "$WORK/stored"
t_like "… is told when it lets others in" "is stored with mode 0644, and not 0600" "$ERR"

# --- what a server might not do is not asked for
truth
printf old >stored
: >"$COUNTS"
t_not "upload --no-clobber" spec upload --no-clobber file "$WORK/stored"
t_is "… sends nothing" 0 "$(grep -c upload "$COUNTS")"
t_is "… and leaves what is there" old "$(cat stored)"
rm stored
t "… of a new file" spec upload --no-clobber file "$WORK/stored"
for option in "--owner $(id -un)" "--group $(id -gn)" "--mode 0640"; do
	# shellcheck disable=SC2086 # several words
	t "upload $option" spec upload $option file "$WORK/stored"
done
t_is "… by the server's word" 640 "$(stat -c %a stored)"
t_not "upload --owner of nobody it knows" spec upload --owner no-such-user file "$WORK/stored"
t_not "… without success" grep -q successful <<<"$OUT"
done_testing
