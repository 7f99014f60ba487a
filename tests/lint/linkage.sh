#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# What the programs are linked with.
. "${top_srcdir:-.}/tests/lint/tap.sh"

needs()
{
    readelf -d "$top_builddir/vsrpc-agent" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

agent_is_lean()
{
    [ -n "$(needs)" ] || echo "no NEEDED entries in vsrpc-agent"
    needs | grep -E 'libvirt|libxml2' || :
}

# Also what the libraries pull in, where the loader can tell.
agent_is_lean_in_depth()
{
    ldd "$top_builddir/vsrpc-agent" | grep -E 'libvirt|libxml2' || :
}

case " $LINT_ROOMS " in
*" guest "*)
    if command -v readelf > /dev/null; then
        tap "the agent links neither libvirt nor libxml2" agent_is_lean
        tap "nor do its libraries" agent_is_lean_in_depth
    else
        tap_skip "the agent links neither libvirt nor libxml2" "no readelf"
    fi
    ;;
*) tap_skip "the agent's libraries" "configured with --disable-guest" ;;
esac
tap_end
