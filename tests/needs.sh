#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: The vsrpc authors
#
# The beginning and the end of "make check": what does not run, because a program or a library is
# missing here.  A test that is left out says nothing by itself, and a thousand
# green lines look complete.  With CI=true whatever is missing is an error.
#
#   HAVE_CHECK  yes when ./configure found the library check

missing=
while IFS='|' read -r program package what; do
    if [ "$program" = libcheck ]; then
        [ "$HAVE_CHECK" = yes ] && continue
    elif command -v "$program" > /dev/null; then
        continue
    fi
    missing="$missing
***   $what: no $program (Debian: $package)"
done << 'END'
libcheck|check|the unit tests
python3|python3|the tests with a scripted agent, and those of calls that fail
curl|curl|the tests of plain HTTP clients
mandoc|mandoc|the check of the manuals
shellcheck|shellcheck|the check of the scripts
readelf|binutils|the check of what the agent is linked with
END

[ -n "$missing" ] || exit 0
printf '\n*** NOT TESTED:%s\n\n' "$missing"
[ "${CI:-}" != true ]
