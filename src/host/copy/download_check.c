/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Compares the digest of what came with the agent's.  When they differ, or the
 * agent has none, or the file has changed, the two files are compared span by
 * span, and what differs is fetched again.
 */
#include <config.h>

#include "host/copy/download_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "proto/limits.h"
#include "proto/param.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* A file that changes as often while it is read is not to be had. */
#define TRIES 3

/* What the agent says of all that it has sent in this copy. */
struct said {
    int64_t first;
    int64_t next;
    char digest[DIGEST_HEX_MAX];
    char etag[RPC_WORD_MAX];
};

static int said_take(struct json_object *data, struct said *said,
                     struct error *err)
{
    const char *digest = "";
    const char *etag = "";

    if (param_int(data, "first", PARAM_REQUIRED, 0, INT64_MAX, &said->first,
                  err)
        || param_int(data, "next", PARAM_REQUIRED, 0, INT64_MAX, &said->next,
                     err)
        || param_string(data, "digest", PARAM_OPTIONAL, &digest, err)
        || param_string(data, "etag", PARAM_OPTIONAL, &etag, err)) {
        return answer_unreadable(err);
    }
    if (said->first > said->next)
        return error_set(err, -EBADMSG,
                         ANSWER_DISAGREES "it sent bytes from %" PRId64
                                          " to %" PRId64,
                         said->first, said->next);
    snprintf(said->digest, sizeof(said->digest), "%s", digest);
    snprintf(said->etag, sizeof(said->etag), "%s", etag);
    return 0;
}

/* Return: 0; 1 when the agent does not know; negative errno. */
static int ask(struct download *download, struct said *said)
{
    char target[128];
    const struct client_request request = { .method = "GET",
                                            .target = target,
                                            .read_ms = TIMEOUT_ALIVE };
    struct answer answer;
    int r;

    snprintf(target, sizeof(target), API_PREFIX "/file/transfers/%s",
             download->copy->id);
    answer_init(&answer);
    r = client_send_request(download->copy->client, &request, &answer,
                            download->err);
    if (r == 0 && answer.envelope.code != STATUS_SUCCESS)
        r = 1;
    if (r == 0)
        r = said_take(answer.envelope.data, said, download->err);
    answer_free(&answer);
    return r;
}

/* The digest of the bytes that the agent's is of, as far as we know. */
static void our_digest(const struct download *download,
                       char hex[DIGEST_HEX_MAX])
{
    CLEANUP(digest_cleanup)
    struct digest *copy = digest_copy(download->rest ? download->rest
                                                     : download->digest);

    hex[0] = '\0';
    if (copy)
        digest_hex(copy, hex);
}

/* Return: 0 when it is the same; 1 when nobody can tell so; negative errno. */
static int compare(struct download *download)
{
    char hex[DIGEST_HEX_MAX];
    struct said said = { 0 };
    int r;

    if (!download->digest)
        return 0;
    our_digest(download, hex);
    if (*download->sum && download->first == 0)
        return strcmp(hex, download->sum) == 0 ? 0 : 1;
    if (download->total == download->rest_first)
        return 0; /* there was nothing to send */
    r = ask(download, &said);
    if (r != 0)
        return r;
    return said.first == download->rest_first && said.next == download->total
                   && strcmp(said.digest, hex) == 0
                   && strcmp(said.etag, download->etag) == 0
               ? 0
               : 1;
}

/* Starts anew behind bytes that are right. */
int download_go_back(struct download *download, int64_t at)
{
    digest_free(download->rest);
    download->rest = at > 0 && download->digest
                         ? digest_new(download->copy->kind)
                         : NULL;
    download->rest_first = download->at = at;
    *download->etag = '\0';
    if (at > 0 && download->digest && !download->rest)
        return error_errno(download->err, -ENOMEM, "digest");
    if (ftruncate(download->file->fd, at) < 0) {
        download_local_error(download, -errno, "writing");
        return -EIO;
    }
    return 0;
}

/* Holds the bytes that are here against the guest's, and keeps those that are
 * the same. */
int download_hold_against(struct download *download)
{
    struct digest *fresh = copy_digest(download->copy);
    int64_t was = download->at;
    int64_t same;
    int code = 0;

    if (!fresh && download->copy->digested)
        return error_errno(download->err, -ENOMEM, "digest");
    same = copy_same(download->copy, download->remote, false,
                     download->file->fd, was, &fresh, &code, download->err);
    digest_free(download->digest);
    download->digest = fresh;
    if (code || same < 0)
        return code ? code : (int) same;
    return same == was ? 0 : download_go_back(download, same);
}

/* A stream cannot be taken back; one that only grew is what it was. */
static int stream_uncertain(struct download *download)
{
    struct copy_span span;
    int r = copy_span(download->copy, download->remote, false, 0, 0, &span,
                      download->err);

    if (r != 0)
        return r;
    if (span.size > download->total)
        return 0;
    return error_set(download->err, -EIO,
                     "guest's file '%s': the copy differs or the file changed "
                     "while it was read",
                     download->remote);
}

int download_verify(struct download *download)
{
    int r = compare(download);

    for (int i = 0; r == 1 && i < TRIES; i++) {
        if (download_is_stream(download))
            return stream_uncertain(download);
        r = download_hold_against(download);
        if (r == 0 && download->at == download->total)
            return 0;
        if (r == 0) {
            out_note(download->copy->client->setup.out,
                     "the copy differs; from byte %" PRId64 " on again",
                     download->at);
            r = download_fetch(download);
        }
        if (r == 0)
            r = compare(download);
    }
    if (r == 1)
        r = error_set(download->err, -EIO,
                      "guest's file '%s': the copy differs or the file "
                      "changed while it was read, %d times",
                      download->remote, TRIES);
    return r;
}
