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
#ifndef VSRPC_HOST_PUMP_H
#define VSRPC_HOST_PUMP_H

#include "host/inlet.h"
#include "host/outlet.h"
#include "host/talk.h"
#include "host/terminal.h"
#include "host/wake.h"

/* Output that is gathered instead of written. */
struct pump_catch {
    struct buf streams[2];
    bool full; /* some was thrown away */
};

struct pump {
    struct client *client;
    struct talk talk;
    struct terminal *terminal; /* ours, in raw mode; NULL: none */
    struct pump_catch *catch;  /* NULL: standard output and error */
    int64_t deadline;          /* when it must be over */

    struct wake wake;
    struct outlet outlet;
    struct inlet inlet;
    bool away;          /* the agent knows that we are about to leave */
    unsigned int turns; /* answered since the last time that we came back */
    unsigned int idle;  /* times that we came back, and nothing happened */
    int64_t progress;   /* bytes of both directions, then */
    unsigned int lost;  /* connections in a row that brought nothing */
    int early;          /* a signal that came during the start; 0: none */
    int signals;        /* that were taken, as far as they are different */
    int last;           /* of them */
    int64_t last_at;
    bool leaving;       /* we do not wait for the end, … */
    bool hung_up;       /* … because the terminal was left */
};

/*
 * Prepares a pump for a client whose signals are held back from now on
 * (interrupt_begin()).  input: a descriptor, or -1.
 *
 * Return: 0; negative errno with a message.  pump_free() in either case.
 */
int pump_init(struct pump *pump, struct client *client, int input,
              struct error *err);

void pump_free(struct pump *pump);

/*
 * For job_start(), with the pump as its context: a signal came while the job was
 * being started.  The wait is ended, so that the signal can be passed on; the
 * second one takes the start back.
 */
int pump_urge(void *pump, struct error *err);

/*
 * Runs until the job has ended, whose status is in pump->talk.
 *
 * Return: 0; -EPIPE when nobody reads our output; -ECANCELED when signals told
 * us not to wait for the end; -ETIMEDOUT at the deadline; other negative errno
 * with a message: what became of the job is unknown.
 */
int pump_run(struct pump *pump, const struct job_status *status,
             struct error *err);

/* The signal that we have passed on and that ended the job; 0: none. */
int pump_killed(const struct pump *pump);

#endif
