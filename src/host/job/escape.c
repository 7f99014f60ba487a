/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A state machine over the typed bytes.  It holds a tilde back until the next
 * byte comes, perhaps with the next read.
 */
#include <config.h>

#include "host/job/escape.h"

static enum escape_state state_after(char c)
{
    return c == '\r' || c == '\n' ? ESCAPE_LINE : ESCAPE_OTHER;
}

size_t escape_filter(struct escape *escape, const char *typed, size_t n,
                     char *out, bool *leave)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        char c = typed[i];

        if (escape->state == ESCAPE_LINE && c == '~') {
            escape->state = ESCAPE_TILDE;
            continue;
        }
        if (escape->state == ESCAPE_TILDE && c == '.') {
            *leave = true;
            return kept;
        }
        if (escape->state == ESCAPE_TILDE && c != '~')
            out[kept++] = '~';
        out[kept++] = c;
        escape->state = state_after(c);
    }
    return kept;
}
