/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Which of a domain's channels is the agent's. */
#ifndef VSRPC_HOST_DOMAIN_CHANNEL_H
#define VSRPC_HOST_DOMAIN_CHANNEL_H

#include <stdbool.h>

#include "host/domain/domxml.h"

/* Tells whether a channel has an owner that is not us: libvirt's agent,
 * SPICE. */
bool channel_is_reserved(const char *name);

/*
 * Picks by the name that the user wanted; without one (NULL) the default
 * channel, or else the only one that belongs to nobody else.  The domain, and
 * the libvirt that was asked for (NULL: none was), are for messages.
 *
 * Return: 0 with *picked inside the list (its path may be NULL); -ENXIO with a
 * message and the next step when there is no such channel or more than one.
 */
int channel_pick(const struct channel_list *list, const char *wanted,
                 const char *uri, const char *domain,
                 const struct channel **picked, struct error *err);

#endif
