/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Makes a large file durable while it is still being written.
 *
 * To ask the disk for its writes at once (sync_file_range(2)) is not enough:
 * its cache would be flushed in the end, all of it, with everybody waiting.
 */
#ifndef VSRPC_HOST_LOCAL_FLUSHER_H
#define VSRPC_HOST_LOCAL_FLUSHER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Bytes after which it is worth while. */
#define FLUSHER_STEP (32L * 1024 * 1024)

/* All zeros when it begins. */
struct flusher {
    pthread_t thread;
    bool running;
    atomic_bool over; /* the thread can be joined without waiting */
    int fd;
    int result;    /* the thread's */
    int error;     /* the first one */
    int64_t bytes; /* since the last flush began */
};

/*
 * n bytes more are in the file fd.  Begins to flush when there are enough of
 * them and nothing is being flushed; without a thread to be had it does not,
 * for an fsync(2) is to follow anyway.  fd has to stay open up to
 * flusher_end().
 */
void flusher_written(struct flusher *flusher, int fd, int64_t n);

/*
 * Waits for what is under way.
 *
 * Return: 0, or negative errno of the first flush that failed.  The kernel
 * tells such an error once (fsync(2)): an fsync() afterwards says nothing of
 * it.
 */
int flusher_end(struct flusher *flusher);

#endif
