/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Verifying signatures of requests (proto/auth.h has the algorithm). */
#ifndef VSRPC_GUEST_POLICY_AUTH_CHECK_H
#define VSRPC_GUEST_POLICY_AUTH_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/auth.h"
#include "proto/http.h"
#include "proto/server.h"
#include "util/error.h"

/* Signed requests of one session that are remembered.  Who makes more within the
 * window gets a new session, of which none is; that takes as long as a few
 * requests. */
#define AUTH_NONCES 1024

struct auth_nonce {
    char value[AUTH_NONCE_MAX + 1];
    int64_t expires; /* boot clock, ms; 0: free */
};

struct auth_check {
    uint8_t key[AUTH_KEY_MAX];
    size_t key_len;            /* 0: authentication is off */
    struct auth_nonce *nonces; /* of the session, … */
    char session[SESSION_TOKEN_LEN + 1];
};

/*
 * Reads the key: the file's bytes without a closing line feed.  The file must
 * be a regular one that only its owner, us, may read.
 *
 * Return: 0 or negative errno with a message.
 */
int auth_check_init(struct auth_check *auth, const char *key_file,
                    struct error *err);

/*
 * Verifies a request and remembers its nonce.  body_sha256 is lower-case hex.
 * That X-Session is the session that runs has been checked before; here it has
 * to be there, and to be the signed one.
 *
 * Return: 0; with a message STATUS_AUTH_FAILED, or STATUS_SESSION_EXPIRED when no
 * further nonce of this session can be remembered: forgetting one early would let
 * its request be repeated.
 */
int auth_check_request(struct auth_check *auth, const struct http_head *head,
                       const char *body_sha256, const char *boot_id,
                       struct error *err);

void auth_check_free(struct auth_check *auth);

#endif
