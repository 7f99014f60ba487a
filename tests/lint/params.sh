#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# Every parameter of a JSON body is tried with wrong values (test-params.c), and
# queries are read by their tables alone.
. "${top_srcdir:-.}/tests/lint/tap.sh"
guest=$top_srcdir/src/guest
test=$top_srcdir/tests/unit/guest/request/test-params.c

# The names that are read; NAME_encoding is made of NAME.
code_params()
{
    cat "$guest"/handle/*.c "$guest"/job/*.c "$guest"/request/*.c | tr -s '\n ' ' ' \
        | grep -oE '(param_[a-z]+|decode_list)\([^;"]*"[a-z_0-9]+"' \
        | sed -e '/^param_wrong/d' \
            -e 's/^\(param_encoded\|decode_list\)(.*"\(.*\)"/\2_encoding/' \
            -e 's/^.*"\(.*\)"/\1/'
}

test_params()
{
    tr -s '\\\n ' ' ' < "$test" \
        | grep -oE '[{] ("[^"]*"|target), "[a-z_0-9]+", JSON_' \
        | sed 's/.*, "\(.*\)", JSON_/\1/'
}

params()
{
    diff_lists src/guest "$(code_params)" test-params.c "$(test_params)"
}

# Whose route is not known yet looks for what it counts by; all else is a form.
queries()
{
    diff_lists uri_query "$(cd "$guest" && grep -rl 'uri_query(' .)" \
        "the list here" "./request/admission.c
./request/query.c"
}

# json-c makes something of any type: so a member is read by a param_ function.
members()
{
    grep -rnE 'json_object_object_get_ex\(.*params' "$guest"/handle "$guest"/job "$guest"/request \
        | grep -vE 'params, "(argv", NULL|signal", &value)' \
        | sed "s|^$top_srcdir/||"
    return 0
}

tap "parameters of JSON bodies" params
tap "readers of queries" queries
tap "members of parameters" members
tap_end
