/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Compares the names of channels with patterns of those that other programs
 * own, and words the errors, with the names that could be chosen.
 */
#include <config.h>

#include "host/domain/channel.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "host/domain/virshline.h"
#include "proto/limits.h"
#include "proto/status.h"
#include "util/cleanup.h"

#define NAMES_MAX 300 /* bytes of a list of names in a message */

/* Channels with an owner: talking to them would disturb it. */
static const char *const reserved[] = {
    "org.qemu.guest_agent.*", /* libvirt's own */
    "com.redhat.spice.*",
    "org.spice-space.*",
    "org.libguestfs.*",
};

bool channel_is_reserved(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
        if (fnmatch(reserved[i], name, 0) == 0)
            return true;
    return false;
}

static const struct channel *find(const struct channel_list *list,
                                  const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

/* "a, b, c" of the channels that may be used. */
static size_t join_free(const struct channel_list *list, char names[NAMES_MAX])
{
    size_t n = 0;

    names[0] = '\0';
    for (size_t i = 0; i < list->n; i++) {
        size_t used = strlen(names);

        if (channel_is_reserved(list->items[i].name))
            continue;
        snprintf(names + used, NAMES_MAX - used, "%s%s", n ? ", " : "",
                 list->items[i].name);
        n++;
    }
    return n;
}

/* Where to look, for messages. */
struct origin {
    const char *uri;
    const char *domain;
};

static void attach_hint(const struct origin *origin, const char *wanted,
                        struct error *err)
{
    char line[VIRSH_LINE_MAX];

    error_hint(err, "%s",
               virsh_attach(origin->uri, origin->domain, wanted,
                            "--live --config", line));
}

static int none(const struct origin *origin, const char *wanted,
                struct error *err)
{
    error_set(err, -ENXIO, "domain '%s' has no channel for an agent",
              origin->domain);
    attach_hint(origin, wanted, err);
    return -ENXIO;
}

static int wanted_missing(const struct channel_list *list, const char *wanted,
                          const struct origin *origin, struct error *err)
{
    char names[NAMES_MAX];

    if (join_free(list, names) == 0) {
        error_set(err, -ENXIO,
                  "domain '%s' has no channel '%s' nor another one",
                  origin->domain, wanted);
        attach_hint(origin, wanted, err);
        return -ENXIO;
    }
    error_set(err, -ENXIO, "domain '%s' has no channel '%s'", origin->domain,
              wanted);
    error_hint(err, "--channel with one of: %s", names);
    return -ENXIO;
}

static int pick_wanted(const struct channel_list *list, const char *wanted,
                       const struct origin *origin,
                       const struct channel **picked, struct error *err)
{
    if (channel_is_reserved(wanted))
        return error_set(err, -ENXIO,
                         "channel '%s' belongs to another program", wanted);
    *picked = find(list, wanted);
    return *picked ? 0 : wanted_missing(list, wanted, origin, err);
}

static int pick_only(const struct channel_list *list,
                     const struct origin *origin,
                     const struct channel **picked, struct error *err)
{
    char names[NAMES_MAX];
    size_t n = join_free(list, names);

    if (n == 0)
        return none(origin, CHANNEL_DEFAULT, err);
    if (n > 1) {
        error_set(err, -ENXIO,
                  "domain '%s' has several channels, and none is "
                  "'%s'",
                  origin->domain, CHANNEL_DEFAULT);
        error_hint(err, "--channel with one of: %s", names);
        error_status(err, STATUS_SEVERAL_CHANNELS);
        return -ENXIO;
    }
    for (size_t i = 0; i < list->n; i++)
        if (!channel_is_reserved(list->items[i].name))
            *picked = &list->items[i];
    return 0;
}

int channel_pick(const struct channel_list *list, const char *wanted,
                 const char *uri, const char *domain,
                 const struct channel **picked, struct error *err)
{
    struct origin origin = { uri, domain };
    int r = 0;

    if (wanted) {
        r = pick_wanted(list, wanted, &origin, picked, err);
    } else {
        *picked = find(list, CHANNEL_DEFAULT);
        if (!*picked)
            r = pick_only(list, &origin, picked, err);
    }
    return r;
}
