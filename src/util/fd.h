/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Small helpers around file descriptors. */
#ifndef VSRPC_UTIL_FD_H
#define VSRPC_UTIL_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/*
 * Opens what is missing of descriptors 0 to 2, or one of our own files would
 * become standard output.  What is missing stays of no use: reading or writing
 * it is an error, as it was (glibc does so for set-user-ID programs).  To be
 * called before anything else is opened.
 *
 * Return: 0 or negative errno.
 */
int fd_standard(void);

/*
 * Makes sure that no program is started with the descriptors that we came with,
 * but for the standard ones: whoever started us had them open for himself, and
 * what is open already nobody asks for rights again.
 */
void fd_keep_inherited(void);

/* Sets O_NONBLOCK.  Return: 0 or negative errno. */
int fd_nonblock(int fd);

/* Closes *fd if it is open and sets it to -1.  Keeps errno. */
void fd_close(int *fd);

/*
 * Writes all bytes to a blocking descriptor, through EINTR and short writes.
 *
 * Return: 0 or negative errno.
 */
int fd_write_all(int fd, const void *bytes, size_t n);

/*
 * Reads up to n bytes from a blocking descriptor, until end of file.
 *
 * Return: the bytes read (less than n only at the end), or negative errno.
 */
int64_t fd_read_full(int fd, void *bytes, size_t n);

/*
 * As fd_read_full(), from an offset on (pread(2)).
 *
 * Return: as fd_read_full().
 */
int64_t fd_pread_full(int fd, void *bytes, size_t n, int64_t at);

/*
 * Appends a whole small file (such as those of /proc) to a buffer; the
 * buffer's ceiling bounds it.
 *
 * Return: 0, negative errno; -EMSGSIZE when the file is larger than the room.
 */
int fd_slurp(const char *path, struct buf *into);

/* As fd_slurp(), of what a descriptor has from where it stands on. */
int fd_slurp_on(int fd, struct buf *into);

/*
 * Writes all n bytes at an offset.
 *
 * Return: 0 or negative errno.
 */
int fd_pwrite_all(int fd, const void *bytes, size_t n, int64_t at);

/*
 * As fd_pwrite_all(), but leaves out whatever would be zeros, so that holes
 * stay where nothing was; the file may be shorter than at + n then.
 *
 * Return: as fd_pwrite_all().
 */
int fd_pwrite_sparse(int fd, const void *bytes, size_t n, int64_t at);

/*
 * Waits until events (POLLIN, POLLOUT) or an error are there.
 *
 * Return: 0 when ready, -ETIMEDOUT at the deadline, other negative errno.
 */
int fd_wait(int fd, short events, int64_t deadline);

/*
 * As fd_wait(), but also ends when another descriptor becomes readable;
 * wake_fd -1: none.
 *
 * Return: as fd_wait(); -ECANCELED when wake_fd is readable, whatever else is.
 */
int fd_wait_or(int fd, short events, int wake_fd, int64_t deadline);

/* Lets go of a pipe or a socket, so that the other side learns of it; nothing
 * else gets its number, which is /dev/null's then.  What is no pipe stays. */
void fd_end_pipe(int fd);

#endif
