/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A talk with the job ab12cd34, whose agent is the test: it hears each request
 * as it is posted, and says what it likes.  Whatever is not as expected fails
 * the test.
 */
#ifndef VSRPC_TESTS_TALKING_H
#define VSRPC_TESTS_TALKING_H

#include "host/job/stream.h"
#include "unit/host/link.h"

#define JOB "/api/v1/jobs/ab12cd34"
#define OUTPUT JOB "/output?offset="
#define WAIT "&wait_ms=2000"

extern struct config config;
extern struct target target;
extern struct client client;
extern struct job_stream stream;
extern struct error err;
extern struct heard heard; /* what was heard last, and is answered next */
extern struct buf got;     /* what was printed: "1:out|2:err|" */
extern int far;            /* the agent's end of the connection */
extern int output_result;  /* of who takes the output */

/* Begins with a job that runs, has printed nothing, and has room for 100 bytes
 * of input; a fixture of Check's. */
void talking_begin(void);
void talking_end(void);

/* --- what the host does --- */

/* Something is there to be sent to the job. */
void type(const char *bytes);

/* Posts a request, and the agent hears just that. */
void post(unsigned int flags, const char *method, const char *wanted);

/* Likewise a turn that carries input; rest is what follows its digest in the
 * query, with "&eof=1" in front of all. */
void post_input(unsigned int flags, int64_t offset, const char *bytes,
                int64_t output_at, const char *rest);

/* Is what was heard a request for that? */
void is_heard(const char *method, const char *wanted);
void is_heard_input(int64_t offset, const char *bytes, int64_t output_at,
                    const char *rest);

/* Takes an answer, with that result. */
void take(int result);

/* Just that was printed since the last look. */
void printed(const char *text);

/* --- what the agent says --- */

/* The state of the job in the next answer. */
struct says {
    int64_t end; /* of its output */
    int64_t received;
    int64_t room;
    bool closed; /* its input */
    const char
        *more; /* members of the status, ",…"; an exit_code is the end */
    const char *id; /* of the job; NULL: the right one */
};

#define SAYS_ROOM(bytes, ...) \
    (&(const struct says) { .room = (bytes), __VA_ARGS__ })
#define SAYS(...) SAYS_ROOM(100, __VA_ARGS__)
#define ENDED .more = ",\"exit_code\":0", .closed = true

#define STATUS_TEXT_MAX 512
void status_text(const struct says *says, char text[STATUS_TEXT_MAX]);

/* Answers what was heard, or a request with that id, as a turn: segments
 * ("1:3,2:4", or NULL) and the bytes. */
void say_turn(const struct says *says, int64_t offset, const char *segments,
              const char *bytes);
void say_turn_to(const char *id, const struct says *says, int64_t offset,
                 const char *segments, const char *bytes);

/* Answers with an envelope: a code and data, or the status alone. */
void say_json(int http, int code, const char *data);
void say_status(const struct says *says);

#endif
