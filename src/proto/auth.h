/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The signature of a request (test vectors in vsrpc-protocol(7)).
 *
 * X-Auth-Token is hex(HMAC-SHA256(key, C)) with C =
 *   "v1\n" METHOD "\n" TARGET "\n" X-Timestamp "\n" X-Nonce "\n"
 *   hex(SHA-256(body)) "\n" boot-id "\n" X-Session
 * so that a signature is good for one request, once, in one session with one
 * boot of one agent.  A guest that goes back to a snapshot has the boot-id,
 * the clock and the nonces of that time again, but no session: that was over
 * when its client left.
 */
#ifndef VSRPC_PROTO_AUTH_H
#define VSRPC_PROTO_AUTH_H

#include <stddef.h>

#include "util/crypto.h"

/* A signature is accepted this many seconds around the agent's clock. */
#define AUTH_WINDOW_S 300

/* Longest X-Nonce; ours has 32 characters. */
#define AUTH_NONCE_MAX 64

/* Shortest secret; below this guessing is cheaper than asking. */
#define AUTH_KEY_MIN 16
#define AUTH_KEY_MAX 4096

struct auth_parts {
    const char *method;
    const char *target;
    const char *timestamp; /* the header's text */
    const char *nonce;
    const char *body_sha256; /* lower-case hex, of no bytes for no body */
    const char *boot_id;
    const char *session; /* the token from sync; "": the agent knows none */
};

/*
 * Computes the token.
 *
 * Return: 0 or -ENOMEM.
 */
int auth_token(const void *key, size_t key_len, const struct auth_parts *parts,
               char token[DIGEST_HEX_MAX]);

#endif
