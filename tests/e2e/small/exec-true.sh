#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A command's exit status comes through.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

t "true" "$VSRPC" "$DOMAIN" exec -- true
t_status "false" 1 "$VSRPC" "$DOMAIN" exec -- false

done_testing
