/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * libxml2, without network and without its messages.  A text with a DOCTYPE is
 * refused, because xmlGetProp() expands the entities that one declares.
 */
#include <config.h>

#include "host/domain/domxml.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "util/cleanup.h"

#define PARSE_FLAGS                                            \
    (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING \
     | XML_PARSE_NOBLANKS)

static bool node_is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE
           && strcmp((const char *) node->name, name) == 0;
}

static xmlNode *child_of(xmlNode *parent, const char *name)
{
    xmlNode *node = parent ? parent->children : NULL;

    while (node && !node_is(node, name))
        node = node->next;
    return node;
}

/* An attribute as a string of our own allocator; NULL when absent. */
static char *attribute(xmlNode *node, const char *name)
{
    xmlChar *value = node ? xmlGetProp(node, (const xmlChar *) name) : NULL;
    char *copy = value ? strdup((char *) value) : NULL;

    xmlFree(value);
    return copy;
}

static bool attribute_is(xmlNode *node, const char *name, const char *value)
{
    AUTO_FREE char *found = attribute(node, name);

    return found && strcmp(found, value) == 0;
}

static enum channel_state state_of(xmlNode *target)
{
    if (attribute_is(target, "state", "connected"))
        return CHANNEL_CONNECTED;
    return attribute_is(target, "state", "disconnected") ? CHANNEL_DISCONNECTED
                                                         : CHANNEL_UNKNOWN;
}

static int list_add(struct channel_list *list, const struct channel *channel)
{
    struct channel *items = realloc(list->items,
                                    (list->n + 1) * sizeof(*items));

    if (!items)
        return -ENOMEM;
    list->items = items;
    list->items[list->n++] = *channel;
    return 0;
}

/* Channels of other kinds (spicevmc, guestfwd) are none of ours. */
static int take_channel(struct channel_list *list, xmlNode *node)
{
    xmlNode *target = child_of(node, "target");
    AUTO_FREE char *name = NULL;
    AUTO_FREE char *path = NULL;
    struct channel channel;

    if (!node_is(node, "channel") || !attribute_is(node, "type", "unix")
        || !attribute_is(target, "type", "virtio"))
        return 0;
    name = attribute(target, "name");
    path = attribute(child_of(node, "source"), "path");
    if (!name)
        return 0;
    channel = (struct channel) { name, path, state_of(target) };
    if (list_add(list, &channel) < 0)
        return -ENOMEM;
    name = NULL;
    path = NULL;
    return 0;
}

static int take_all(struct channel_list *list, xmlNode *domain)
{
    xmlNode *devices = child_of(domain, "devices");

    for (xmlNode *node = devices ? devices->children : NULL; node;
         node = node->next)
        if (take_channel(list, node) < 0)
            return -ENOMEM;
    return 0;
}

int domxml_channels(const char *xml, struct channel_list *list,
                    struct error *err)
{
    size_t n = strlen(xml);
    xmlDoc *document = NULL;
    xmlNode *root;
    int r = -EBADMSG;

    *list = (struct channel_list) { 0 };
    if (n < INT_MAX)
        document = xmlReadMemory(xml, (int) n, NULL, NULL, PARSE_FLAGS);
    root = document ? xmlDocGetRootElement(document) : NULL;
    /* libvirt writes no DOCTYPE, and xmlGetProp() expands what one declares:
     * such a text is none of libvirt's. */
    if (root && !document->intSubset && node_is(root, "domain"))
        r = take_all(list, root);
    if (document)
        xmlFreeDoc(document);
    if (r < 0) {
        channel_list_free(list);
        return error_set(err, r, "cannot read the domain's XML");
    }
    return 0;
}

void channel_list_free(struct channel_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i].name);
        free(list->items[i].path);
    }
    free(list->items);
    *list = (struct channel_list) { 0 };
}
