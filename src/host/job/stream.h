/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The streams of one job: input to it, output from it, signals and window
 * sizes, byte for byte whatever becomes of the connection.
 *
 * It goes in turns.  A turn carries input to the job, if there is some, and
 * brings output back, and waits for that; while it waits one more request may
 * be sent behind it, which ends the wait.  Both directions are counted in
 * offsets, so that after a lost connection job_stream_resume() goes on where
 * it was: what the agent has not confirmed is sent again, and it takes only
 * what it does not know yet.
 */
#ifndef VSRPC_HOST_JOB_STREAM_H
#define VSRPC_HOST_JOB_STREAM_H

#include "host/job/job.h"

#include "host/client/silence.h"

#define JOB_STREAM_SIGNALS_MAX 8 /* that wait to be sent */
#define JOB_STREAM_TARGET_MAX 320

/* What is wanted of a turn. */
enum job_stream_flags {
    JOB_STREAM_WAIT = 1, /* for output, the end, or room for more input */
    JOB_STREAM_AWAY = 2, /* we leave, and mean to be back */
    JOB_STREAM_MUTE = 4, /* no output now */
};

/* A request that is on its way. */
struct job_stream_post {
    struct rpc_request wire;
    struct rpc_reply reply;
    char id[RPC_ID_SIZE];
    char target[JOB_STREAM_TARGET_MAX];
    struct json_object *body; /* owned; NULL: none, or raw */
    bool turn;                /* it brings output, … */
    bool mute;                /* … but for this once */
    bool room;                /* it waits for room for input, too */
    int64_t asked;            /* … from here on */
    bool signal;              /* it carries the first of the signals */
    int64_t input_end;        /* offset behind the input that it carries */
    int rows, columns;        /* that it carries; 0: none */
};

struct job_stream_signal {
    char id[RPC_ID_SIZE]; /* the same however often it is sent */
    int number;
    int64_t first; /* when it was sent first; 0: it never was */
};

struct job_stream {
    struct client *client;
    struct job_status status;    /* as of the last answer */
    char instance[RPC_WORD_MAX]; /* of the agent that has the job */
    char boot_id[RPC_WORD_MAX];
    struct silence silence;

    /* Output: takes n bytes of a stream (1, 2).  Return: 0; negative errno
     * ends the conversation. */
    int (*output)(void *context, int stream, const uint8_t *bytes, size_t n,
                  struct error *err);
    void *context;
    int64_t output_at;     /* what is before it was taken */
    int64_t output_end[2]; /* where standard output, error ended; -1: not known
                            * to have */

    /* Input: what is not confirmed yet. */
    struct buf input;
    int64_t input_at;   /* of its first byte */
    int64_t input_sent; /* over this connection */
    bool input_eof;     /* there will be no more */
    bool eof_sent;      /* over this connection */

    struct job_stream_signal signals[JOB_STREAM_SIGNALS_MAX];
    size_t n_signals;
    int rows, columns; /* to be sent; 0: nothing to say */

    struct job_stream_post posts[2];
    size_t n_posts;
};

/*
 * Begins to read and write the job that was started, or found, over the
 * client's connection. output and context are to be filled in.
 */
void job_stream_init(struct job_stream *stream, struct client *client,
                     const struct job_status *status);

void job_stream_free(struct job_stream *stream);

/* Has the job ended, and has all of its output been taken? */
bool job_stream_over(const struct job_stream *stream);

/* Has the program closed this output (1, 2), and has all of it been taken? */
bool job_stream_closed(const struct job_stream *stream, int fd);

/* Room for input (bytes) that can be kept here. */
size_t job_stream_input_room(const struct job_stream *stream);

/* Is there something to tell the job: input that it has room for, the end of
 * input, a signal, a size? */
bool job_stream_pending(const struct job_stream *stream);

/* Notes a signal to be sent; past JOB_STREAM_SIGNALS_MAX it is dropped. */
void job_stream_signal(struct job_stream *stream, int number);

/* May another request be sent? */
bool job_stream_may_post(const struct job_stream *stream);

/*
 * Sends what there is to tell, one of it, or just a turn; for flags see there.
 *
 * Return: 0; negative errno when the connection is lost, for
 * job_stream_resume().
 */
int job_stream_post(struct job_stream *stream, unsigned int flags,
                    struct error *err);

/*
 * Takes the answer to the oldest request.
 *
 * Return: 0; -ECANCELED when the wake descriptor is readable, and it has to be
 * called again; 1 when the connection is lost, for job_stream_resume(), with
 * the reason; negative errno when it is over: what output() gave, -EPROTO when
 * the job is gone or the agent makes no sense.
 */
int job_stream_take(struct job_stream *stream, struct error *err);

/* Gives up what is on its way, and the connection. */
void job_stream_hang_up(struct job_stream *stream);

/*
 * Connects again and goes on where it was; of the flags only JOB_STREAM_MUTE
 * counts.
 *
 * Return: 0; -ECANCELED when the wake descriptor is readable; other negative
 * errno with a message.  -ESTALE: the agent, or the guest, is another one.
 */
int job_stream_resume(struct job_stream *stream, unsigned int flags,
                      struct error *err);

#endif
