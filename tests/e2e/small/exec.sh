#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# exec is like running the command: status, output, words, environment.
# roads: both
# shellcheck source=../lib.sh
# shellcheck disable=SC2016,SC1003 # the guest's shell expands
. "$(dirname "$0")/../lib.sh"

run() { "$VSRPC" "$DOMAIN" exec "$@"; }

for code in 0 1 2 42 123 124 125 126 127 128 200 255; do
	t_status "exit code $code comes through" "$code" run -- sh -c "exit $code"
done
for signal in HUP:1 INT:2 KILL:9 SEGV:11 TERM:15; do
	t_status "killed by ${signal%:*} is 128 + ${signal#*:}" $((128 + ${signal#*:})) run -- sh -c "kill -${signal%:*} \$\$"
done
t_status "not found is 127" 127 run -- no-such-program
t_status "not found by path is 127" 127 run -- /no/such/program
t_status "not executable is 126" 126 run -- /etc/passwd
t_status "refused by policy is 126" 126 run 'ls; ls'
t_like "… and says what to do" 'argument vector' "$ERR"
t_status "a missing --cwd is 126" 126 run --cwd /no/such -- true
start=$EPOCHREALTIME
t_status "--timeout of exec is 124" 124 run --timeout 0.5 -- sleep 600
t_status "--timeout in front is 124, too" 124 "$VSRPC" --timeout 1 "$DOMAIN" exec -- sleep 600
t_status "a child that ignores TERM is killed" 124 run --timeout 0.5 -- sh -c 'trap "" TERM; while :; do sleep 1; done'
t_soon "timeouts do not wait for the command" 20000 "$start"
no_sleepers() { ! run -- sh -c 'grep -l "[s]leep.600" /proc/[0-9]*/cmdline' | grep -q proc; }
t "none of their processes is left" t_within 5 no_sleepers
t_status "output before a timeout is printed" 124 run --timeout "$(($(t_patience 5000) / 1000))" -- sh -c 'echo early; sleep 600'
t_is "… on standard output" early "$OUT"

t "standard output and error stay apart" run -- sh -c 'echo out; echo err >&2'
t_is "stdout is stdout" out "$OUT"
t_is "stderr is stderr" err "$ERR"
run -- printf 'no newline' >out
t_is "not a byte is added" 10 "$(wc -c <out)"
run -- sh -c 'i=0; while [ $i -lt 256 ]; do printf "\\$(printf %03o $i)"; i=$((i + 1)); done' >out
"${PYTHON:-python3}" -c 'import sys; sys.stdout.buffer.write(bytes(range(256)))' >want
t "all 256 bytes come through on stdout" cmp want out
run -- sh -c 'printf "\377\000\200" >&2' 2>out
t_is "and on stderr" "$(printf '\377\000\200' | md5sum)" "$(md5sum <out)"
t "random bytes can be made" run -- sh -c 'head -c 20000000 /dev/urandom >/tmp/20m'
run -- cat /tmp/20m >out
t_is "20 MB of binary output arrive whole" "$(run -- md5sum /tmp/20m | cut -d' ' -f1)" "$(md5_of out)"
run -- sh -c 'yes "a line of text" | head -c 20000000' >out
t_is "20 MB of text arrive whole" "$(yes 'a line of text' | head -c 20000000 | md5sum)" "$(md5sum <out)"
run -- rm /tmp/20m
rm -f out

words=$'a b\n\'q\' "d"\n\n$HOME `x` | & ; < >\n\\\n*\n\303\244\n-n\nend'
run -- printf '%s\n' 'a b' "'q' \"d\"" '' '$HOME `x` | & ; < >' '\' '*' $'\303\244' -n end >out
t_is "words arrive as they are: blanks, quotes, empty, shell characters" "$words" "$(cat out)"
t "a newline in a word" run -- printf '<%s>' $'a\nb'
t_is "… is kept" $'<a\nb>' "$OUT"
long=$(head -c 100000 /dev/zero | tr '\0' x)
t_is "a word of 100,000 bytes" 100000 "$(run -- printf %s "$long" | wc -c)"
t_is "a string is split as a shell does" $'a b\nc d\ne"f\n\n.' "$(run "printf '%s\\n' 'a b' \"c d\" e\\\"f ''"; echo .)"
run -- sh -c 'mkdir -p /tmp/p/locked /tmp/p/open && cd /tmp/p && touch locked/x open/y open/.z "open/a b" open/-n && chmod 700 locked'
t_is "… and expanded as it does" '/tmp/p/open/-n /tmp/p/open/a b /tmp/p/open/y *y /tmp/p/none* /root' "$(run "echo /tmp/p/open/* '*'y /tmp/p/none* ~")"
t_is "… in --cwd" 'open/y y*' "$(run --cwd /tmp/p "echo o*/y y*")"
t_is "… with the rights and the home of --user" '/tmp/p/open/y /tmp/p/locked/* /home/user /root' "$(run --user user "echo /tmp/p/*/y /tmp/p/locked/* ~ ~root")"
t_is "… which for root are root's" /tmp/p/locked/x "$(run "echo /tmp/p/locked/*")"
t_status "… but for the program" 125 run "/bin/l? /tmp"
run -- rm -r /tmp/p
t_is "several operands need no --" $'a b\nc' "$(run printf '%s\n' 'a b' c)"
t_status "--cwd takes an absolute path" 125 run --cwd tmp -- true
t_status "an unfinished quote is an error" 125 run "echo 'abc"

t_is "--cwd" /var "$(run --cwd /var -- pwd)"
t_is "--env adds, and may hold anything" '1=2 3|/root' "$(run --env 'A=1=2 3' --env B= -- sh -c 'echo "$A|$B$HOME"')"
t_is "--env replaces" /x "$(run --env HOME=/x -- sh -c 'echo $HOME')"
t_is "PATH is set" /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$(run -- sh -c 'echo $PATH')"
t_is "standard input is ours" hello "$(run -- cat <<<hello)"
t "--json" "$VSRPC" --json "$DOMAIN" exec -- sh -c 'echo x; exit 0'
t_json "… prints the envelope" "d['data']['stdout'] == 'x\n' and d['data']['exit_code'] == 0" "$OUT"
t_status "… and still exits as the command did" 7 "$VSRPC" --json "$DOMAIN" exec -- sh -c 'exit 7'
start=$EPOCHREALTIME
t "a child left behind holding the pipes" run -- sh -c 'sleep 300 & echo started'
t_soon "… does not hold up exec" 10000 "$start"
run -- sh -c 'for p in $(grep -l "[s]leep.300" /proc/[0-9]*/cmdline 2>/dev/null); do p=${p%/*}; kill ${p#/proc/}; done'

done_testing
