/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Checks time, signature (in constant time) and nonce, in this order: only the
 * nonces of valid requests are remembered, each for as long as its time would
 * still pass, and none of a session that is over, whose token is in what was
 * signed.
 */
#include <config.h>

#include "guest/policy/auth_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/status.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/fd.h"
#include "util/num.h"
#include "util/quote.h"

static int key_file_check(int fd, const char *file, struct error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_errno(err, -errno, "key file '%s'", file);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077)
        || (st.st_uid != geteuid() && st.st_uid != 0)) {
        error_set(err, -EPERM,
                  "key file '%s': others than its owner can read it", file);
        quote_hint(err, "chown root: %s && chmod 600 %s", file, file);
        return -EPERM;
    }
    return 0;
}

/* The file's bytes without a closing line feed. */
static int key_take(struct auth_check *auth, int fd, const char *file,
                    struct error *err)
{
    uint8_t bytes[AUTH_KEY_MAX + 2]; /* the line feed, and one too many */
    int64_t n = fd_read_full(fd, bytes, sizeof(bytes));

    if (n < 0)
        return error_errno(err, (int) n, "key file '%s'", file);
    if (n > 0 && bytes[n - 1] == '\n')
        n--;
    if (n >= AUTH_KEY_MIN && n <= AUTH_KEY_MAX) {
        memcpy(auth->key, bytes, (size_t) n);
        auth->key_len = (size_t) n;
    }
    crypto_wipe(bytes, sizeof(bytes));
    if (auth->key_len)
        return 0;
    return error_set(err, -EINVAL, "key file '%s': a key has %d to %d bytes",
                     file, AUTH_KEY_MIN, AUTH_KEY_MAX);
}

/* What enable_auth alone leads to: nobody makes the key by itself. */
static int key_missing(const char *file, int error, struct error *err)
{
    if (error != ENOENT)
        return error_errno(err, -error, "key file '%s'", file);
    error_set(err, -ENOENT,
              "key file '%s': there is none; make it, and give the host a "
              "copy (virtio-rpc-guest(5), EXAMPLES)",
              file);
    quote_hint(err,
               "head -c 32 /dev/urandom | base64 | install -D -m 600 "
               "/dev/stdin %s",
               file);
    return -ENOENT;
}

int auth_check_init(struct auth_check *auth, const char *key_file,
                    struct error *err)
{
    AUTO_CLOSE int fd = open(key_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW
                                           | O_NONBLOCK | O_NOCTTY);
    int r;

    if (fd < 0)
        return key_missing(key_file, errno, err);
    r = key_file_check(fd, key_file, err);
    if (r < 0)
        return r;
    auth->nonces = calloc(AUTH_NONCES, sizeof(*auth->nonces));
    if (!auth->nonces)
        return error_errno(err, -ENOMEM, "nonces");
    return key_take(auth, fd, key_file, err);
}

static int refuse(struct error *err, const char *why)
{
    return error_set(err, STATUS_AUTH_FAILED, "%s", why);
}

/* The clock is checked before the signature: what is old may be forgotten. */
static int timestamp_check(const char *timestamp, struct error *err)
{
    int64_t now = clock_wall();
    int64_t then;

    if (num_parse(timestamp, 0, INT64_MAX, &then) < 0)
        return refuse(err, "X-Timestamp is not a number");
    if (then < now - AUTH_WINDOW_S || then > now + AUTH_WINDOW_S)
        return error_set(err, STATUS_AUTH_FAILED,
                         "X-Timestamp differs from the agent's clock by %lld "
                         "seconds",
                         (long long) (then - now));
    return 0;
}

/* Only the session that runs gets here. */
static void nonces_of(struct auth_check *auth, const char *session)
{
    if (strcmp(auth->session, session) == 0)
        return;
    memset(auth->nonces, 0, AUTH_NONCES * sizeof(*auth->nonces));
    snprintf(auth->session, sizeof(auth->session), "%s", session);
}

/* Remembers a nonce of a request whose signature was right. */
static int nonce_take(struct auth_check *auth, const char *session,
                      const char *nonce, struct error *err)
{
    int64_t now = clock_ms();
    struct auth_nonce *free_slot = NULL;

    nonces_of(auth, session);
    for (size_t i = 0; i < AUTH_NONCES; i++) {
        struct auth_nonce *slot = &auth->nonces[i];

        if (slot->expires <= now)
            free_slot = slot;
        else if (strcmp(slot->value, nonce) == 0)
            return refuse(err, "X-Nonce was used before");
    }
    if (!free_slot)
        return error_set(err, STATUS_SESSION_EXPIRED,
                         "the session has had %d signed requests: sync, and "
                         "send the request again",
                         AUTH_NONCES);
    memcpy(free_slot->value, nonce, strlen(nonce) + 1);
    /* To the end of the last second in which its request would pass. */
    free_slot->expires = now + (2 * AUTH_WINDOW_S + 1) * INT64_C(1000);
    return 0;
}

int auth_check_request(struct auth_check *auth, const struct http_head *head,
                       const char *body_sha256, const char *boot_id,
                       struct error *err)
{
    const char *given = http_field_get(head, "X-Auth-Token");
    struct auth_parts parts = {
        .method = head->method,
        .target = head->target,
        .timestamp = http_field_get(head, "X-Timestamp"),
        .nonce = http_field_get(head, "X-Nonce"),
        .body_sha256 = body_sha256,
        .boot_id = boot_id,
        .session = http_field_get(head, "X-Session"),
    };
    char token[DIGEST_HEX_MAX];
    int r;

    if (!parts.session || !*parts.session)
        return refuse(err, "X-Session is required, and signed: GET "
                           "/api/v1/sync on this connection first tells it; "
                           "vsrpc-protocol(7), AUTHENTICATION");
    if (!given || !parts.timestamp || !parts.nonce)
        return refuse(err, "X-Auth-Token, X-Timestamp and X-Nonce are "
                           "required");
    if (!*parts.nonce || strlen(parts.nonce) > AUTH_NONCE_MAX)
        return refuse(err, "X-Nonce has a wrong length");
    r = timestamp_check(parts.timestamp, err);
    if (r)
        return r;
    if (auth_token(auth->key, auth->key_len, &parts, token) < 0)
        return refuse(err, "out of memory");
    if (strlen(given) != strlen(token)
        || !crypto_equal(given, token, strlen(token)))
        return refuse(err, "the signature is wrong");
    return nonce_take(auth, parts.session, parts.nonce, err);
}

void auth_check_free(struct auth_check *auth)
{
    crypto_wipe(auth->key, sizeof(auth->key));
    free(auth->nonces);
    auth->nonces = NULL;
    auth->key_len = 0;
}
