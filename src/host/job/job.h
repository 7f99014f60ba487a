/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Jobs of the agent: exec_command() of the specification's client API, and
 * what else there is to do with a command that runs. vsrpc-protocol(7) has the
 * endpoints.
 *
 * What the agent says of a job is checked when it comes: nothing in a struct
 * job_status is outside of what its comment says.
 */
#ifndef VSRPC_HOST_JOB_JOB_H
#define VSRPC_HOST_JOB_JOB_H

#include "host/client/client.h"

#include "host/client/answer.h"

#define JOB_ID_MAX 32                  /* ours have 8 hex digits */
#define JOB_OFFSET_MAX (INT64_MAX / 2) /* one can be added to another */
#define JOB_SIGNAL_MAX 16              /* "SIGVTALRM", or a number */
#define JOB_NAME_MAX 64                /* of a user, or a key */

/* A command to run; unset members are NULL, 0 or false. */
struct job_spec {
    const char *command; /* a string that the agent splits, or that the
                          * shell gets; … */
    char *const *argv;   /* … or a NULL-terminated vector; neither: a login
                          * shell */
    bool shell;          /* through the user's shell */
    const char *working_dir;
    const struct strlist *env; /* NAME=VALUE */
    int64_t timeout;           /* ms in the guest; 0: none */
    const char *user;          /* NAME or NAME:GROUP */
    const char *umask;         /* octal */
    bool input;                /* it has a standard input; else /dev/null */
    bool detach;               /* it lives on without us */
    int64_t output_limit;      /* bytes; 0: none */
    bool tty;                  /* with a terminal of … */
    int rows, columns;         /* … this size … */
    const char *term;          /* … and kind */
};

struct job_status {
    char id[JOB_ID_MAX + 1];
    bool ended;
    bool detached;
    bool tty;
    int64_t output;       /* bytes that it has printed */
    int64_t output_start; /* of them, the first that the agent still has */
    int64_t stdin_received;
    int64_t stdin_room; /* bytes that it would take now */
    bool stdin_open;    /* somebody may read them */
    bool closed[2];     /* standard output, error: by a program that runs */
    int64_t duration_ms;

    /* Once it has ended. */
    int64_t exit_code;           /* 0…255; 128 + N when signal N ended it */
    char signal[JOB_SIGNAL_MAX]; /* "SIGTERM"; "": none */
    bool timed_out;
    bool truncated;          /* output past its limit was dropped */
    bool orphans;            /* somebody it started still had its outputs */
    char user[JOB_NAME_MAX]; /* that it ran as by the setting of the agent … */
    char user_rule[JOB_NAME_MAX]; /* … with this name; "": by none */
    bool was_ended; /* by the agent, for want of a client, or by a DELETE */
};

/*
 * Starts a job and waits up to wait_ms for its end or its output (0: until it
 * is known to run).  woken and context are those of struct client_request.
 *
 * Return: 0 with *status; the agent's business code (positive), with a message
 * and the answer; negative errno as client_send_request().
 */
int job_create(struct client *client, const struct job_spec *spec,
               int64_t wait_ms, int (*woken)(void *context, struct error *err),
               void *context, struct answer *answer, struct job_status *status,
               struct error *err);

/* Reads a status object.  Return: 0; -EBADMSG with a message. */
int job_status_read(struct json_object *object, struct job_status *status,
                    struct error *err);

/* Is it about the job that was asked for?  Return: 0; -EPROTO with a message. */
int job_status_expect(const struct job_status *status, const char *id,
                      struct error *err);

/* As job_status_read(), from a text of n bytes. */
int job_status_parse(const char *text, size_t n, struct job_status *status,
                     struct error *err);

/*
 * Sends a request about one job: method, what follows its path ("", "/signal")
 * and a body (NULL: none; not taken over).
 *
 * Return: as job_create().
 */
int job_request(struct client *client, const char *method, const char *id,
                const char *rest, struct json_object *body,
                struct answer *answer, struct error *err);

/*
 * The number of a signal by its name, with or without SIG, in any case, or as
 * a number.
 *
 * Return: the number, or -EINVAL.
 */
int job_signal_number(const char *text);

#endif
