/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/transfer.h"

#include <stdio.h>
#include <string.h>

#include "guest/agent.h"
#include "util/clock.h"

static void grace_over(void *arg);

void transfers_init(struct transfers *transfers, struct agent *agent)
{
    *transfers = (struct transfers) {
        .agent = agent,
        .grace = { .expired = grace_over, .arg = transfers },
    };
}

struct transfer *transfer_find(struct transfers *transfers, const char *id)
{
    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        struct transfer *transfer = &transfers->uploads[i];

        if (transfer->id[0] && strcmp(transfer->id, id) == 0) {
            transfer->used_at = clock_ms();
            transfer->left_at = 0;
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

/* Wakes up when the first of those that were left is over. */
static void grace_start(struct transfers *transfers)
{
    struct agent *agent = transfers->agent;
    int64_t first = INT64_MAX;
    int64_t ms;

    for (size_t i = 0; i < TRANSFERS_MAX; i++)
        if (transfers->uploads[i].left_at
            && transfers->uploads[i].left_at < first)
            first = transfers->uploads[i].left_at;
    if (first == INT64_MAX)
        return;
    ms = first + agent->grace_ms - clock_ms();
    loop_timer_start(&agent->loop, &transfers->grace, ms > 0 ? ms : 0);
}

static void grace_over(void *arg)
{
    struct transfers *transfers = arg;
    struct agent *agent = transfers->agent;
    int64_t now = clock_ms();

    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        struct transfer *transfer = &transfers->uploads[i];

        if (transfer->left_at && agent->session.request)
            transfer->left_at = now;
        else if (transfer->left_at
                 && now - transfer->left_at >= agent->grace_ms)
            transfer_end(transfer);
    }
    grace_start(transfers);
}

void transfers_leave(struct transfers *transfers)
{
    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        struct transfer *transfer = &transfers->uploads[i];

        if (transfer->id[0] && !transfer->left_at)
            transfer->left_at = clock_ms();
    }
    grace_start(transfers);
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
