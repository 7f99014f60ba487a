/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Connects a job in the guest with this process: its standard streams and
 * signals are ours, until it has ended.  In between others get the channel who
 * want it.
 *
 * Nothing in here waits for one thing only: a signal, a key, a line of output,
 * somebody else who wants the channel and a slow reader of our own output are
 * all served as they come.
 */
#ifndef VSRPC_HOST_JOB_RELAY_H
#define VSRPC_HOST_JOB_RELAY_H

#include "host/job/std_input.h"
#include "host/job/std_output.h"
#include "host/job/stream.h"
#include "host/job/waitset.h"
#include "host/term/terminal.h"

/* Output that is gathered instead of written. */
struct relay_catch {
    struct buf streams[2];
    bool full; /* some was thrown away */
};

struct relay {
    struct client *client;
    struct job_stream stream;
    struct terminal *terminal; /* ours, in raw mode; NULL: none */
    struct relay_catch *catch; /* NULL: standard output and error */
    int64_t deadline;          /* when it must be over */

    struct waitset set;
    struct std_output std_output;
    struct std_input std_input;
    bool away;          /* the agent knows that we are about to leave */
    unsigned int turns; /* answered since the last time that we came back */
    unsigned int idle;  /* times that we came back, and nothing happened */
    int64_t progress;   /* bytes of both directions, then */
    unsigned int lost;  /* connections in a row that brought nothing */
    int early;          /* a signal that came during the start; 0: none */
    int signals;        /* that were taken, as far as they are different */
    int last;           /* of them */
    int64_t last_at;
    bool complained; /* the job wrote to its standard error, or a terminal */
    bool mute;       /* what the job says cannot be written */
    bool leaving;    /* we do not wait for the end, … */
    bool hung_up;    /* … because the terminal was left */
};

/*
 * Prepares a relay for a client whose signals are held back from now on
 * (interrupt_begin()).  input: a descriptor, or -1.
 *
 * Return: 0; negative errno with a message.  relay_free() in either case.
 */
int relay_init(struct relay *relay, struct client *client, int input,
               struct error *err);

void relay_free(struct relay *relay);

/*
 * For job_create(), with the relay as its context: a signal came while the job
 * was being started.  The wait is ended, so that the signal can be passed on;
 * the second one takes the start back.
 */
int relay_urge(void *relay, struct error *err);

/*
 * Runs until the job has ended, whose status is in relay->stream.
 *
 * Return: 0; -EPIPE when nobody reads our output; -ECANCELED when signals told
 * us not to wait for the end; -ETIMEDOUT at the deadline; other negative errno
 * with a message: when relay->mute is set our output failed, otherwise what
 * became of the job is unknown.
 */
int relay_run(struct relay *relay, const struct job_status *status,
              struct error *err);

/* The signal that we have passed on and that ended the job; 0: none. */
int relay_killed(const struct relay *relay);

#endif
