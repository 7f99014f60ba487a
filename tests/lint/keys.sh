#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# Every key of a configuration is in the code's table, in its manual and in
# the example file, and no other key is in any of them.
. "${top_srcdir:-.}/tests/lint/tap.sh"

# Entries look like: { "section.key", YAML_KIND_…
code_keys()
{
    find "$top_srcdir/src/$1" -name '*.c' -exec cat {} + \
        | sed -n 's/^[[:space:]]*{ "\([a-z_.]*\)",[[:space:]]*YAML_KIND_.*/\1/p'
}

manual_keys()
{
    sed -n 's/^\.It Ic \([a-z_]*\.[a-z_.]*\)$/\1/p' \
        "$top_srcdir/man/virtio-rpc-$1.5"
}

# Two levels: a section at the margin, its keys two blanks in.  Those of an item of a
# list stand below it in a comment, four blanks in, the first one behind "- ".
example_keys()
{
    sed -n -e 's/^\([a-z_]*\):$/section \1/p' \
        -e 's/^  \([a-z_]*\):.*/key \1/p' \
        -e 's/^  #   [- ] \([a-z_]*\):.*/item \1/p' \
        "$top_srcdir/data/$1_config.yaml.in" \
        | while read -r kind name; do
            case $kind in
            section) section=$name ;;
            key) list=$name && echo "$section.$name" ;;
            item) echo "$section.$list.$name" ;;
            esac
        done
}

code_and_manual()
{
    diff_lists "src/$1" "$(code_keys "$1")" \
        "virtio-rpc-$1.5" "$(manual_keys "$1")"
}

manual_and_example()
{
    diff_lists "virtio-rpc-$1.5" "$(manual_keys "$1")" \
        "$1_config.yaml" "$(example_keys "$1")"
}

for room in $LINT_ROOMS; do
    tap "$room: manual and example agree" manual_and_example "$room"
    tap "$room: code and manual agree" code_and_manual "$room"
done
tap_end
