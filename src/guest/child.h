/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A program run by the agent: its pipes, its time, its end.
 *
 * Both outputs are gathered up to a ceiling; what comes past it is read and
 * dropped, so that the program can end.  At the deadline the whole process
 * group gets TERM and KILL, when the program has ended or shortly after.  A program ends when its process
 * ends: pipes that a grandchild still holds are read a moment longer and then
 * let go.
 */
#ifndef VSRPC_GUEST_CHILD_H
#define VSRPC_GUEST_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/loop.h"
#include "guest/proc.h"
#include "util/buf.h"

/* What to run.  Everything is used before child_start() returns, but input,
 * which must stay valid until the end. */
struct child_spec {
    const char *program; /* path for execve(2) */
    char *const *argv;
    char *const *envp;
    const char *working_dir; /* NULL: home */
    const char *home;        /* NULL, or not to be entered: "/" */
    bool may_wait;           /* working_dir may be where nothing answers */
    const void *input;       /* what the program reads; NULL: nothing */
    size_t input_len;
    int64_t timeout_ms;      /* 0: none */
    size_t output_max;       /* bytes of both outputs together */
};

struct child {
    struct loop *loop;
    struct proc proc;
    pid_t group;               /* of the process, also when it is gone */
    struct loop_fd in;
    struct loop_fd streams[2]; /* standard output, standard error */
    int held[2];  /* the outputs' other ends, kept until the process ends:
                   * otherwise each would wake the agent as it is closed, which
                   * costs an emulated guest more than starting the program */
    int start_fd; /* tells of a failed start */
    struct loop_timer deadline;
    struct loop_timer drain;
    const uint8_t *input;
    size_t input_len;
    size_t output_max;
    int64_t started_us;
    bool reaped;
    bool cancelled;
    bool terminated; /* TERM was sent, KILL comes next */
    void (*done)(void *arg, struct child *child);
    void *arg;

    /* The result, for done(). */
    struct buf output[2]; /* standard output, standard error */
    int start_errno;      /* positive errno when it never ran */
    const char *start_step; /* what failed then: "working_dir", "execve" */
    int status;           /* of waitpid(2) */
    bool timed_out;
    bool ended;           /* child_end() was called in time */
    bool truncated;       /* output past the ceiling was dropped */
    bool orphans;         /* somebody held the pipes after the end */
    int64_t duration_us;
};

/*
 * Starts a program.  done is called once from the loop; the child is freed
 * right after it.
 *
 * Return: 0 with *child, or negative errno when no process could be made (a
 * program that cannot be executed is reported through done).
 */
int child_start(struct loop *loop, struct procs *procs,
                const struct child_spec *spec,
                void (*done)(void *arg, struct child *child), void *arg,
                struct child **child);

/* Ends it before its time, as the deadline does: TERM, KILL, and done() is
 * called. */
void child_end(struct child *child);

/* Kills the whole group; done will not be called. */
void child_cancel(struct child *child);

#endif
