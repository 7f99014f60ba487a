/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/transfer.h"

#include <stdio.h>
#include <string.h>

#include "util/clock.h"

struct transfer *transfer_find(struct transfers *transfers, const char *id)
{
    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        struct transfer *transfer = &transfers->uploads[i];

        if (transfer->id[0] && strcmp(transfer->id, id) == 0) {
            transfer->used_at = clock_ms();
            return transfer;
        }
    }
    return NULL;
}

static struct transfer *transfer_oldest(struct transfers *transfers)
{
    struct transfer *oldest = &transfers->uploads[0];

    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        struct transfer *transfer = &transfers->uploads[i];

        if (!transfer->id[0])
            return transfer;
        if (transfer->used_at < oldest->used_at)
            oldest = transfer;
    }
    return oldest;
}

struct transfer *transfer_add(struct transfers *transfers, const char *id,
                              int64_t total)
{
    struct transfer *transfer = transfer_oldest(transfers);

    transfer_end(transfer);
    snprintf(transfer->id, sizeof(transfer->id), "%s", id);
    transfer->total = total;
    transfer->used_at = clock_ms();
    return transfer;
}

void transfer_end(struct transfer *transfer)
{
    upload_free(transfer->upload);
    *transfer = (struct transfer) { 0 };
}

void transfers_drop(struct transfers *transfers)
{
    for (size_t i = 0; i < TRANSFERS_MAX; i++)
        transfer_end(&transfers->uploads[i]);
    transfers->reading[0] = '\0';
}

bool transfer_reading(struct transfers *transfers, const char *path,
                      int64_t offset)
{
    if (offset > 0 && strcmp(transfers->reading, path) == 0)
        return true;
    snprintf(transfers->reading, sizeof(transfers->reading), "%s", path);
    return false;
}
