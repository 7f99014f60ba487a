#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# Scripts of tests end nobody else's processes.  bash waits for a job as soon as it
# ends, and with many tests at once its number is another process's within a minute:
# a linker of another suite was ended so.  t_kill of tests/e2e/lib.sh looks first.
. "${top_srcdir:-.}/tests/lint/tap.sh"

# A guest's shell kills "$1" or what it has just looked for.
# shellcheck disable=SC2016 # patterns
by_number()
{
    # shellcheck disable=SC2046 # none of our files has a blank in its name
    ! grep -nE '(^[[:space:]]*|[;&|{] )kill (-[A-Z0-9]+ |-s [A-Z"$a-z]+ )?"?[$][{a-zA-Z]' \
        $(find "$top_srcdir/tests/cli" "$top_srcdir/tests/e2e" -name '*.sh') |
        grep -vE 'kill "[$]signal" "[$]pid" [|][|] rc=1|pid=[$][(]daemon_pid[)] && |/proc/'
}

# $1: what is done about a job that has ended, and about one that has not.
# shellcheck disable=SC2016 # the other shell expands
with_jobs()
{
    echo 'kill() { echo "$*"; }
        . "$top_srcdir/tests/e2e/lib.sh"
        sleep 60 & living=$! # is ended below
        : & ended=$!
        while [ -d "/proc/$ended" ]; do :; done # a command here would clear it away
        eval "$1"
        trap - EXIT
        builtin kill "$living"' | bash -s "$1" | sed 's/[0-9][0-9]*$/N/'
}

one_killed()
{
    said=$(with_jobs "$1")
    [ "$said" = "$2" ] || echo "killed: '$said', not '$2'"
}

tap "no script kills by a number" by_number
# shellcheck disable=SC2016 # the other shell expands
tap "t_kill is for jobs that have not ended" one_killed 't_kill -INT "$ended" "$living"' '-INT N'
tap "so is a script's end" one_killed t_end '-TERM N'
tap_end
