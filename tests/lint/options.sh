#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# The options and commands that the programs know are in their manuals, and
# the other way round.
. "${top_srcdir:-.}/tests/lint/tap.sh"

# Long options at the start of an item: ".It Fl c Ar FILE , Fl -config Ar FILE"
manual_options()
{
    sed -n '/^\.It /p' "$1" | tr ',' '\n' \
        | sed -n 's/.*Fl -\([a-z][a-z-]*\).*/--\1/p'
}

manual_commands()
{
    sed -n '/^\.Sh COMMANDS/,/^\.Sh ENVIRONMENT/p' "$1" \
        | sed -n 's/^\.It Cm \([a-z]*\).*/\1/p'
}

help_options()
{
    "$@" 2>&1 | grep -oE -e '--[a-z][a-z-]*'
}

program_of()
{
    if [ -x "$top_builddir/$1" ]; then
        return 0
    fi
    echo "$1 is not built"
    return 1
}

host_commands()
{
    program_of vsrpc-virsh || return
    diff_lists "--list-commands" \
        "$("$top_builddir/vsrpc-virsh" --list-commands)" \
        vsrpc-virsh.1 "$(manual_commands "$top_srcdir/man/vsrpc-virsh.1")"
}

# The options of commands are in the help of each command.
host_options()
{
    program_of vsrpc-virsh || return
    known=$("$top_builddir/vsrpc-virsh" --list-options \
        | sed -n 's/^\(--[a-z-]*\).*/\1/p'
        for command in $("$top_builddir/vsrpc-virsh" --list-commands); do
            help_options "$top_builddir/vsrpc-virsh" help "$command"
        done)
    diff_lists "vsrpc-virsh" "$known" \
        vsrpc-virsh.1 "$(manual_options "$top_srcdir/man/vsrpc-virsh.1")"
}

guest_options()
{
    program_of vsrpc-agent || return
    diff_lists "--help" "$(help_options "$top_builddir/vsrpc-agent" --help)" \
        vsrpc-agent.8 "$(manual_options "$top_srcdir/man/vsrpc-agent.8")"
}

for room in $LINT_ROOMS; do
    case $room in
    host)
        tap "commands of vsrpc-virsh" host_commands
        tap "options of vsrpc-virsh" host_options
        ;;
    guest) tap "options of vsrpc-agent" guest_options ;;
    esac
done
tap_end
