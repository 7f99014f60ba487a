# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# shellcheck shell=sh
# TAP for the lint scripts: each check is a function that prints what is wrong
# and nothing else.
: "${top_srcdir:=.}" "${top_builddir:=.}" "${LINT_ROOMS:=host guest}"
: "${LINT_PROGRAMS:=}"
set -u
tap_count=0

# tap WORDS COMMAND [ARGS]: ok when the command prints nothing and succeeds.
tap()
{
    tap_words=$1
    shift
    tap_count=$((tap_count + 1))
    if tap_wrong=$("$@" 2>&1) && [ -z "$tap_wrong" ]; then
        echo "ok $tap_count - $tap_words"
    else
        printf '%s\n' "$tap_wrong" | sed 's/^/# /'
        echo "not ok $tap_count - $tap_words"
    fi
}

tap_skip()
{
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

tap_end()
{
    echo "1..$tap_count"
}

# diff_lists WHAT_A A WHAT_B B: the lines that only one of two lists has.
diff_lists()
{
    diff_one=$(printf '%s\n' "$2" | sort -u)
    diff_two=$(printf '%s\n' "$4" | sort -u)
    [ -n "$2" ] || echo "nothing in $1"
    for diff_line in $diff_one; do
        printf '%s\n' "$diff_two" | grep -qxF -e "$diff_line" \
            || echo "$diff_line is in $1 but not in $3"
    done
    for diff_line in $diff_two; do
        printf '%s\n' "$diff_one" | grep -qxF -e "$diff_line" \
            || echo "$diff_line is in $3 but not in $1"
    done
}
