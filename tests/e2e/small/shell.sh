#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A terminal in the guest, with a person (tmux) in front of it.
# roads: both
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

mux() { tmux -L "vsrpc-$$" "$@"; }
t_finally mux kill-server
screen() { mux capture-pane -p -t pane; }
shows() { screen | grep -qE "$1"; }
keys() { mux send-keys -t pane "$@"; }
typed() { keys -l "$1" && keys Enter; }

# A shell on the host, in which the command is typed: so one sees what it leaves.
mux -f /dev/null new-session -d -s pane -x 80 -y 24 \
	"env -i PATH='$PATH' TERM=screen HOME=/ PS1='HOST> ' LIBVIRT_DEFAULT_URI='$LIBVIRT_DEFAULT_URI' sh"
t "there is a shell on the host" t_within 10 shows '^HOST> '

begin() { # ARG…: leaves an empty screen with the guest's prompt
	keys C-l
	typed "clear; $VSRPC $DOMAIN $*; echo left=\$?"
	t_within 15 shows '^~ # ' && typed clear && t_within 10 shows '^~ # '
}

t "shell shows the guest's prompt" begin shell
typed 'echo $((40 + 2)) "$TERM" $HOME'
t "what is typed is run there" t_within 5 shows '^42 screen /root'
typed 'stty size; tty'
t "it has the size of our terminal" t_within 5 shows '^24 80'
t "… and a name" shows '^/dev/pts/'
mux resize-window -t pane -x 100 -y 30
typed clear
typed 'stty size'
t "a new size is passed on" t_within 5 shows '^30 100'

typed clear
typed 'sleep 8001'
t "a command runs in it" t_within 5 shows 'sleep 8001'
keys C-c
typed 'echo rc=$?'
t "^C ends it, and not the shell" t_within 5 shows '^rc=130'
typed 'sleep 8002'
keys C-z
t "^Z stops a command" t_within 5 shows 'Stopped'
typed fg
keys C-c
typed 'echo rc=$?'
t "… and fg goes on with it" t_within 5 shows '^rc=130'

typed clear
typed 'vi /tmp/shell.txt'
t "vi opens" t_within 5 shows '^~ *$'
keys i
keys -l 'written by vi'
keys Escape
mux resize-window -t pane -x 90 -y 20
t "vi sees another size" t_within 5 shows 'written by vi'
typed ':wq'
typed 'clear; cat /tmp/shell.txt; rm /tmp/shell.txt'
t "vi has written the file" t_within 5 shows '^written by vi'
typed 'clear; seq 1000 | less'
t "less shows the first page" t_within 5 shows '^1$'
keys G
t "… and the last one" t_within 5 shows '^1000$'
keys q
typed 'clear; top -d 1'
t "top draws" t_within 5 shows '^Mem:'
keys q
typed 'clear; echo after top'
t "… and ends" t_within 5 shows '^after top'

# Others are served meanwhile.
t "another command is answered beside the shell" "$VSRPC" "$DOMAIN" exec -- echo beside
t_is "… with its own output" beside "$OUT"
typed 'clear; echo still $((1 + 1)) here'
t "… and the shell goes on" t_within 5 shows '^still 2 here'

typed 'exit 5'
t "its exit code is ours" t_within 5 shows '^left=5'
restored() { # the line editing of the host's shell works, as does its echo
	typed 'clear; stty -a' && t_within 5 shows '[^-]icanon' && shows '[^-]echo '
}
t "the terminal is as before" restored

begin shell
keys C-d
t "^D leaves" t_within 5 shows '^left=0'
t "the terminal is as before" restored
begin shell
typed 'sleep 8003'
keys Enter
keys -l '~.'
t "~. leaves" t_within 10 shows '^left=125'
t "the terminal is as before" restored
no_8003() { ! "$VSRPC" "$DOMAIN" exec -- sh -c 'grep -q "^sleep.8003" /proc/[0-9]*/cmdline'; }
t "… and what ran there ends" t_within 15 no_8003
begin shell
keys -l '~~.'
t "~~ is a tilde" t_within 5 shows '^~ # ~\.'
keys C-c
pkill -TERM -f "$DOMAIN shell$"
t "TERM to the command ends the shell" t_within 10 shows '^(left=|Terminated)'
t "the terminal is as before" restored
begin shell --user user
t "shell --user" t_within 5 shows .
keys C-d

t "exec -t has a terminal, too" begin exec -t -- sh
typed 'tty'
t "… in the guest" t_within 5 shows '^/dev/pts/'
keys C-d
t_status "without a terminal there is no shell" 125 "$VSRPC" "$DOMAIN" shell
t_like "… which is said" 'standard input is no terminal' "$ERR"

done_testing
