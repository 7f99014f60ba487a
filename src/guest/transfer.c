/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guest/agent.h"
#include "util/cleanup.h"
#include "util/clock.h"

static void grace_over(void *arg);

static void reading_end(struct reading *reading)
{
    digest_free(reading->digest);
    digest_free(reading->marked_digest);
    *reading = (struct reading) { 0 };
}

void transfers_init(struct transfers *transfers, struct agent *agent)
{
    *transfers = (struct transfers) {
        .agent = agent,
        .grace = { .expired = grace_over, .arg = transfers },
    };
}

bool transfer_id_valid(const char *id)
{
    return id && *id && strlen(id) <= TRANSFER_ID_MAX;
}

/* --- uploads -------------------------------------------------------------- */

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

/* The order in which slots are used again: free ones first, those that are
 * getting their place last. */
static int64_t transfer_worth(const struct transfer *transfer)
{
    if (!transfer->id[0])
        return INT64_MIN;
    return transfer->state == TRANSFER_PLACING ? INT64_MAX
                                               : transfer->used_at;
}

static struct transfer *transfer_oldest(struct transfers *transfers)
{
    struct transfer *oldest = &transfers->uploads[0];

    for (size_t i = 1; i < TRANSFERS_MAX; i++)
        if (transfer_worth(&transfers->uploads[i]) < transfer_worth(oldest))
            oldest = &transfers->uploads[i];
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

/* A file that has come whole is likely to be fetched again. */
void transfer_note(struct transfers *transfers, struct upload *upload)
{
    if (*upload_sum(upload) && *upload_etag(upload))
        sums_note(&transfers->sums, upload_etag(upload), upload_kind(upload),
                  upload_sum(upload));
}

static void transfer_over(void *arg, int result, const struct error *err)
{
    struct transfer *transfer = arg;
    void (*over)(void *) = transfer->over;

    transfer->state = TRANSFER_OVER;
    transfer->result = result;
    if (err)
        transfer->error = *err;
    if (result == 0)
        transfer_note(transfer->transfers, transfer->upload);
    transfer->over = NULL;
    if (over)
        over(transfer->arg);
}

int transfer_place(struct transfers *transfers, struct transfer *transfer,
                   struct error *err)
{
    transfer->state = TRANSFER_PLACING;
    transfer->transfers = transfers;
    return upload_commit(transfer->upload, &transfers->agent->procs,
                         transfer_over, transfer, err);
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

        if (transfer->left_at
            && (agent->session.request
                || transfer->state == TRANSFER_PLACING))
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
    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        transfer_end(&transfers->uploads[i]);
        reading_end(&transfers->readings[i]);
    }
    memset(transfers->copies, 0, sizeof(transfers->copies));
    transfers->path[0] = '\0';
}

/* --- downloads ------------------------------------------------------------ */

struct reading *reading_find(struct transfers *transfers, const char *id)
{
    for (size_t i = 0; i < TRANSFERS_MAX; i++)
        if (transfers->readings[i].id[0]
            && strcmp(transfers->readings[i].id, id) == 0)
            return &transfers->readings[i];
    return NULL;
}

static struct reading *reading_oldest(struct transfers *transfers)
{
    struct reading *oldest = &transfers->readings[0];

    for (size_t i = 1; i < TRANSFERS_MAX; i++)
        if (transfers->readings[i].used_at < oldest->used_at)
            oldest = &transfers->readings[i];
    return oldest;
}

/* Return: 0 or -ENOMEM. */
static int reading_restart(struct transfers *transfers,
                           struct reading *reading,
                           const struct reading_options *options)
{
    const char *known = options->digested && options->first == 0
                            ? sums_find(&transfers->sums, options->etag,
                                        options->kind)
                            : NULL;

    reading_end(reading);
    if (known)
        snprintf(reading->known, sizeof(reading->known), "%s", known);
    else if (options->digested
             && !(reading->digest = digest_new(options->kind)))
        return -ENOMEM;
    reading->size = options->size;
    snprintf(reading->first_etag, sizeof(reading->first_etag), "%s",
             options->etag);
    snprintf(reading->id, sizeof(reading->id), "%s", options->id);
    snprintf(reading->path, sizeof(reading->path), "%s", options->path);
    reading->digested = options->digested;
    reading->kind = options->kind;
    reading->first = reading->next = options->first;
    return 0;
}

static bool reading_again(const struct reading *reading, int64_t first)
{
    return first == reading->marked && first < reading->next;
}

/* Does a piece go on with what was read, or is it the last one again? */
static bool reading_fits(const struct reading *reading,
                         const struct reading_options *options)
{
    return strcmp(reading->path, options->path) == 0
           && reading->digested == options->digested
           && reading->kind == options->kind
           && (options->first == reading->next
               || reading_again(reading, options->first));
}

/* Notes how it stands as a piece begins, or goes back to that. */
static int reading_mark(struct reading *reading, int64_t first)
{
    bool again = reading_again(reading, first);
    struct digest *copy = NULL;

    if (reading->digest) {
        copy = digest_copy(again ? reading->marked_digest : reading->digest);
        if (!copy)
            return -ENOMEM;
    }
    if (again) {
        digest_free(reading->digest);
        reading->digest = copy;
        reading->next = first;
    } else {
        digest_free(reading->marked_digest);
        reading->marked_digest = copy;
        reading->marked = first;
    }
    return 0;
}

struct reading *reading_begin(struct transfers *transfers,
                              const struct reading_options *options)
{
    struct reading *reading = reading_find(transfers, options->id);
    int r = 0;

    if (!reading || !reading_fits(reading, options)) {
        if (!reading)
            reading = reading_oldest(transfers);
        r = reading_restart(transfers, reading, options);
    }
    if (r == 0)
        r = reading_mark(reading, options->first);
    reading->used_at = clock_ms();
    return r < 0 ? NULL : reading;
}

void reading_take(struct reading *reading, const void *bytes, size_t n)
{
    if (!reading)
        return;
    if (reading->digest)
        digest_update(reading->digest, bytes, n);
    reading->next += (int64_t) n;
}

bool transfer_reading(struct transfers *transfers, const char *path,
                      int64_t offset)
{
    if (offset > 0 && strcmp(transfers->path, path) == 0)
        return true;
    snprintf(transfers->path, sizeof(transfers->path), "%s", path);
    return false;
}

int reading_digest(const struct reading *reading, char hex[DIGEST_HEX_MAX])
{
    CLEANUP(digest_cleanup) struct digest *copy = NULL;

    if (reading->known[0] && reading->next == reading->size) {
        memcpy(hex, reading->known, DIGEST_HEX_MAX);
        return 0;
    }
    if (!reading->digest)
        return -ENODATA;
    copy = digest_copy(reading->digest);
    if (!copy)
        return -ENOMEM;
    digest_hex(copy, hex);
    return 0;
}

void reading_pause(struct transfers *transfers, struct reading *reading,
                   int fd)
{
    char hex[DIGEST_HEX_MAX];
    struct stat st;

    if (!reading || fstat(fd, &st) < 0)
        return;
    etag_make(&st, reading->etag);
    if (reading->first == 0 && reading->next == st.st_size
        && strcmp(reading->etag, reading->first_etag) == 0
        && reading_digest(reading, hex) == 0)
        sums_note(&transfers->sums, reading->etag, reading->kind, hex);
}

/* --- copies --------------------------------------------------------------- */

/* Puts an id to the front of those from 0 to n. */
static void copy_to_front(struct transfers *transfers, const char *id,
                          size_t n)
{
    memmove(transfers->copies[1], transfers->copies[0],
            n * sizeof(transfers->copies[0]));
    snprintf(transfers->copies[0], sizeof(transfers->copies[0]), "%s", id);
}

bool copy_known(struct transfers *transfers, const char *id)
{
    for (size_t i = 0; i < COPIES_MAX; i++)
        if (strcmp(transfers->copies[i], id) == 0) {
            copy_to_front(transfers, id, i);
            return true;
        }
    return false;
}

void copy_note(struct transfers *transfers, const char *id)
{
    copy_to_front(transfers, id, COPIES_MAX - 1);
}
