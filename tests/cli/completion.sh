#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion in bash.
# shellcheck source=lib.sh
. "${top_srcdir:-.}/tests/cli/lib.sh"
# shellcheck source=../../data/vsrpc-virsh.bash
. "$top_srcdir/data/vsrpc-virsh.bash"

completes() { # WORD…: the last one is completed
	COMP_WORDS=("$VSRPC" "$@")
	COMP_CWORD=$#
	_vsrpc_virsh "$VSRPC" "${*: -1}" "${COMP_WORDS[$# - 1]}"
	echo "${COMPREPLY[*]}"
}
t_is "an option" --transport "$(completes --tr)"
t_is "what --transport takes" "auto socket stream" "$(completes --transport '')"
t_is "it is no domain" ping "$(completes --transport stream web1 pi)"
t_is "a number of seconds is none, either" ping "$(completes --wait-lock 5 web1 pi)"
t_is "options of a command" "--cwd --env --user --umask --shell --no-stdin --tty --timeout --output-limit --detach" "$(completes web1 exec --)"
t_is "… of one that has others" "--no-clobber --no-progress" "$(completes web1 upload --no)"
t_is "… which are none of the program" "" "$(completes --no)"
t_is "what is done with a job" "output signal wait remove" "$(completes web1 job ab12cd34 '')"
t_is "… but not of which one" "" "$(completes web1 job '')"
t_is "… a signal for it" SIGTERM "$(completes web1 job ab12cd34 signal SIGTE)"
t_is "… an output to follow" --follow "$(completes web1 job ab12cd34 output --)"
t_is "… of copies in both directions" "--recursive --resume" "$(completes web1 download --re)"
t_is "what --checksum takes" sha256 "$(completes web1 upload --checksum sh)"
t_is "a command for files" "mkdir" "$(completes web1 mk)"
t_is "methods" DELETE "$(completes web1 call D)"

done_testing
