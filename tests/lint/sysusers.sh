#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# systemd-sysusers(8) is not where this is built: what it takes for a user's words
# is tried without it.
. "${top_srcdir:-.}/tests/lint/tap.sh"

# They become a field of passwd(5): no colon.
words()
{
    found=$(sed -n 's/^u [^"]*"\([^"]*\)".*/\1/p' "$top_srcdir/data/vsrpc-agent.conf")
    [ -n "$found" ] || echo "no words found"
    case $found in
    *:*) echo "a colon in '$found'" ;;
    esac
}

tap "the words of a user are a field of passwd" words
tap_end
