/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The tables of uploads and downloads by their ids.  A download's
 * digest is copied before each piece, so that the piece can be sent again;
 * uploads that nobody goes on with are dropped by a timer.
 */
#include <config.h>

#include "guest/file/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/proc/proc.h"
#include "util/cleanup.h"
#include "util/clock.h"

static void grace_over(void *arg);

static void download_end(struct download *download)
{
    digest_free(download->digest);
    digest_free(download->marked_digest);
    *download = (struct download) { 0 };
}

void transfers_init(struct transfers *transfers, struct context *context)
{
    *transfers = (struct transfers) {
        .context = context,
        .grace = { .expired = grace_over, .arg = transfers },
    };
}

bool transfer_id_valid(const char *id)
{
    size_t n = strspn(id, "0123456789abcdefABCDEF");

    return n > 0 && n <= TRANSFER_ID_MAX && !id[n];
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
 * being committed last. */
static int64_t transfer_worth(const struct transfer *transfer)
{
    if (!transfer->id[0])
        return INT64_MIN;
    return transfer->state == TRANSFER_COMMITTING ? INT64_MAX
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
    transfer->user = -1;
    transfer->used_at = clock_ms();
    return transfer;
}

/* A file that has come whole is likely to be fetched again. */
void transfer_note(struct transfers *transfers, struct upload *upload)
{
    if (*upload_sum(upload) && *upload_etag(upload))
        digest_cache_add(&transfers->digests, upload_etag(upload),
                         upload_kind(upload), upload_sum(upload));
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

int transfer_commit(struct transfers *transfers, struct transfer *transfer,
                    struct error *err)
{
    int r;

    transfer->state = TRANSFER_COMMITTING;
    transfer->transfers = transfers;
    r = upload_commit(transfer->upload, transfers->context->procs,
                      transfer_over, transfer, err);
    if (r < 0) /* nobody else will say so */
        transfer_over(transfer, r, err);
    return r;
}

void transfer_end(struct transfer *transfer)
{
    upload_free(transfer->upload);
    *transfer = (struct transfer) { 0 };
}

/* Wakes up when the first of those that were left is over. */
static void grace_start(struct transfers *transfers)
{
    struct context *context = transfers->context;
    int64_t first = INT64_MAX;
    int64_t ms;

    for (size_t i = 0; i < TRANSFERS_MAX; i++)
        if (transfers->uploads[i].left_at
            && transfers->uploads[i].left_at < first)
            first = transfers->uploads[i].left_at;
    if (first == INT64_MAX)
        return;
    ms = first + context->grace_ms - clock_ms();
    loop_timer_start(context->loop, &transfers->grace, ms > 0 ? ms : 0);
}

static void grace_over(void *arg)
{
    struct transfers *transfers = arg;
    struct context *context = transfers->context;
    int64_t now = clock_ms();

    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        struct transfer *transfer = &transfers->uploads[i];

        if (transfer->left_at
            && (transfers->busy || transfer->state == TRANSFER_COMMITTING))
            transfer->left_at = now;
        else if (transfer->left_at
                 && now - transfer->left_at >= context->grace_ms)
            transfer_end(transfer);
    }
    grace_start(transfers);
}

void transfers_leave(struct transfers *transfers)
{
    int64_t now = clock_ms();

    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        struct transfer *transfer = &transfers->uploads[i];

        if (transfer->id[0] && !transfer->left_at)
            transfer->left_at = now > transfer->back_at ? now
                                                        : transfer->back_at;
    }
    grace_start(transfers);
}

void transfer_put_off(struct transfers *transfers, const char *id, int64_t ms)
{
    struct transfer *transfer = transfer_find(transfers, id);

    if (transfer)
        transfer->back_at = clock_ms() + ms;
}

void transfers_busy(struct transfers *transfers, bool busy)
{
    transfers->busy = busy;
}

void transfers_drop(struct transfers *transfers)
{
    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        transfer_end(&transfers->uploads[i]);
        download_end(&transfers->downloads[i]);
    }
}

/* --- downloads ------------------------------------------------------------ */

struct download *download_find(struct transfers *transfers, const char *id)
{
    for (size_t i = 0; i < TRANSFERS_MAX; i++)
        if (transfers->downloads[i].id[0]
            && strcmp(transfers->downloads[i].id, id) == 0)
            return &transfers->downloads[i];
    return NULL;
}

static struct download *download_oldest(struct transfers *transfers)
{
    struct download *oldest = &transfers->downloads[0];

    for (size_t i = 1; i < TRANSFERS_MAX; i++)
        if (transfers->downloads[i].used_at < oldest->used_at)
            oldest = &transfers->downloads[i];
    return oldest;
}

/* Return: 0 or -ENOMEM. */
static int download_restart(struct transfers *transfers,
                            struct download *download,
                            const struct download_options *options)
{
    const char *known = options->digested && options->first == 0
                            ? digest_cache_find(&transfers->digests,
                                                options->etag, options->kind)
                            : NULL;

    download_end(download);
    if (known)
        snprintf(download->known, sizeof(download->known), "%s", known);
    else if (options->digested
             && !(download->digest = digest_new(options->kind)))
        return -ENOMEM;
    download->size = options->size;
    snprintf(download->first_etag, sizeof(download->first_etag), "%s",
             options->etag);
    snprintf(download->id, sizeof(download->id), "%s", options->id);
    snprintf(download->path, sizeof(download->path), "%s", options->path);
    download->digested = options->digested;
    download->kind = options->kind;
    download->first = download->next = options->first;
    return 0;
}

static bool download_again(const struct download *download, int64_t first)
{
    return first == download->marked && first < download->next;
}

/* Does a piece go on with what was read, or is it the last one again? */
static bool download_fits(const struct download *download,
                          const struct download_options *options)
{
    return strcmp(download->path, options->path) == 0
           && download->digested == options->digested
           && download->kind == options->kind
           && (options->first == download->next
               || download_again(download, options->first));
}

/* Notes how it stands as a piece begins, or goes back to that. */
static int download_mark(struct download *download, int64_t first)
{
    bool again = download_again(download, first);
    struct digest *copy = NULL;

    if (download->digest) {
        copy = digest_copy(again ? download->marked_digest : download->digest);
        if (!copy)
            return -ENOMEM;
    }
    if (again) {
        digest_free(download->digest);
        download->digest = copy;
        download->next = first;
    } else {
        digest_free(download->marked_digest);
        download->marked_digest = copy;
        download->marked = first;
    }
    return 0;
}

struct download *download_begin(struct transfers *transfers,
                                const struct download_options *options)
{
    struct download *download = download_find(transfers, options->id);
    int r = 0;

    if (!download || !download_fits(download, options)) {
        if (!download)
            download = download_oldest(transfers);
        r = download_restart(transfers, download, options);
    }
    if (r == 0)
        r = download_mark(download, options->first);
    download->used_at = clock_ms();
    return r < 0 ? NULL : download;
}

void download_take(struct download *download, const void *bytes, size_t n)
{
    if (!download)
        return;
    if (download->digest)
        digest_update(download->digest, bytes, n);
    download->next += (int64_t) n;
}

int download_digest(const struct download *download, char hex[DIGEST_HEX_MAX])
{
    CLEANUP(digest_cleanup) struct digest *copy = NULL;

    if (download->known[0] && download->next == download->size) {
        memcpy(hex, download->known, DIGEST_HEX_MAX);
        return 0;
    }
    if (!download->digest)
        return -ENODATA;
    copy = digest_copy(download->digest);
    if (!copy)
        return -ENOMEM;
    digest_hex(copy, hex);
    return 0;
}

void download_pause(struct transfers *transfers, struct download *download,
                    int fd)
{
    char hex[DIGEST_HEX_MAX];
    struct stat st;

    if (!download || fstat(fd, &st) < 0)
        return;
    etag_make(&st, download->etag);
    if (download->first == 0 && download->next == st.st_size
        && strcmp(download->etag, download->first_etag) == 0
        && download_digest(download, hex) == 0)
        digest_cache_add(&transfers->digests, download->etag, download->kind,
                         hex);
}
