/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * From what the user typed (a domain, several, all, or a socket) to where the
 * agents are.
 */
#ifndef VSRPC_HOST_DOMAIN_TARGET_H
#define VSRPC_HOST_DOMAIN_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "host/domain/domxml.h"
#include "util/error.h"

/* The roads to an agent; see dial.h. */
enum target_transport {
    TRANSPORT_AUTO,
    TRANSPORT_SOCKET,
    TRANSPORT_STREAM,
};

/* One agent's place.  Strings are owned. */
struct target {
    char *name;    /* of the domain; NULL when only a socket was given */
    char *channel; /* its name; NULL likewise */
    char *socket;  /* NULL: the channel's XML has none */
    bool remote;   /* libvirt, and so the socket, is on another machine */
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
    enum target_transport transport;
};

/*
 * Tells whether a libvirt URI leads to another machine: it names a host, or a
 * transport that is no UNIX socket of this one (+ssh, +tls, +ext …).
 */
bool target_uri_is_remote(const char *uri);

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
int targets_of_operand(const struct target_source *source, const char *operand,
                       struct targets *targets, struct error *err);

/* Does a word without a slash lead to a domain, or several, in whichever form?
 * Return: true; false also when libvirt cannot be asked. */
bool target_is_domain(const struct target_source *source, const char *word);

/*
 * As targets_of_operand(), for who looks himself what is wrong with a domain:
 * a plain word becomes a target that has only its name, without a look at
 * libvirt.
 *
 * Return: 0; for lists and globs as targets_of_operand().
 */
int targets_of_word(const struct target_source *source, const char *operand,
                    struct targets *targets, struct error *err);

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
 * Reads the live XML again: a restarted domain has another socket.  The channel
 * stays the one that it was.
 *
 * Return: 0 with the target brought up to date; -EHOSTUNREACH when the domain
 * sleeps; -ESHUTDOWN when it does not run; as targets_of_operand().
 */
int target_refresh(const struct target_source *source, struct target *target,
                   struct error *err);

void targets_free(struct targets *targets);

#endif
