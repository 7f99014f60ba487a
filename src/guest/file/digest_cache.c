/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The digest cache: a table that is searched from end to end (a search costs
 * nothing beside a digest), and in which the entry unused longest is replaced.
 */
#include <config.h>

#include "guest/file/digest_cache.h"

#include <stdio.h>
#include <string.h>

static struct digest_entry *find(struct digest_cache *cache, const char *etag,
                                 enum digest_kind kind)
{
    for (size_t i = 0; i < DIGEST_CACHE_MAX; i++)
        if (cache->items[i].kind == kind
            && strcmp(cache->items[i].etag, etag) == 0)
            return &cache->items[i];
    return NULL;
}

static struct digest_entry *oldest(struct digest_cache *cache)
{
    struct digest_entry *found = &cache->items[0];

    for (size_t i = 1; i < DIGEST_CACHE_MAX; i++)
        if (cache->items[i].used < found->used)
            found = &cache->items[i];
    return found;
}

void digest_cache_add(struct digest_cache *cache, const char *etag,
                      enum digest_kind kind, const char *hex)
{
    struct digest_entry *entry = find(cache, etag, kind);

    if (!entry)
        entry = oldest(cache);
    entry->kind = kind;
    entry->used = ++cache->clock;
    snprintf(entry->etag, sizeof(entry->etag), "%s", etag);
    snprintf(entry->hex, sizeof(entry->hex), "%s", hex);
}

const char *digest_cache_find(struct digest_cache *cache, const char *etag,
                              enum digest_kind kind)
{
    struct digest_entry *entry = *etag ? find(cache, etag, kind) : NULL;

    if (!entry)
        return NULL;
    entry->used = ++cache->clock;
    return entry->hex;
}
