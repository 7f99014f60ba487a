#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The agent answers, through the CLI and to plain curl.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

t "ping by the CLI" "$VSRPC" "$DOMAIN" ping
t "ping by curl" http GET /api/v1/ping
t_like "curl gets an envelope with code 0" '"code": ?0' "$OUT"

done_testing
