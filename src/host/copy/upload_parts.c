/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * An upload in parts.  It is digested on the way; size and digest are told at
 * the end, and only then is the file committed.  When the agent has dropped
 * the parts, or a body was damaged, it is begun again a limited number of
 * times.
 */
#include <config.h>

#include "host/copy/upload_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/remote/filetarget.h"
#include "proto/digestfield.h"
#include "proto/limits.h"
#include "proto/param.h"
#include "proto/route.h"

/* A transfer that gets lost is begun anew, or goes on behind what is kept, but
 * not for ever; one that is damaged twice has a reason for it. */
#define TRIES 10
#define TRIES_DAMAGED 2

/* --- parts ---------------------------------------------------------------- */

/* Takes into the digest what is not in it yet: a turn that is made again gives
 * the same bytes once more. */
static void digest_new_bytes(struct upload *upload, int64_t at,
                             const uint8_t *bytes, size_t n)
{
    int64_t known = upload->digested - at;

    if (!upload->digest || known >= (int64_t) n)
        return;
    digest_update(upload->digest, bytes + known, n - (size_t) known);
    upload->digested = at + (int64_t) n;
}

/* rpc_body's give(). */
static int give(void *context, int64_t at, uint8_t *bytes, size_t n,
                struct error *err)
{
    struct upload *upload = context;
    int r = 0;

    (void) err;
    if (upload->stream)
        memcpy(bytes, upload->chunk + at, n);
    else
        r = upload_read_at(upload, upload->at + at, bytes, n);
    if (r == 0)
        digest_new_bytes(upload, upload->at + at, bytes, n);
    return r;
}

static int part_request(struct upload *upload, const char *target,
                        struct answer *answer)
{
    const struct rpc_body body = { .give = give, .context = upload };
    char range[80];
    struct client_request request = {
        .method = "PUT",
        .target = target,
        .content_type = "application/octet-stream",
        .stream = &body,
        .body_len = (size_t) upload->turn,
        .range_field = "Content-Range",
        .range = range,
        .read_ms = TIMEOUT_ALIVE,
        .if_not_done = "the file was not stored",
        .if_unknown = "the file was not stored",
        .partial = true,
    };

    /* The size is said at the end, with the digest. */
    snprintf(range, sizeof(range), "bytes %" PRId64 "-%" PRId64 "/*",
             upload->at, upload->at + upload->turn - 1);
    if (upload->at == 0)
        upload_put_condition(upload, &request);
    return upload_send(upload, &request, answer);
}

/* How much of the file the agent has, where it says so. */
static int part_check(struct upload *upload, const struct answer *answer,
                      int64_t sent)
{
    int64_t received = sent;

    if (param_int(answer->envelope.data, "received", PARAM_OPTIONAL, 0,
                  INT64_MAX, &received, upload->err))
        return answer_unreadable(upload->err);
    return received == sent
               ? 0
               : error_set(upload->err, -EBADMSG,
                           ANSWER_DISAGREES "it took the part, and has "
                                            "%" PRId64 " bytes, where %" PRId64
                                            " were sent",
                           received, sent);
}

static int part_send(struct upload *upload, const char *target)
{
    struct answer answer;
    int r = 0;

    if (!upload->stream)
        upload->turn = copy_turn(upload->copy, upload->size - upload->at);
    else if (upload->at > 0) /* the first one is here already */
        r = upload_stream_fill(upload);
    if (r < 0 || upload->turn == 0)
        return r;
    answer_init(&answer);
    r = part_request(upload, target, &answer);
    if (r == 0) {
        upload->at += upload->turn;
        if (upload->part)
            copy_last_words(upload->copy, upload->remote, " in the guest");
        progress_bytes(upload->copy->progress, upload->turn);
        copy_turn_done(upload->copy, upload->turn, answer.ms, true);
        r = part_check(upload, &answer, upload->at);
    }
    answer_free(&answer);
    return r;
}

static int parts_send(struct upload *upload)
{
    struct buf target;
    int r;

    buf_init(&target, HTTP_TARGET_MAX);
    r = upload_put_target(upload, &target);
    while (r == 0 && (upload->size < 0 || upload->at < upload->size))
        r = part_send(upload, buf_cstr(&target));
    buf_free(&target);
    return r;
}

/* --- the end of parts ----------------------------------------------------- */

static int finish_target(struct upload *upload, struct buf *target)
{
    int r = buf_printf(target, API_PREFIX "/file/transfers/%s?size=%" PRId64,
                       upload->copy->id, upload->size);

    if (r == 0 && upload->digest) {
        digest_hex(upload->digest, upload->sum);
        r = filetarget_add(target, digest_word(upload->copy->kind),
                           upload->sum);
    }
    if (r == 0 && !buf_cstr(target))
        r = -ENOMEM;
    return r < 0 ? error_errno(upload->err, r, "request") : 0;
}

/* Return: 0 when the file has its place; -EINPROGRESS while it gets it; as
 * upload_send(). */
static int finish_step(struct upload *upload,
                       const struct client_request *request,
                       struct copy_result *result)
{
    struct answer answer;
    bool complete = true;
    int r;

    answer_init(&answer);
    r = upload_send(upload, request, &answer);
    if (r == 0
        && param_bool(answer.envelope.data, "complete", PARAM_REQUIRED,
                      &complete, upload->err))
        r = answer_unreadable(upload->err);
    if (r == 0 && !complete)
        r = part_check(upload, &answer, upload->size);
    if (r == 0 && complete)
        r = upload_check_stored(upload, answer.envelope.data, result);
    answer_free(&answer);
    return r == 0 && !complete ? -EINPROGRESS : r;
}

/* The end is waited for in steps: to write a large file to its disk may take
 * long, and others need not wait for it. */
static int finish(struct upload *upload, struct copy_result *result)
{
    struct client_request request = {
        .method = "POST",
        .read_ms = TIMEOUT_ALIVE,
        .if_not_done = "the file was not stored",
        .if_unknown = "outcome unknown: the file may have been stored",
    };
    struct buf target;
    int r;

    buf_init(&target, HTTP_TARGET_MAX);
    r = finish_target(upload, &target);
    request.target = buf_cstr(&target);
    if (r == 0)
        r = finish_step(upload, &request, result);
    buf_clear(&target);
    if (r == -EINPROGRESS
        && buf_printf(&target, API_PREFIX "/file/transfers/%s",
                      upload->copy->id)
               < 0)
        r = error_errno(upload->err, -ENOMEM, "request");
    request.method = "GET";
    while (r == -EINPROGRESS) {
        client_give_way(upload->copy->client);
        request.target = buf_cstr(&target);
        r = finish_step(upload, &request, result);
    }
    buf_free(&target);
    return r;
}

/* --- beginning, and beginning anew ---------------------------------------- */

/* How much of the part that is there is right.  Return: as upload_send(). */
static int find_part(struct upload *upload)
{
    struct copy_span span;
    struct error own = ERROR_INIT;
    int64_t same;
    int code = 0;
    int r = copy_span(upload->copy, upload->remote, true, 0, 0, &span, &own);

    upload->at = upload->digested = 0;
    if (r > 0) /* there is none */
        return 0;
    if (r < 0) {
        *upload->err = own;
        return r;
    }
    if (span.size >= upload->size) /* one byte at least makes a transfer */
        span.size = upload->size - 1;
    same = copy_same(upload->copy, upload->remote, true, upload->fd, span.size,
                     &upload->digest, &code, upload->err);
    if (same < 0 || code)
        return same < 0 ? (int) same : code;
    out_note(upload->copy->client->setup.out,
             "%" PRId64 " of %" PRId64 " bytes that were there are right",
             same, span.size);
    upload->at = upload->digested = same;
    progress_skip(upload->copy->progress, same);
    return 0;
}

/* Drops what the agent may have of this transfer. */
void upload_forget_parts(struct upload *upload)
{
    char target[128];
    const struct client_request request = { .method = "DELETE",
                                            .target = target,
                                            .read_ms = TIMEOUT_UNSET,
                                            .again = true };
    struct error ignored = ERROR_INIT;
    struct answer answer;

    snprintf(target, sizeof(target), API_PREFIX "/file/transfers/%s",
             upload->copy->id);
    answer_init(&answer);
    client_send_request(upload->copy->client, &request, &answer, &ignored);
    answer_free(&answer);
}

static int parts_once(struct upload *upload, bool again,
                      struct copy_result *result)
{
    int r = 0;

    digest_free(upload->digest);
    upload->digest = copy_digest(upload->copy);
    upload->sum[0] = '\0';
    upload->at = upload->digested = 0;
    upload->lost = upload->damaged = false;
    if (again && !upload->part)
        upload_forget_parts(upload);
    if (upload->part && (again || upload->copy->options->resume))
        r = find_part(upload);
    if (r == 0)
        r = parts_send(upload);
    if (r == 0)
        r = upload_check_unchanged(upload);
    return r ? r : finish(upload, result);
}

/*
 * Whoever was let in may have stayed longer than the agent keeps the parts of
 * somebody who left; or the agent was restarted.  And a body that was broken
 * off may have been completed by other bytes; that was not stored.
 */
int upload_parts(struct upload *upload, struct copy_result *result)
{
    int damaged = 0;
    int r = parts_once(upload, false, result);

    for (int i = 1;
         i < TRIES && (upload->lost || upload->damaged) && !upload->stream;
         i++) {
        damaged += upload->damaged;
        if (damaged >= TRIES_DAMAGED)
            break;
        out_note(upload->copy->client->setup.out, "%s; again",
                 upload->damaged ? "the copy was damaged on its way"
                                 : "the agent has dropped what was sent");
        error_clear(upload->err);
        r = parts_once(upload, true, result);
    }
    return r;
}
