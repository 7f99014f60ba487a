/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The client API of the specification: connect, disconnect, send_request, ping
 * and get_system_info, for one target (job.h has exec_command, copy.h has
 * upload_file and download_file).  Every command stands on it.
 *
 * Functions that talk give 0 when the agent answered, whatever its business
 * code says; the answer has it.  Negative errno is ours or the channel's.
 */
#ifndef VSRPC_HOST_CLIENT_H
#define VSRPC_HOST_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "host/config.h"
#include "host/interrupt.h"
#include "host/lock.h"
#include "host/options.h"
#include "host/out.h"
#include "host/retry.h"
#include "host/rpc.h"
#include "host/target.h"
#include "proto/envelope.h"
#include "util/log.h"

/* What a client needs and does not own. */
struct client_setup {
    const struct config *config;
    const struct target_source *source; /* to read the XML again */
    const struct out *out;              /* for notes */
    struct log *log;
    int64_t timeout; /* ms, from --timeout; 0: none; TIMEOUT_UNSET */
    int64_t lock_wait; /* ms that another command may keep the channel */
    bool lockless_known; /* another one tells that there are no locks */
};

struct client {
    struct client_setup setup;
    struct target *target; /* not owned; brought up to date on the way */
    struct rpc rpc;
    struct retry_policy policy;
    struct buf key;
    bool key_loaded;
    bool was_connected; /* at least once */
    bool gave_way;      /* to another command, from which it takes back */
    bool lockless_told; /* that there are no locks here */
    int interrupted;    /* the number of the signal that ended a request */
    struct lock lock;
    struct interrupt interrupt; /* while a request must not be left alone */
};

/* What was asked for; strings are not owned. */
struct client_request {
    const char *method;
    const char *target;       /* "/api/v1/…" with query */
    const char *content_type; /* NULL: no body */
    const void *body;
    size_t body_len;
    const struct rpc_body *stream; /* as in rpc_request */
    const char *range_field;
    const char *range;
    const char *condition_field;
    const char *condition;
    int64_t read_ms;          /* 0: no limit; TIMEOUT_UNSET: as set up */
    bool raw;                 /* an answer without an envelope is fine */
    const char *doubt;        /* said when it was sent and not answered */
    const char *undone;       /* said when it is known to have done nothing */
    bool partial;             /* without what follows it did nothing */
    bool careless;            /* a signal just ends the process */
    bool again;               /* no GET, and may be made again all the same */
    bool underway;            /* it goes on with what runs in the guest: that
                               * is worth some patience */
    int64_t age_ms;           /* of what it asks about; 0: nothing */
    /* Asked when a signal comes while the answer is waited for, which then is
     * not taken back; see rpc_request.  NULL: it is. */
    int (*woken)(void *context, struct error *err);
    void *context;
};

/* An answer; free with answer_free(). */
struct answer {
    struct rpc_reply reply;
    struct envelope envelope; /* root NULL: the answer has none */
    int64_t ms;               /* how long it took */
};

/* What a transfer did. */
struct transfer_result {
    char *path;   /* where the file is now; owned */
    int64_t size; /* bytes */
    char md5[33]; /* hex, or "" when it was not made */
    char sha256[65];
    char etag[RPC_WORD_MAX]; /* of what was downloaded; "" */
};

/* Sets a client up; nothing is connected yet. */
void client_init(struct client *client, const struct client_setup *setup,
                 struct target *target);

/* Disconnects and frees. */
void client_free(struct client *client);

/*
 * Takes the channel's lock, connects and syncs; requests do so by themselves
 * when needed.
 *
 * Return: 0; -EBUSY when another command keeps the channel; negative errno with a message that names the domain.
 */
int client_connect(struct client *client, struct error *err);

/* Ends the connection and lets others have the channel; the next request
 * connects anew. */
void client_disconnect(struct client *client);

/* Ends the connection, and keeps others out until the next one. */
void client_hang_up(struct client *client);

/* Between two parts of something long: lets those in who wait for the
 * channel.  The next request waits until they are done. */
void client_give_way(struct client *client);

/*
 * Looks what became of the domain behind a client that hears nothing.
 *
 * Return: 0 when it runs, or nobody knows; -EHOSTUNREACH with a message when
 * it is paused; -ESHUTDOWN or -ESRCH when it does not run any more;
 * -ECANCELED.
 */
int client_look(struct client *client, struct error *err);

/* What a client does when it hears nothing; make it with SILENCE_INIT. */
struct silence {
    struct client *client;
    bool told;       /* that the domain is paused */
    int64_t slept;   /* ms, for which nobody named a time */
};

#define SILENCE_INIT(of) { .client = (of) }

/*
 * Looks why nothing was heard for SILENCE_MS: rpc_request's silent(), with a
 * struct silence as its context.
 *
 * Return: 0 or 1 while the domain is paused; -ECONNRESET when nothing speaks
 * against another connection; as client_look().
 */
int silence_judge(void *silence, struct error *err);

/* Puts the domain or socket in front of a message that does not name it. */
void client_blame(const struct client *client, struct error *err);

/*
 * Sends a request and takes the answer.  It is made again where that is safe:
 * because it changes nothing, or was not carried out, or because the agent
 * remembers what it did (see effort.c).
 *
 * While a request may change something, signals do not end the process: it
 * is taken back, and the caller has to leave.
 *
 * Return: 0; -ECONNRESET, -ETIMEDOUT, -EBADMSG, -EMSGSIZE, -ENOMEM, -ECANCELED
 * when client->interrupted, and those of client_connect().  When nobody knows
 * what became of it, err->code is STATUS_OUTCOME_UNKNOWN.
 */
int client_send_request(struct client *client,
                        const struct client_request *request,
                        struct answer *answer, struct error *err);

/* Return: each as client_send_request(). */
int client_ping(struct client *client, struct answer *answer,
                struct error *err);
int client_get_system_info(struct client *client, struct answer *answer,
                           struct error *err);

/* The time that an answer may take (ms); 0: no limit. */
int64_t client_timeout(const struct client *client);

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

/*
 * An answer that the agent cannot have meant: puts that in front of what is
 * wrong with it.
 *
 * Return: -EBADMSG, which is the error's code then.
 */
int answer_unreadable(struct error *err);

/* Frees what a transfer's result holds. */
void transfer_result_free(struct transfer_result *result);

#endif
