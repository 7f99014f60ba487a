#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# What goes over the wire is read by peers of other versions, with JSON parsers
# of other versions: our own words in it are ASCII.  (json-c 0.18 took anything
# else for an error where it was asked to be strict.)
. "${top_srcdir:-.}/tests/lint/tap.sh"

# strings FILE…: the lines with a string literal that has a byte above 0x7F in
# it, "FILE:LINE: literal".  Comments may hold anything, also quotes; so the text
# is read from its beginning, comment or literal, whichever begins first.
strings()
{
    for file in "$@"; do
        LC_ALL=C awk -v file="$file" '
        BEGIN { for (i = 128; i < 256; i++) high = high sprintf("%c", i) }
        {
            rest = $0
            while (rest != "" || state == "comment") {
                if (state == "comment") {
                    end = index(rest, "*/")
                    if (!end)
                        break
                    rest = substr(rest, end + 2)
                    state = ""
                } else if (!match(rest, /\/\*|\/\/|["\047]/)) {
                    break
                } else {
                    what = substr(rest, RSTART, RLENGTH)
                    rest = substr(rest, RSTART)
                    if (what == "//")
                        break
                    if (what == "/*") {
                        rest = substr(rest, 3)
                        state = "comment"
                        continue
                    }
                    if (what == "\"")
                        match(rest, /^"([^"\\]|\\.)*"?/)
                    else
                        match(rest, /^\047([^\047\\]|\\.)*\047?/)
                    word = substr(rest, 1, RLENGTH)
                    rest = substr(rest, RLENGTH + 1)
                    if (word ~ "[" high "]")
                        printf "%s:%d: %s\n", file, FNR, word
                }
            }
        }' "$file"
    done
}

rooms()
{
    # shellcheck disable=SC2046 # none of our files has a blank in its name
    strings $(find "$top_srcdir/src/guest" "$top_srcdir/src/proto" -name '*.[ch]')
}

# The reader above is right about what is a literal.
reader()
{
    dir=$(mktemp -d) || return
    printf '%s\n' '/* \303\251 "\303\251 */ f("a"); // "\303\251"' 'x = "\303\251";' \
        "c = '\"'; /* it's \303\251" '" \303\251 */ y = "\\"\303\251";' 'z = "//", "\303\251";' |
        while read -r line; do printf '%b\n' "$line"; done >"$dir/a.c"
    found=$(strings "$dir/a.c" | cut -d: -f2 | tr '\n' ' ')
    rm -rf "$dir"
    [ "$found" = '2 4 5 ' ] || echo "literals found on lines '$found', not '2 4 5 '"
}

tap "string literals are told from comments" reader
tap "what goes over the wire is ASCII" rooms
tap_end
