#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# Who may include whom: rooms.table has it for the folders of src/.
. "${top_srcdir:-.}/tests/lint/tap.sh"
TABLE=$top_srcdir/tests/lint/rooms.table

sources()
{
    (cd "$top_srcdir/src" && find . -name "$1" | sed 's|^\./||' | sort)
}

# "FOLDER OTHER" for each include, what all may see left out.
includes_made()
{
    # shellcheck disable=SC2016 # awk's
    sources '*.[ch]' | (cd "$top_srcdir/src" && xargs awk '
        FNR == 1 { from = FILENAME; sub("/[^/]*$", "", from) }
        /^[[:space:]]*#[[:space:]]*include[[:space:]]*"/ {
            split($0, part, "\"")
            to = part[2]
            if (!sub("/[^/]*$", "", to) || to == from)
                next
            if (from ~ /^(host|guest)/ && to ~ /^(util|proto)$/)
                next
            print from, to
        }')
}

# Likewise for each call of a function that a header of host or guest declares:
# an include may have come with another.
calls_made()
{
    # shellcheck disable=SC2016 # awk's
    { sources '*.h' && sources '*.c'; } | grep -E '^(host|guest)/' | (cd "$top_srcdir/src" && xargs awk '
        FNR == 1 { from = FILENAME; sub("/[^/]*$", "", from) }
        FILENAME ~ /\.h$/ {
            if (match($0, /^[a-z][a-z_0-9 *]*[ *][a-z_0-9]+\(/)) {
                name = substr($0, 1, RLENGTH - 1)
                sub(/.*[ *]/, "", name)
                home[name] = from
            }
            next
        }
        /^[[:space:]]*\/?\*/ { next }
        /^static / { own = $0; sub(/\(.*/, "", own); sub(/.*[ *]/, "", own); mine[FILENAME, own] }
        {
            for (rest = $0; match(rest, /[a-z_0-9]+\(/); rest = substr(rest, RSTART + RLENGTH)) {
                name = substr(rest, RSTART, RLENGTH - 1)
                if (name in home && home[name] != from && !((FILENAME, name) in mine))
                    print from, home[name]
            }
        }')
}

arrows_made()
{
    { includes_made && calls_made; } | sort -u
}

arrows_allowed()
{
    awk -F: '/^[a-z]/ { n = split($2, to, " "); for (i = 1; i <= n; i++) print $1, to[i] }' \
        "$TABLE" | sort -u
}

# Both ways: one that nobody makes any more would allow somebody to begin again.
arrows_as_in_table()
{
    arrows_made >"$made" && arrows_allowed >"$allowed" || return
    comm -23 "$made" "$allowed" | sed 's|^|not in the table: |'
    comm -13 "$made" "$allowed" | sed 's|^|nobody does: |'
}

folders_as_in_table()
{
    sources '*.[ch]' | sed 's|/[^/]*$||' | sort -u >"$made"
    awk -F: '/^[a-z]/ { print $1 }' "$TABLE" | sort -u >"$allowed"
    comm -3 "$made" "$allowed"
}

# tsort(1) names the folders of a circle.
no_circle()
{
    arrows_made | { tsort >/dev/null; } 2>&1
}

# arrows ROOM FORBIDDEN-REGEX [TREE]: includes of a room that it may not have.
arrows()
{
    grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]($2)" \
        "$top_srcdir/${3:-src}/$1" -r --include='*.[ch]' || :
}

# only HEADER-REGEX FILE: a library has one door.
only()
{
    grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]($1)" \
        -r "$top_srcdir/src" --include="*.[ch]" | grep -v "/src/$2\$" || :
}

# The door is really there, or the check above would hold of nothing.
door()
{
    grep -qE "^#include <($1)" "$top_srcdir/src/$2" \
        || echo "src/$2 does not include $1"
}

# Those behind libvirt's door have a header for themselves.
only_private()
{
    grep -rl '^#include "host/domain/virt_priv.h"' "$top_srcdir/src" \
        | grep -v '/src/host/domain/virt[a-z_]*\.c$' || :
}

# config.h first, so that large files and features are the same everywhere.
first_include()
{
    find "$top_srcdir/src" -name '*.c' | while read -r file; do
        line=$(grep -m 1 '^#include' "$file")
        [ "$line" = '#include <config.h>' ] || echo "$file: $line"
    done
}

# Behind its licence, before anything else.
title()
{
    find "$top_srcdir/src" -name '*.[ch]' | while read -r file; do
        sed -n 3p "$file" | grep -q '^/\*' || echo "$file"
    done
}

licence()
{
    find "$top_srcdir/src" -name '*.[ch]' | while read -r file; do
        head -n 2 "$file" | grep -q 'SPDX-License-Identifier' || echo "$file"
    done
}

made=$(mktemp) allowed=$(mktemp) || exit
trap 'rm -f "$made" "$allowed"' EXIT
tap "folders include what the table says, and all of it" arrows_as_in_table
tap "the table has all folders" folders_as_in_table
tap "no folder includes itself on a way around" no_circle
tap "util knows no json-c" arrows util 'json-c/'
tap "proto does no I/O" arrows proto \
    '(fcntl|unistd|poll|time|syslog|sys/socket|util/(fd|clock|log))\.h'
tap "only yaml.c knows libyaml" only 'yaml\.h>' util/yaml.c
tap "yaml.c knows libyaml" door 'yaml\.h>' util/yaml.c
tap "only crypto.c knows libcrypto" only 'openssl/' util/crypto.c
tap "crypto.c knows libcrypto" door 'openssl/' util/crypto.c
# They are all linked with everything: only the includes keep them apart.
tap "tests of util see only util" arrows util '(unit/)?(proto|host|guest)/' tests/unit
tap "tests of proto see only util and proto" arrows proto '(unit/)?(host|guest)/' tests/unit
tap "tests of host never see guest" arrows host '(unit/)?guest/' tests/unit
tap "tests of guest never see host" arrows guest '(unit/)?host/' tests/unit
tap "config.h comes first" first_include
tap "every file has its licence" licence
tap "every file begins with what it is for" title
tap "only virt*.c know libvirt" only 'libvirt/' 'host/domain/virt[a-z_]*\.[ch]'
tap "and its types stay there" only_private
tap "libvirt's door is there" door 'libvirt/' host/domain/virt_priv.h
tap "only domxml.c knows libxml2" only 'libxml/' host/domain/domxml.c
tap "domxml.c knows libxml2" door 'libxml/' host/domain/domxml.c
tap_end
