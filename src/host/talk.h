/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A talk with one job: input to it, output from it, signals and window sizes,
 * byte for byte whatever becomes of the connection.
 *
 * It goes in turns.  A turn carries input to the job, if there is some, and
 * brings output back, and waits for that; while it waits one more request may
 * be sent behind it, which ends the wait.  Both directions are counted in
 * offsets, so that after a lost connection talk_resume() goes on where it was:
 * what the agent has not confirmed is sent again, and it takes only what it
 * does not know yet.
 */
#ifndef VSRPC_HOST_TALK_H
#define VSRPC_HOST_TALK_H

#include "host/job.h"

#define TALK_SIGNALS_MAX 8 /* that wait to be sent */
#define TALK_TARGET_MAX 320

/* What is wanted of a turn. */
enum talk_flags {
    TALK_WAIT = 1,  /* for output, the end, or room for more input */
    TALK_AWAY = 2,  /* we leave, and mean to be back */
    TALK_MUTE = 4,  /* no output now */
};

/* A request that is on its way. */
struct talk_post {
    struct rpc_request wire;
    struct rpc_reply reply;
    char id[RPC_ID_SIZE];
    char target[TALK_TARGET_MAX];
    struct json_object *body; /* owned; NULL: none, or raw */
    bool turn;                /* it brings output, … */
    bool mute;                /* … but for this once */
    bool signal;              /* it carries the first of the signals */
    int64_t input_end;        /* offset behind the input that it carries */
    int rows, columns;        /* that it carries; 0: none */
};

struct talk_signal {
    char id[RPC_ID_SIZE]; /* the same however often it is sent */
    int number;
    int64_t first; /* when it was sent first; 0: it never was */
};

struct talk {
    struct client *client;
    struct job_status status;    /* as of the last answer */
    char instance[RPC_WORD_MAX]; /* whose memory the job is in */
    char boot_id[RPC_WORD_MAX];
    struct silence silence;

    /* Output: takes n bytes of a stream (1, 2).  Return: 0; negative errno
     * ends the talk. */
    int (*output)(void *context, int stream, const uint8_t *bytes, size_t n,
                  struct error *err);
    void *context;
    int64_t output_at; /* what is before it was taken */

    /* Input: what is not confirmed yet. */
    struct buf input;
    int64_t input_at;   /* of its first byte */
    int64_t input_sent; /* over this connection */
    bool input_eof;     /* there will be no more */
    bool eof_sent;      /* over this connection */

    struct talk_signal signals[TALK_SIGNALS_MAX];
    size_t n_signals;
    int rows, columns; /* to be sent; 0: nothing to say */

    struct talk_post posts[2];
    size_t n_posts;
};

/*
 * Begins a talk with the job that was started, or found, over the client's
 * connection.  output and context are to be filled in.
 */
void talk_init(struct talk *talk, struct client *client,
               const struct job_status *status);

void talk_free(struct talk *talk);

/* Has the job ended, and has all of its output been taken? */
bool talk_over(const struct talk *talk);

/* Room for input (bytes) that can be kept here. */
size_t talk_input_room(const struct talk *talk);

/* Is there something to tell the job: input that it has room for, the end of
 * input, a signal, a size? */
bool talk_pending(const struct talk *talk);

/* Notes a signal to be sent; past TALK_SIGNALS_MAX it is dropped. */
void talk_signal(struct talk *talk, int number);

/* May another request be sent? */
bool talk_may_post(const struct talk *talk);

/*
 * Sends what there is to tell, one of it, or just a turn; for flags see there.
 *
 * Return: 0; negative errno when the connection is lost, for talk_resume().
 */
int talk_post(struct talk *talk, unsigned int flags, struct error *err);

/*
 * Takes the answer to the oldest request.
 *
 * Return: 0; -ECANCELED when the wake descriptor is readable, and it has to be
 * called again; 1 when the connection is lost, for talk_resume(), with the
 * reason; negative errno when it is over: what output() gave, -EPROTO when the
 * job is gone or the agent makes no sense.
 */
int talk_take(struct talk *talk, struct error *err);

/* Gives up what is on its way, and the connection. */
void talk_hang_up(struct talk *talk);

/*
 * Connects again and goes on where it was; of the flags only TALK_MUTE counts.
 *
 * Return: 0; -ECANCELED when the wake descriptor is readable; other negative
 * errno with a message.  -ESTALE: the agent, or the guest, is another one.
 */
int talk_resume(struct talk *talk, unsigned int flags, struct error *err);

#endif
