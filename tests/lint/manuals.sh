#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# The manuals are clean mdoc(7), and the files in data/ what they say.
. "${top_srcdir:-.}/tests/lint/tap.sh"

manual()
{
    mandoc -Tlint -Wwarning "$1"
}

for page in "$top_srcdir"/man/*.[0-9]; do
    if command -v mandoc > /dev/null; then
        tap "${page##*/} is clean" manual "$page"
    else
        tap_skip "${page##*/} is clean" "no mandoc"
    fi
done
for script in "$top_srcdir/data/vsrpc-virsh.bash" \
    "$top_srcdir"/tests/lint/*.sh; do
    if command -v shellcheck > /dev/null; then
        tap "${script##*/} passes shellcheck" \
            shellcheck -e SC1091,SC2034,SC2154 "$script"
    else
        tap_skip "${script##*/} passes shellcheck" "no shellcheck"
    fi
done
tap_end
