/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What both directions share: turns, whose length in bytes is doubled or
 * halved until each takes 40 to 80 ms, and the comparison of a file here with
 * one in the guest, span by span, by digests.
 */
#include <config.h>

#include "host/copy/copy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/core/interrupt.h"
#include "host/remote/filetarget.h"
#include "proto/digestfield.h"
#include "proto/limits.h"
#include "proto/param.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"
#include "util/quote.h"

/* A turn is to take between so many milliseconds: the round trip is a
 * fiftieth of it, and who waits for the channel gets it three times as fast as
 * promised (300 ms). */
#define TURN_SHORT_MS 40
#define TURN_LONG_MS 80
#define TURN_MIN (256L * 1024)
#define TURN_MAX (32L * 1024 * 1024)

/* A longer wait for the rate's sake is not made with the channel in hand. */
#define THROTTLE_HOLD_MS 20

int copy_begin(struct copy *copy, struct client *client,
               const struct copy_options *options, struct progress *progress,
               struct error *err)
{
    const char *word = options->checksum ? options->checksum : "md5";

    *copy = (struct copy) {
        .client = client,
        .options = options,
        .progress = progress,
        .digested = strcmp(word, "none") != 0,
        .turn = TRANSFER_CHUNK,
    };
    throttle_init(&copy->throttle, options->limit_rate);
    if (copy->digested && digest_kind_of(word, &copy->kind) < 0)
        return error_set(err, -EINVAL,
                         "--checksum '%s' is none of md5, sha256 and none",
                         word);
    if (crypto_random_hex(copy->id, COPY_ID_SIZE / 2) < 0)
        return error_errno(err, -EIO, "random numbers");
    return 0;
}

/* --- turns ---------------------------------------------------------------- */

int64_t copy_turn(const struct copy *copy, int64_t left)
{
    int64_t turn = throttle_turn(&copy->throttle, copy->turn);

    return left < turn ? left : turn;
}

static void turn_learn(struct copy *copy, int64_t n, int64_t ms)
{
    if (ms < TURN_SHORT_MS && n >= copy->turn && copy->turn < TURN_MAX)
        copy->turn *= 2;
    else if (ms > TURN_LONG_MS && copy->turn > TURN_MIN)
        copy->turn /= 2;
}

void copy_turn_done(struct copy *copy, int64_t n, int64_t ms, bool more)
{
    int64_t wait = throttle_wait_ms(&copy->throttle, clock_ms(), n);

    turn_learn(copy, n, ms);
    if (wait > THROTTLE_HOLD_MS)
        client_disconnect(copy->client);
    if (wait > 0)
        clock_sleep_ms(wait);
    if (more)
        client_give_way(copy->client);
}

/* --- signals -------------------------------------------------------------- */

void copy_last_words(struct copy *copy, const char *name, const char *where)
{
    struct buf words;

    if (!copy->options->resume || copy->has_last_words)
        return;
    copy->has_last_words = true;
    buf_init(&words, COPY_LAST_WORDS_MAX - 1);
    /* A progress line may be where they begin. */
    if (buf_printf(&words,
                   "%s" PROGRAM ": interrupted; --resume goes on with what "
                   "is kept of ",
                   isatty(STDERR_FILENO) ? "\n" : "")
            == 0
        && quote_name(&words, name) == 0
        && buf_printf(&words, "%s\n", where) == 0 && buf_cstr(&words)) {
        strcpy(copy->last_words, buf_cstr(&words));
        interrupt_last_words(copy->last_words);
    }
    buf_free(&words);
}

void copy_no_last_words(struct copy *copy)
{
    if (copy->has_last_words)
        interrupt_last_words(NULL);
    copy->has_last_words = false;
}

/* --- digests -------------------------------------------------------------- */

struct digest *copy_digest(struct copy *copy)
{
    struct digest *digest = NULL;

    if (!copy->digested)
        return NULL;
    digest = digest_new(copy->kind);
    if (!digest) { /* a system in FIPS mode has no MD5 */
        out_note(copy->client->setup.out, "no %s here; not compared",
                 digest_word(copy->kind));
        copy->digested = false;
    }
    return digest;
}

void copy_result_fill(const struct copy *copy, const char *path, int64_t size,
                      const char *hex, struct copy_result *result)
{
    *result = (struct copy_result) { .path = strdup(path), .size = size };
    if (*hex)
        snprintf(copy->kind == DIGEST_MD5 ? result->md5 : result->sha256,
                 copy->kind == DIGEST_MD5 ? sizeof(result->md5)
                                          : sizeof(result->sha256),
                 "%s", hex);
}

static int span_take(struct json_object *data, int64_t first, int64_t length,
                     struct copy_span *span, struct error *err)
{
    const char *digest = NULL;
    int64_t from = first;

    if (param_int(data, "size", PARAM_REQUIRED, 0, INT64_MAX, &span->size, err)
        || param_int(data, "length", PARAM_REQUIRED, 0, DIGEST_SPAN_MAX,
                     &span->length, err)
        || param_int(data, "first", PARAM_OPTIONAL, 0, INT64_MAX, &from, err)
        || param_string(data, "digest", PARAM_REQUIRED, &digest, err)) {
        return answer_unreadable(err);
    }
    if (from != first || span->length > length
        || (span->length > 0 && span->length > span->size - first))
        return error_set(err, -EBADMSG,
                         ANSWER_DISAGREES
                         "a digest of %" PRId64 " bytes from %" PRId64
                         " on, of a file of %" PRId64 " bytes, where %" PRId64
                         " bytes from %" PRId64 " on were asked for",
                         span->length, from, span->size, length, first);
    snprintf(span->digest, sizeof(span->digest), "%s", digest);
    return 0;
}

static int span_target(const struct copy *copy, const char *remote, bool part,
                       int64_t first, int64_t length, struct buf *target,
                       struct error *err)
{
    int r = filetarget_begin(target, "digest", remote, copy->id, err);

    if (r < 0)
        return r;
    r = filetarget_add(target, "algorithm", digest_word(copy->kind));
    if (r == 0)
        r = filetarget_add_int(target, "first", first);
    if (r == 0)
        r = filetarget_add_int(target, "length", length);
    if (r == 0)
        r = filetarget_add_flag(target, "part", part);
    return r < 0 ? error_errno(err, r, "path '%.100s'", remote) : 0;
}

int copy_span(struct copy *copy, const char *remote, bool part, int64_t first,
              int64_t length, struct copy_span *span, struct error *err)
{
    struct client_request request = { .method = "GET",
                                      .read_ms = TIMEOUT_ALIVE };
    struct answer answer;
    struct buf target;
    int r;

    buf_init(&target, HTTP_TARGET_MAX);
    answer_init(&answer);
    r = span_target(copy, remote, part, first, length, &target, err);
    if (r == 0) {
        request.target = buf_cstr(&target);
        r = client_send_request(copy->client, &request, &answer, err);
    }
    if (r == 0)
        r = answer_error(copy->client, &answer, err);
    if (r == 0)
        r = span_take(answer.envelope.data, first, length, span, err);
    answer_free(&answer);
    buf_free(&target);
    return r;
}

/* The same bytes into a digest of their own and into that of all. */
static int64_t span_read(int fd, int64_t first, int64_t n, struct digest *own,
                         struct digest *all)
{
    AUTO_FREE uint8_t *step = malloc(TURN_MIN);
    int64_t done = 0;

    if (!step)
        return -ENOMEM;
    while (done < n) {
        int64_t left = n - done;
        int64_t got = fd_pread_full(fd, step,
                                    left < TURN_MIN ? (size_t) left : TURN_MIN,
                                    first + done);

        if (got <= 0)
            return got < 0 ? got : done;
        digest_update(own, step, (size_t) got);
        if (all)
            digest_update(all, step, (size_t) got);
        done += got;
    }
    return done;
}

/* Return: the bytes of a span that are the same, all or none; as
 * copy_same(). */
static int64_t span_same(struct copy *copy, const char *remote, bool part,
                         int fd, int64_t first, int64_t n,
                         struct digest **digest, int *code, struct error *err)
{
    CLEANUP(digest_cleanup) struct digest *own = digest_new(copy->kind);
    CLEANUP(digest_cleanup)
    struct digest *all = *digest ? digest_copy(*digest) : NULL;
    struct copy_span span;
    char hex[DIGEST_HEX_MAX];
    int64_t got;
    int r = copy_span(copy, remote, part, first, n, &span, err);

    if (r != 0) {
        *code = r > 0 ? r : 0;
        return r > 0 ? 0 : r;
    }
    if (!own || (*digest && !all))
        return error_errno(err, -ENOMEM, "digest");
    got = span_read(fd, first, n, own, all);
    if (got < 0)
        return error_errno(err, (int) got, "reading");
    digest_hex(own, hex);
    if (got != n || span.length != n || strcmp(hex, span.digest) != 0)
        return 0;
    if (*digest) {
        digest_free(*digest);
        *digest = steal_ptr(&all);
    }
    return n;
}

int64_t copy_same(struct copy *copy, const char *remote, bool part, int fd,
                  int64_t n, struct digest **digest, int *code,
                  struct error *err)
{
    int64_t same = 0;

    *code = 0;
    while (same < n) {
        int64_t step = n - same < DIGEST_SPAN_MAX ? n - same : DIGEST_SPAN_MAX;
        int64_t got = span_same(copy, remote, part, fd, same, step, digest,
                                code, err);

        if (got < 0)
            return got;
        if (got == 0)
            break;
        same += got;
        client_give_way(copy->client);
    }
    return same;
}

void copy_result_free(struct copy_result *result)
{
    free(result->path);
    *result = (struct copy_result) { 0 };
}
