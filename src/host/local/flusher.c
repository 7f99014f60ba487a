/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A thread for fdatasync(2), with all signals blocked, so that they go to the
 * thread that waits for them.  While the copy goes on it is only joined when
 * it has ended.
 */
#include <config.h>

#include "host/local/flusher.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static void *flush(void *arg)
{
    struct flusher *flusher = arg;

    flusher->result = fdatasync(flusher->fd) < 0 ? -errno : 0;
    atomic_store(&flusher->over, true);
    return NULL;
}

static void join(struct flusher *flusher)
{
    pthread_join(flusher->thread, NULL);
    flusher->running = false;
    if (!flusher->error)
        flusher->error = flusher->result;
}

/* Signals are for the thread that waits for them. */
static void start(struct flusher *flusher, int fd)
{
    sigset_t all;
    sigset_t before;

    flusher->fd = fd;
    flusher->bytes = 0;
    atomic_store(&flusher->over, false);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    flusher->running = pthread_create(&flusher->thread, NULL, flush, flusher)
                       == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void flusher_written(struct flusher *flusher, int fd, int64_t n)
{
    flusher->bytes += n;
    if (flusher->running && atomic_load(&flusher->over))
        join(flusher);
    if (!flusher->running && flusher->bytes >= FLUSHER_STEP)
        start(flusher, fd);
}

int flusher_end(struct flusher *flusher)
{
    if (flusher->running)
        join(flusher);
    return flusher->error;
}
