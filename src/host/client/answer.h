/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* An answer of the agent: the envelope, or bytes; and the words for what is
 * wrong with it. */
#ifndef VSRPC_HOST_CLIENT_ANSWER_H
#define VSRPC_HOST_CLIENT_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "host/client/client.h"
#include "host/link/rpc.h"
#include "proto/ability.h"
#include "proto/envelope.h"
#include "proto/route.h"

/* An answer; free with answer_free(). */
struct answer {
    struct rpc_reply reply;
    struct envelope envelope;    /* root NULL: the answer has none */
    const struct route *unknown; /* what was asked for, and that the agent
                                  * says it does not know; or NULL */
    int64_t ms;                  /* how long it took */
    int64_t busy_s; /* a busy agent asks for it, and it was too much; else 0 */
    int64_t enough_s; /* … for --timeout, with which it would do; 0: never */
};

void answer_init(struct answer *answer);
void answer_free(struct answer *answer);

/*
 * Makes an error of an answer's business code: message with the agent's
 * words, and a hint where there is one.
 *
 * Return: the code, 0 when it is success.
 */
int answer_error(const struct client *client, const struct answer *answer,
                 struct error *err);

/* Does an answer to /capabilities say that the agent has an ability? */
bool answer_is_able(const struct answer *capabilities, enum ability_id id);

/* Words and a mend for an ability that the agent has not; unknown is what it
 * did not know of a request that it refused with code.  Return: code. */
int answer_unable(const struct client *client, int code, enum ability_id id,
                  const char *unknown, struct error *err);

/* In front of what an answer says in two ways: it is refused then. */
#define ANSWER_DISAGREES "the agent's answer does not agree with itself: "

/*
 * An answer that the agent cannot have meant: puts that in front of what is
 * wrong with it.
 *
 * Return: -EBADMSG, which is the error's code then.
 */
int answer_unreadable(struct error *err);

#endif
