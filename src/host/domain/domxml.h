/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A domain's XML to its channels: the only door to libxml2. */
#ifndef VSRPC_HOST_DOMAIN_DOMXML_H
#define VSRPC_HOST_DOMAIN_DOMXML_H

#include <stddef.h>

#include "util/error.h"

enum channel_state {
    CHANNEL_UNKNOWN,      /* libvirt does not say */
    CHANNEL_CONNECTED,    /* something in the guest has the port open */
    CHANNEL_DISCONNECTED, /* nothing has; advisory, lags behind */
};

/* A virtio-serial channel over a UNIX socket. */
struct channel {
    char *name;
    char *path; /* of the socket; NULL when the domain is not running */
    enum channel_state state;
};

struct channel_list {
    struct channel *items;
    size_t n;
};

/*
 * Reads the channels out of a domain's XML.  Nothing is fetched from the
 * network, and a text with a DOCTYPE is refused.
 *
 * Return: 0 (the list may be empty; the caller frees it), -EBADMSG, -ENOMEM.
 */
int domxml_channels(const char *xml, struct channel_list *list,
                    struct error *err);

/* Frees; the list is empty and usable again. */
void channel_list_free(struct channel_list *list);

#endif
