#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# Codes, routes, abilities and test vectors of vsrpc-protocol(7) are those of the code.
. "${top_srcdir:-.}/tests/lint/tap.sh"
manual=$top_srcdir/man/vsrpc-protocol.7
proto=$top_srcdir/src/proto

# The number that status.h gives a name.
number()
{
    sed -n "s/^ *$1 = \([0-9]*\),.*/\1/p" "$proto/status.h"
}

# code:name:http:exit, from the one table.
code_codes()
{
    { tr '\n{' ' \n' < "$proto/status.c" | tr -s ' ' && echo; } \
        | sed -n 's/^ \(STATUS_[A-Z_]*\), "\([A-Z_]*\)", \([0-9]*\), \(EXIT_[A-Z_]*\),.*/\1 \2 \3 \4/p' \
        | while read -r code name http exit; do
            echo "$(number "$code"):$name:$http:$(number "$exit")"
        done
}

manual_codes()
{
    sed -n 's/^\.It \([0-9]*\) Ta \([A-Z_]*\) Ta \([0-9-]*\) Ta \([0-9]*\)$/\1:\2:\3:\4/p' \
        "$manual" | sed 's/:-:/:0:/'
}

code_routes()
{
    prefix=$(sed -n 's/^#define API_PREFIX "\(.*\)"/\1/p' "$proto/route.h")
    sed -n "s|^ *{ ROUTE_[A-Z_]*, \\(.*\\), API_PREFIX \"\\([^\"]*\\)\".*|\\1:$prefix\\2|p" \
        "$proto/route.c" | sed -e 's/"//g' -e 's/^NULL:/ANY:/' \
        -e 's|/custom/$|&NAME|' -e 's|/requests/$|&ID|' \
        -e 's,/\*,/ID,'
}

manual_routes()
{
    sed -n 's|^\.Ss \([A-Z]*\) \(/api/.*\)|\1:\2|p' "$manual"
}

# name:since, from the one table.
code_abilities()
{
    sed -n 's/^ *\[ABILITY_[A-Z]*\] = { "\([a-z]*\)", "\([0-9.]*\)",.*/\1:\2/p' \
        "$proto/ability.c"
}

manual_abilities()
{
    sed -n 's/^\.It \([a-z]*\) Ta \([0-9.]*\) Ta .*/\1:\2/p' "$manual"
}

# Every long hex word of the manual is in the unit test, and vice versa.
hex_words()
{
    grep -oE '[0-9a-f]{32,}' "$1"
}

codes()
{
    diff_lists status.c "$(code_codes)" vsrpc-protocol.7 "$(manual_codes)"
}

routes()
{
    diff_lists route.c "$(code_routes)" vsrpc-protocol.7 "$(manual_routes)"
}

abilities()
{
    diff_lists ability.c "$(code_abilities)" \
        vsrpc-protocol.7 "$(manual_abilities)"
}

vectors()
{
    test=$top_srcdir/tests/unit/proto/test-auth.c
    diff_lists test-auth.c "$(hex_words "$test")" \
        vsrpc-protocol.7 "$(hex_words "$manual")"
}

tap "codes" codes
tap "routes" routes
tap "abilities" abilities
tap "test vectors" vectors
tap_end
