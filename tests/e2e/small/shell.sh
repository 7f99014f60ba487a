#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A terminal in the guest, with a person (tmux) in front of it.
# roads: both
# shellcheck source=../lib.sh
# shellcheck disable=SC2016 # the guest's shell expands
. "$(dirname "$0")/../lib.sh"

mux() { tmux -L "vsrpc-$$" "$@"; }
t_finally mux kill-server
screen() { mux capture-pane -p -t pane; }
shows() { screen | grep -qE "$1"; }
sees() { # DESCRIPTION SECONDS PATTERN: and what is there instead, if it is not
	if t_within "$2" shows "$3"; then
		t_result ok "$1"
	else
		t_result 'not ok' "$1"
		t_diag "not seen: $3"
		t_diag "$(screen | sed '/^$/d')"
	fi
}
keys() { mux send-keys -t pane "$@"; }
typed() { keys -l "$1" && keys Enter; }

# A shell on the host, in which the command is typed: so one sees what it leaves.
mux -f /dev/null new-session -d -s pane -x 80 -y 24 \
	"env -i PATH='$PATH' TERM=screen HOME=/ PS1='HOST> ' LIBVIRT_DEFAULT_URI='$LIBVIRT_DEFAULT_URI' sh"
sees "there is a shell on the host" 10 '^HOST>'

# What is typed while a program changes the terminal's mode may be thrown away, as
# on any terminal: a person waits for the prompt, and so do we, with another one
# each time.
#
# No prompt of four characters may stand in the first line: busybox (read_key.c in
# libbb) asks the terminal where the cursor is, and takes the answer "ESC [ 1 ; 5 R"
# for a key that it does not know, together with the next ten that are typed.
turn=100
back() { t_within 5 shows "^$turn>"; } # to the last one
prompt() { [ "$(screen | sed '/^$/d')" = "$turn>" ]; }
fresh() {
	turn=$((turn + 1))
	typed "PS1='$turn> '; clear" && t_within 10 prompt
}
begin() { # ARG…: leaves an empty screen with the guest's prompt
	typed "clear; echo; $VSRPC $DOMAIN $*; echo left=\$?"
	t_within 15 shows '^~ [#$]' && fresh
}
continues() { "$VSRPC" "$DOMAIN" exec -- sh -c 'for p in $(pidof sleep); do grep -q "^State:.S" /proc/$p/status && exit 0; done; exit 1'; }
runs() { "$VSRPC" "$DOMAIN" exec -- sh -c 'grep -q "^sleep.$0" /proc/[0-9]*/cmdline' "$1"; }

t "shell shows the guest's prompt" begin shell
typed 'echo $((40 + 2)) "$TERM" $HOME'
sees "what is typed is run there" 5 '^42 screen /root'
typed 'stty size; tty'
sees "it has the size of our terminal" 5 '^24 80'
sees "… and a name" 5 '^/dev/pts/'
mux resize-window -t pane -x 100 -y 30
fresh
typed 'stty size'
sees "a new size is passed on" 5 '^30 100'

fresh
typed 'sleep 8001'
t "a command runs in it" t_within 5 runs 8001
keys C-c
typed 'echo rc=$?'
sees "^C ends it, and not the shell" 5 '^rc=130'
typed 'sleep 8002'
t "another one" t_within 5 runs 8002
keys C-z
sees "^Z stops a command" 5 'Stopped'
typed fg
t "… as the kernel says" t_within 5 continues 8002
keys C-c
typed 'echo rc=$?'
sees "… and fg goes on with it" 5 '^rc=130'

fresh
typed 'vi /tmp/shell.txt'
sees "vi opens" 5 '^~ *$'
keys i
keys -l 'written by vi'
keys Escape
sees "vi is told by a single key" 5 '^- /tmp/shell.txt'
mux resize-window -t pane -x 90 -y 20
status_line() { [ "$(screen | sed -n '/^- .tmp.shell.txt/=')" = 20 ]; }
t "vi sees another size" t_within 5 status_line
typed ':wq'
t "vi ends" back
fresh
typed 'cat /tmp/shell.txt; rm /tmp/shell.txt'
sees "vi has written the file" 5 '^written by vi'
fresh
typed 'seq 1000 | less'
sees "less shows the first page" 5 '^1$'
keys G
sees "… and the last one" 5 '^1000$'
keys q
t "less ends" back
fresh
typed 'top -d 1'
sees "top draws" 5 '^Mem:'
keys q
t "… and ends" back
fresh

# Others are served meanwhile.
t "another command is answered beside the shell" "$VSRPC" "$DOMAIN" exec -- echo beside
t_is "… with its own output" beside "$OUT"
typed 'echo still $((1 + 1)) here'
sees "… and the shell goes on" 5 '^still 2 here'

typed 'exit 5'
sees "its exit code is ours" 5 '^left=5'
restored() { # the line editing of the host's shell works, as does its echo
	typed 'clear; stty -a' && t_within 5 shows '[^-]icanon' && shows '[^-]echo '
}
t "the terminal is as before" restored

begin shell
keys C-d
sees "^D leaves" 5 '^left=0'
t "the terminal is as before" restored
begin shell
typed 'sleep 8003'
t "a command runs in another shell" t_within 5 runs 8003
keys -l '~.'
sees "~. leaves" 10 '^left=125'
t "the terminal is as before" restored
no_8003() { ! runs 8003; }
t "… and what ran there ends" t_within 15 no_8003
begin shell
typed 'read x; echo "got $x"'
sees "somebody reads a line" 5 'read x'
keys -l '~~.'
keys Enter
sees "~~ is a tilde" 5 '^got ~\.'
pkill -TERM -f "$DOMAIN shell$"
sees "TERM to the command ends the shell" 10 '^(left=|Terminated)'
t "the terminal is as before" restored
t "shell --user" begin shell --user user
typed 'id -un; pwd'
sees "… is that user's" 5 '^user'
sees "… in that user's home" 5 '^/home/user'
keys C-d
sees "… and ends" 5 '^left=0'

t "exec -t has a terminal, too" begin exec -t -- sh
typed 'tty'
sees "… in the guest" 5 '^/dev/pts/'
keys C-d
t_status "without a terminal there is no shell" 125 "$VSRPC" "$DOMAIN" shell
t_like "… which is said" 'standard input is no terminal' "$ERR"

done_testing
