/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/sums.h"

#include <stdio.h>
#include <string.h>

static struct sum *find(struct sums *sums, const char *etag,
                        enum digest_kind kind)
{
    for (size_t i = 0; i < SUMS_MAX; i++)
        if (sums->sums[i].kind == kind
            && strcmp(sums->sums[i].etag, etag) == 0)
            return &sums->sums[i];
    return NULL;
}

static struct sum *oldest(struct sums *sums)
{
    struct sum *found = &sums->sums[0];

    for (size_t i = 1; i < SUMS_MAX; i++)
        if (sums->sums[i].used < found->used)
            found = &sums->sums[i];
    return found;
}

void sums_note(struct sums *sums, const char *etag, enum digest_kind kind,
               const char *hex)
{
    struct sum *sum = find(sums, etag, kind);

    if (!sum)
        sum = oldest(sums);
    sum->kind = kind;
    sum->used = ++sums->clock;
    snprintf(sum->etag, sizeof(sum->etag), "%s", etag);
    snprintf(sum->hex, sizeof(sum->hex), "%s", hex);
}

const char *sums_find(struct sums *sums, const char *etag,
                      enum digest_kind kind)
{
    struct sum *sum = *etag ? find(sums, etag, kind) : NULL;

    if (!sum)
        return NULL;
    sum->used = ++sums->clock;
    return sum->hex;
}
