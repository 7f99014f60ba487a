#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# Who may include whom (DESIGN 2).
. "${top_srcdir:-.}/tests/lint/tap.sh"

# arrows ROOM FORBIDDEN-REGEX: includes of a room that it may not have.
arrows()
{
    grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]($2)" \
        "$top_srcdir/src/$1"/*.[ch] || :
}

# only HEADER-REGEX FILE: a library has one door.
only()
{
    grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]($1)" \
        "$top_srcdir"/src/*/*.[ch] | grep -v "/src/$2\$" || :
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
    grep -l '^#include "host/virt_priv.h"' "$top_srcdir"/src/*/*.[ch] \
        | grep -v '/src/host/virt[a-z_]*\.c$' || :
}

# config.h first, so that large files and features are the same everywhere.
first_include()
{
    for file in "$top_srcdir"/src/*/*.c; do
        line=$(grep -m 1 '^#include' "$file")
        [ "$line" = '#include <config.h>' ] || echo "$file: $line"
    done
}

licence()
{
    for file in "$top_srcdir"/src/*/*.[ch]; do
        head -n 2 "$file" | grep -q 'SPDX-License-Identifier' || echo "$file"
    done
}

tap "util knows nobody" arrows util '(proto|host|guest)/|json-c/|libvirt/'
tap "proto knows only util" arrows proto '(host|guest)/|libvirt/|openssl/'
tap "proto does no I/O" arrows proto \
    '(fcntl|unistd|poll|time|syslog|sys/socket|util/(fd|clock|log))\.h'
tap "only yaml.c knows libyaml" only 'yaml\.h>' util/yaml.c
tap "yaml.c knows libyaml" door 'yaml\.h>' util/yaml.c
tap "only crypto.c knows libcrypto" only 'openssl/' util/crypto.c
tap "crypto.c knows libcrypto" door 'openssl/' util/crypto.c
tap "config.h comes first" first_include
tap "every file has its licence" licence
for room in $LINT_ROOMS; do
    case $room in
    host)
        tap "host never includes guest" arrows host guest/
        tap "only virt*.c know libvirt" only 'libvirt/' 'host/virt[a-z_]*\.[ch]'
        tap "and its types stay there" only_private
        tap "libvirt's door is there" door 'libvirt/' host/virt_priv.h
        tap "only domxml.c knows libxml2" only 'libxml/' host/domxml.c
        tap "domxml.c knows libxml2" door 'libxml/' host/domxml.c
        ;;
    guest)
        tap "guest never includes host" arrows guest \
            'host/|libvirt/|libxml/'
        ;;
    esac
done
tap_end
