/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * One job: a program, what it has said that nobody has taken yet, and what
 * became of it.  jobs.h has the table of them and says how long each is kept.
 */
#ifndef VSRPC_GUEST_JOB_JOB_H
#define VSRPC_GUEST_JOB_JOB_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "guest/core/loop.h"
#include "guest/job/command.h"
#include "guest/job/job_wait.h"
#include "guest/job/outlog.h"
#include "guest/proc/child.h"
#include "proto/limits.h"

#define JOB_ID_LEN 8 /* hex digits */

/* Bytes of its words that are kept, to be shown. */
#define JOB_WORDS_MAX 4096

struct context;
struct job;

enum job_state {
    JOB_STARTING, /* it is not known yet whether there is such a program */
    JOB_RUNNING,
    JOB_ENDED,
};

/* Hears what becomes of a job. */
struct job_listener {
    void (*exited)(struct job *job); /* its process has ended */
    void (*ended)(struct job *job);  /* so has the job, with all that it said;
                                      * it may be freed now */
};

struct job {
    struct context *context;
    const struct job_listener *listener;
    struct job *next; /* of the table */
    char id[JOB_ID_LEN + 1];
    char request_id[REQUEST_ID_MAX + 1]; /* of the start; "": none */
    enum job_state state;
    struct child *child; /* owned until its end, when it frees itself; NULL:
                          * none (any more) */
    struct child_events events;
    struct outlog log;
    int64_t output_limit; /* bytes that are kept in all */
    bool detached;
    bool deleted; /* the record goes with the end */
    bool told;    /* a client knows its id */
    bool counted; /* it has one of the slots */
    bool exited;  /* the process has ended */
    bool
        delivered; /* its end, and all that it said, was answered to a client */

    /* To be shown. */
    struct json_object *words;
    struct json_object *user;
    const char *user_rule; /* static; NULL: the user is not that of a rule */
    pid_t pid;
    int64_t started;    /* wall clock, s */
    int64_t started_ms; /* boot clock */

    /* Input. */
    bool tty;
    bool has_input;
    bool input_over;  /* its end was told */
    int64_t received; /* bytes that were accepted */

    /* Who has it, unless it is detached. */
    bool left;               /* nobody */
    bool away;               /* whoever had it wants to come back */
    int64_t left_ms;         /* since when; boot clock */
    struct loop_timer timer; /* until it is ended, or forgotten */

    /* Requests that wait for something to happen. */
    struct job_wait *waits;
    struct loop_timer wake;

    unsigned int closed; /* what its client knows to be closed, as
                          * job_closed() has it */

    /* What became of it. */
    bool truncated;
    int start_errno; /* positive: it never ran */
    const char *start_step;
    int status; /* of waitpid(2) */
    bool timed_out, ended, orphans;
    int64_t duration_ms;
    int64_t ended_ms; /* boot clock */
};

/* What a job is besides its command. */
struct job_spec {
    const struct command *command;
    bool detached;
    bool has_input;
    const struct pty_size *tty; /* NULL: none */
    int64_t output_limit;       /* INT64_MAX: none */
};

/*
 * Starts a job under an id.
 *
 * Return: 0 with *job, of nobody's table yet; a positive errno with *step when
 * the program could not be started, as far as that is known already;
 * negative errno.
 */
int job_start(struct context *context, const char *id,
              const struct job_spec *spec, struct job **job,
              const char **step);

/* Frees a job, and answers who waits for it.  Its program is killed, or goes
 * on by itself when it is detached. */
void job_free(struct job *job);

/* Ends the program before its time; why is for the log. */
void job_end(struct job *job, const char *why);

/* What its program, which runs, has closed: bit 0 for standard output, 1 for
 * standard error, 2 for standard input before its end. */
unsigned int job_closed(const struct job *job);

/* Something has happened: whoever waits is looked at when the turn of the loop
 * is over, so that output and end give one answer. */
void job_changed(struct job *job);

/* The status, which is in most answers.  Return: an object to be freed, or
 * NULL without memory. */
struct json_object *job_status(const struct job *job);

/* With what is shown besides.  Return: likewise. */
struct json_object *job_json(const struct job *job);

/*
 * Gives the program input: of *n bytes as many as there is room for, or all
 * when it reads none any more.
 *
 * Return: 0 with *n how many were taken, or -ENOMEM.
 */
int job_feed(struct job *job, const uint8_t *bytes, size_t *n);

/* No more input comes. */
void job_input_end(struct job *job);

/* Room for input now; 0 when there is none to be given. */
size_t job_input_room(const struct job *job);

/* Is there a program that takes input? */
bool job_input_open(const struct job *job);

#endif
