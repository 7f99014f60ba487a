/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A program run by the agent: its pipes, its time, its end.
 *
 * Its outputs go to whoever wants them while they come, and who has no room
 * holds the program back.  Where nobody wants them they are gathered up to a
 * ceiling; what comes past it is read and dropped, so that the program can
 * end, or ends it at once.  At the deadline the whole process group gets TERM
 * and KILL, when the program has ended or shortly after.  A program ends when
 * its process ends: what its pipes hold then is read, and pipes that a
 * grandchild still holds are read a moment longer and then let go.
 */
#ifndef VSRPC_GUEST_PROC_CHILD_H
#define VSRPC_GUEST_PROC_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/core/loop.h"
#include "guest/proc/cgroup.h"
#include "guest/proc/feed.h"
#include "guest/proc/proc.h"
#include "guest/proc/pty.h"
#include "guest/proc/user.h"
#include "util/buf.h"
#include "util/text.h"

/* What happens to a program while it runs, for who wants to know. */
struct child_events {
    /* Where the next bytes of an output (0, 1) go.  Return: how many, at
     * *where; 0: none now, until child_resume(). */
    size_t (*space)(void *arg, int stream, uint8_t **where);
    /* n bytes have been read to there. */
    void (*took)(void *arg, int stream, size_t n);
    /* The program is known to run.  Not called when child->running is set
     * already as child_start() returns.  May be NULL, as the next two. */
    void (*started)(void *arg);
    /* The program has closed an output, and goes on. */
    void (*closed)(void *arg);
    /* There is more room for input, or it is closed. */
    void (*fed)(void *arg);
    /* The process has ended; what its outputs hold is still to be read. */
    void (*exited)(void *arg);
    void *arg;
};

/* What to run.  Everything is used before child_start() returns. */
struct child_spec {
    const char *program; /* path for execve(2) */
    char *const *argv;
    const struct strlist *patterns; /* of argv, as expand() takes them; NULL:
                                     * it stays as it is */
    const char *tilde;              /* what '~' becomes; NULL: it stays */
    char *const *envp;
    const char *working_dir; /* NULL: home */
    const char *home;        /* NULL, or not to be entered: "/" */
    const struct user *user; /* NULL: the agent's */
    bool umask_given;        /* else it is 022 */
    mode_t umask;
    bool may_wait;           /* a folder may be where nothing answers */
    int64_t timeout_ms;      /* 0: none */
    struct cgroups *cgroups; /* for a group of its own; NULL: the agent's */
    const char *name;        /* of that; NULL: any */

    const struct pty_size *tty; /* instead of pipes; NULL: pipes */
    struct buf *input; /* what the program reads; taken over when it was
                        * started; NULL: nothing */
    size_t input_max;  /* more input comes, and so much of it may wait;
                        * 0: none comes */
    size_t output_max; /* bytes of both outputs together to gather */
    bool output_whole; /* what has more of it is of no use: it is ended then */
    const struct child_events *events; /* NULL: they are gathered */
};

struct child {
    struct loop *loop;
    struct procs *procs;
    struct proc proc;
    pid_t group; /* of the process, also when it is gone */
    struct cgroups *cgroups;
    struct cgroup cgroup;
    bool tty;
    struct feed input;
    struct loop_fd streams[2]; /* standard output, standard error */
    size_t unread[2];          /* what the outputs held as the process ended */
    int held[2]; /* the outputs' other ends, kept for a moment, in which most
                  * processes end: otherwise each would wake the agent as it is
                  * closed, which costs an emulated guest more than starting
                  * the program.  Of a terminal until the process ends, for who
                  * has left it may open it again */
    struct loop_timer hold;
    struct loop_fd start; /* tells of a failed start */
    struct loop_timer deadline;
    struct loop_timer drain;
    size_t output_max;
    bool output_whole;
    struct child_events events;
    int64_t started_us;
    bool running; /* the program is known to have been started */
    bool reaped;
    bool draining; /* only orphans have the outputs */
    bool cancelled;
    bool terminated; /* TERM was sent, KILL comes next */
    bool unwanted;   /* nobody makes room for its output any more */
    void (*done)(void *arg, struct child *child);
    void *arg;

    /* The result, for done(). */
    struct buf output[2];   /* standard output, standard error */
    int start_errno;        /* positive errno when it never ran */
    const char *start_step; /* what failed then: "working_dir", "execve" */
    int status;             /* of waitpid(2) */
    bool timed_out;
    bool ended;     /* child_end() was called in time */
    bool overflown; /* there was more output than output_max */
    bool truncated; /* some output was dropped, or could not be read */
    bool orphans;   /* somebody held the pipes after the end */
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

/* There is room again for output: the program goes on. */
void child_resume(struct child *child);

/* Has the program, which runs, closed standard output (0) or error (1), with
 * all read that it had said? */
bool child_closed(const struct child *child, int which);

/* Signals the whole group; on a terminal the one in the foreground. */
void child_signal(struct child *child, int number);

/* Changes the size of its terminal.  Return: 0, -ENOTTY or other negative
 * errno. */
int child_resize(struct child *child, const struct pty_size *size);

/* Ends it before its time, as the deadline does: TERM, KILL, and done() is
 * called, also when there is no room for what is left of its output. */
void child_end(struct child *child);

/* Kills the whole group; done will not be called. */
void child_cancel(struct child *child);

/* Lets it go on without the agent; done will not be called. */
void child_release(struct child *child);

#endif
