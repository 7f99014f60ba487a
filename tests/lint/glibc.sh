#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# The agent asks nothing of the C library that glibc 2.10 has not (accept4(2), of
# 2009; README): what came later is called directly, in one file for each call.
. "${top_srcdir:-.}/tests/lint/tap.sh"

OLDEST=2.10

# These had other names in the library before, which headers made of them; or
# lay in another library (librt).
RENAMED="stat lstat fstat fstatat mknod fcntl clock_gettime __isoc23_strtol __isoc23_strtoll __isoc23_strtoul __isoc23_strtoull
	__isoc23_sscanf __isoc23_fscanf"

wanted()
{
    nm -D --undefined-only "$top_builddir/vsrpc-agent" | awk '{ sub(/@.*/, "", $NF); print $NF }' | sort -u
}

# "NAME VERSION" for each version of each function of the C library.
offered()
{
    libc=$(ldd "$top_builddir/vsrpc-agent" | awk '$1 ~ /^libc\.so/ { print $3 }')
    [ -z "$libc" ] || nm -D --defined-only "$libc" | sed -n 's/.* \([^ @]*\)@@*GLIBC_\([0-9.]*\)$/\1 \2/p'
}

# What is newer in all of its versions.  A processor whose first glibc was newer has no older ones.
newer()
{
    { wanted | sed 's/^/want /'; offered; } | awk -v oldest="$OLDEST" -v renamed="$RENAMED" '
        function number(version, part) { split(version, part, "."); return part[1] * 1000000 + part[2] * 1000 + part[3] }
        BEGIN { split(renamed, names); for (i in names) excused[names[i]] = 1; least = number(oldest) }
        $1 == "want" { want[$2] = 1; next }
        { n = number($2); if (!first || n < first) first = n; if (!($1 in since) || n < since[$1]) { since[$1] = n; text[$1] = $2 } }
        END {
            if (!first) print "no function of glibc was found"
            if (first > least) least = first
            for (name in want) {
                plain = name; sub(/^__/, "", plain); sub(/_chk$/, "", plain); sub(/64(_time64)?$/, "", plain)
                if (name in since && since[name] > least && !(name in excused) && !(plain in excused))
                    print name ": since glibc " text[name]
            }
        }' | sort
}

case " $LINT_ROOMS " in
*" guest "*)
    if ldd "$top_builddir/vsrpc-agent" 2> /dev/null | grep -q libc.so.6; then
        tap "the agent needs no newer glibc than $OLDEST" newer
    else
        tap_skip "the agent needs no newer glibc than $OLDEST" "it is linked with another C library"
    fi
    ;;
*) tap_skip "the agent's C library" "configured with --disable-guest" ;;
esac
tap_end
