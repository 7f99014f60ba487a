/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the tests of jobs share: starting one, and turns with it. */
#ifndef VSRPC_TESTS_TURNS_H
#define VSRPC_TESTS_TURNS_H

#include "unit/guest/sessions.h"

/* The last answer. */
extern struct turn {
    struct rig_answer answer;
    struct json_object *status; /* of the job; NULL: there was none */
    int64_t offset;             /* X-Output-Offset; -1: there was none */
    const char *segments;       /* X-Output-Segments; "": there was none */
} turn;

/* The id of the job that was started last. */
extern char job_id[16];

/* The fixture: nothing is ended for want of a client but by the test. */
void turns_setup(void);
void turns_teardown(void);

/* Takes the next answer. */
void turn_take(void);

/* Sends a request and takes its answer.  target is what is behind /api/v1/,
 * with a '*' for the job's id; body NULL: none. */
void turn_send(const char *method, const char *target, const char *body);

/* The same, but only sends; with further fields. */
void turn_begin(const char *method, const char *target, const char *fields,
                const char *body);

/* Starts a job; the answer is a success. */
void start_job(const char *params);

/* Starts a shell's script, with further parameters in JSON, each with a comma
 * in front. */
void start_script(const char *script, const char *more);

/* Asks for output, or gives input; query is behind the '?'. */
void take_output(const char *query);
void give_input(const char *query, const char *bytes);

/* The last answer was an error with these words in it. */
void expect_error(int code, const char *words);

/* The last answer has this output. */
void expect_output(int64_t offset, const char *bytes, const char *segments);

/* A member of the status: as a string ("" when it is not there), as a
 * number. */
const char *status_of(const char *name);
int64_t status_number(const char *name);

/* The job has ended; asked by other means than requests. */
void wait_for_end(void);

/* Return: the job, or NULL when it was forgotten. */
struct job *the_job(void);

#endif
