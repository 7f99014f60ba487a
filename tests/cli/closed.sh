#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the program closes is closed here, too, while it runs on: whoever reads its
# output sees the end, whoever writes its input that nobody reads it.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"

printf 'logging:\n  file: none\nsecurity:\n  allowed_commands: ["*"]\n' >a.yaml
start_agent a
mkfifo pipe
gone() { ! kill -0 "$1" 2>/dev/null; }

# Runs SCRIPT, and then nothing until "go" is removed.
begin() { # SCRIPT, with its redirections here
	: >go
	exec "$VSRPC" --config host.yaml --socket "$SOCKET" exec -- \
		sh -c "$1; while [ -e '$WORK/go' ]; do sleep 0.05; done; exit 3"
}
goes_on() { # WHAT
	t "… while the command goes on" kill -0 "$command"
	rm go
	wait "$command"
	t_is "… whose status is told" 3 $?
}

# What is closed, where ours goes, and what has come.
while IFS=@ read -r script where wanted; do
	case $where in
	both) (begin "$script" </dev/null >pipe 2>&1) & ;;
	out) (begin "$script" </dev/null >pipe 2>err) & ;;
	esac
	command=$!
	cat pipe >got &
	reader=$!
	t "$script ($where): the reader sees the end" t_within 20 gone "$reader"
	t_is "… and all that was said" "$wanted" "$(sort got | xargs)"
	goes_on
done <<'END'
echo a; exec >&- 2>&-@out@a
echo a; exec >&-@out@a
echo a; exec >&- 2>&-@both@a
echo a; exec >&-; echo b >&2; exec 2>&-@both@a b
exec >/dev/null@out@
seq 100000 | tail -n 1; exec >&-@out@100000
END

# … and its messages still have somewhere to go
(begin 'exec >&-; echo late >&2' </dev/null >pipe 2>err) &
command=$!
cat pipe >/dev/null &
reader=$!
t "standard error that is open" t_within 20 grep -q late err
wait "$reader" # or it is the next writer's reader, too
goes_on

# --- input
while read -r script; do
	(begin "$script" <pipe >out 2>err) &
	command=$!
	yes >pipe 2>/dev/null &
	t "$script: the writer learns that nobody reads" t_within 20 gone $!
	goes_on
done <<'END'
exec <&-
head -n 1; exec <&-
END
stop "$PID"
done_testing
