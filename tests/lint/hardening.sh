#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
# What the compiler and the linker were asked for against exploits is in the
# programs: a flag that got lost on its way is noticed here.
. "${top_srcdir:-.}/tests/lint/tap.sh"

# PROGRAM; each prints what proves it, or nothing.
is_pie() { readelf -hW "$1" | grep -E 'Type:.*DYN'; }
has_relro() { readelf -lW "$1" | grep GNU_RELRO; }
binds_now() { readelf -dW "$1" | grep -E 'BIND_NOW|FLAGS_1.*NOW'; }
stack_is_data() { readelf -lW "$1" | grep -E 'GNU_STACK.* RW +0x'; }
guards_stack() { symbols "$1" | grep -x __stack_chk_fail; }
is_fortified() { symbols "$1" | grep -v stack_chk | grep -E '^__.*_chk$'; }
symbols() { readelf --dyn-syms -W "$1" | awk '$7 == "UND" { sub("@.*", "", $8); print $8 }'; }

proven() { [ -n "$("$@")" ] || echo "not so"; }

# A flag of those that this build has, and what it does.  Fortification is asked for
# with every optimiser, by us, the packager or the compiler itself.
while read -r flag proof words; do
    case " $LINT_FLAGS " in
    *"$flag"*) ;;
    *) continue ;;
    esac
    for program in $LINT_PROGRAMS; do
        tap "$program: $words" proven "$proof" "$top_builddir/$program"
    done
done << 'END'
-pie is_pie loads at any address
-Wl,-z,relro has_relro what the loader has filled in is read-only
-Wl,-z,now binds_now is bound as a whole when it starts
-Wl,-z,noexecstack stack_is_data its stack is not executable
-fstack-protector-strong guards_stack stacks are guarded
-O2 is_fortified calls of libc are fortified
END
tap_end
