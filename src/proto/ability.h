/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What an agent can do, in steps in which agents may differ by their version:
 * the one table behind `abilities` of /capabilities.  Each route belongs to
 * one (route.h).
 *
 * An agent that does not know a route says so (3001, 2005), which needs no
 * question.  A parameter that it does not know it ignores without a word: one
 * that is new, and without which something else would happen than was asked
 * for, gets a row of its own here, and who sends it asks /capabilities first.
 * A new value of a known parameter is refused (2001): it has a row, too, and
 * who was refused asks.
 */
#ifndef VSRPC_PROTO_ABILITY_H
#define VSRPC_PROTO_ABILITY_H

#include <stddef.h>

enum ability_id {
    ABILITY_META,
    ABILITY_SYSTEM,
    ABILITY_EXEC,
    ABILITY_JOBS,
    ABILITY_FILES,
    ABILITY_CONTENT,
    ABILITY_TREES,
    ABILITY_SERVICES,
    ABILITY_UNITS, /* actions of service/control: reload, is-active,
                    * is-enabled */
    ABILITY_CUSTOM,
    ABILITY_REQUESTS,
    ABILITY_USERS, /* the parameter user of the routes of files */
    ABILITY_COUNT,
};

struct ability {
    const char *name;  /* in `abilities` */
    const char *since; /* the first version with all of its routes */
    const char *does;  /* "the agent can …" */
};

/* Return: the row, never NULL. */
const struct ability *ability_get(enum ability_id id);

#endif
