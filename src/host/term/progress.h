/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * How far a copy is: one line on a terminal that is drawn over and over, and
 * gone in the end.
 *
 *   disk.img   45%  1.2 GiB  98.2 MiB/s  0:12
 *   123/1000 files   45%  1.2 GiB  98.2 MiB/s  0:12  dir/name
 *
 * Nothing is drawn in the first half second, nor more than ten times in one.
 * It is drawn when one of these is called and at no other time: a copy that
 * waits calls progress_bytes(p, 0) now and then.  None of them ever waits for
 * the terminal: what it does not take at once is not shown.  With NULL each of
 * them does nothing.
 */
#ifndef VSRPC_HOST_TERM_PROGRESS_H
#define VSRPC_HOST_TERM_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress;

/*
 * Begins; wanted is false for --quiet and --no-progress.  fd stays the
 * caller's and open until progress_free(); clock_ms as in util/clock.h.
 *
 * Return: owned, for progress_free(); NULL when it is not wanted, when fd is
 * no terminal, or when memory is short.
 */
struct progress *progress_new(bool wanted, int fd, int64_t (*clock_ms)(void));

/* Frees it; the line is left as it is (see progress_end()). */
void progress_free(struct progress *progress);

/* How much there will be: bytes, -1 when that is not known, and files, 0 for a
 * single one. */
void progress_total(struct progress *progress, int64_t bytes, int64_t files);

/* More of it turned up; bytes -1: nobody knows how much it is now. */
void progress_add_total(struct progress *progress, int64_t bytes,
                        int64_t files);

/* The file that is being copied; the name is copied, and may hold anything. */
void progress_file(struct progress *progress, const char *name);

/* So many bytes have gone through. */
void progress_bytes(struct progress *progress, int64_t n);

/* One more file is done. */
void progress_file_done(struct progress *progress);

/* So many bytes were there already and count as done, but not for the rate;
 * a negative number takes back what has to be sent again. */
void progress_skip(struct progress *progress, int64_t n);

/* Removes the line before somebody else writes; it comes back by itself. */
void progress_clear(struct progress *progress);

/* Removes the line, and draws none any more. */
void progress_end(struct progress *progress);

#endif
