/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * From what the user typed (a domain, several, all, or a socket) to where the
 * agents are.
 */
#ifndef VSRPC_HOST_TARGET_H
#define VSRPC_HOST_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "host/domxml.h"
#include "util/error.h"

/* One agent's place.  Strings are owned. */
struct target {
    char *name;    /* of the domain; NULL when only a socket was given */
    char *channel; /* its name; NULL likewise */
    char *socket;
    char uuid[40];
    int id;
    enum channel_state state;
    struct error err; /* code is not 0: cannot be talked to, and why */
};

struct targets {
    struct target *items;
    size_t n;
    bool many; /* named as several, even if it is one: prefix the output */
};

/* Where to look; strings are not owned, NULL where not given. */
struct target_source {
    const char *uri;
    const char *channel;
};

/* Makes the target of a socket.  Return: 0 or -ENOMEM. */
int targets_of_socket(const char *path, struct targets *targets,
                      struct error *err);

/*
 * Resolves an operand: a name, UUID or id; a list of them with commas; a glob
 * (* ? [).  Globs select running domains.  In a list, and for what a glob
 * selects, a domain that cannot be talked to is a target with an error; a
 * single one is an error right away.
 *
 * Return: 0 with *targets for targets_free(); -ESRCH when nothing matches;
 * otherwise as virt_open(), virt_lookup() and channel_pick().
 */
int targets_of_operand(const struct target_source *source,
                       const char *operand, struct targets *targets,
                       struct error *err);

/*
 * All running domains.  Those without a channel are not meant by "all agents"
 * (an appliance, say): without_channel false leaves them out and counts them
 * in *skipped; true keeps them, with an error.
 *
 * Return: 0 (there may be none), -EIO, -ENOMEM, as virt_open().
 */
int targets_of_all(const struct target_source *source, bool without_channel,
                   struct targets *targets, size_t *skipped,
                   struct error *err);

/*
 * Reads the live XML again: a restarted domain has another socket.
 *
 * Return: 0 with the target brought up to date; -EHOSTUNREACH when the domain
 * sleeps; -ESHUTDOWN when it does not run; as targets_of_operand().
 */
int target_refresh(const struct target_source *source, struct target *target,
                   struct error *err);

void targets_free(struct targets *targets);

#endif
