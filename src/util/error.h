/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The error contract.
 *
 * A function that can fail returns an int: 0 is success; a negative value is
 * -errno and travels untouched through every caller; a positive value is a
 * condition that the function's own comment documents (never a failure of the
 * machine).
 *
 * The words are set where the error is known best, once, into an error object
 * that the caller owns and passes down.  Whoever only passes an error on adds
 * nothing, or puts a context in front of it with error_prefix().  The message
 * names the layer and the object ("domain 'web1': not running"), the hint the
 * next command to type ("virsh start web1").  Neither ends with a full stop
 * or a line feed.
 *
 * An error pointer may be NULL: then only the code travels.  Nothing here
 * allocates, so an error can be reported when memory has run out.  Only main()
 * exits, and only the command line prints.
 */
#ifndef VSRPC_UTIL_ERROR_H
#define VSRPC_UTIL_ERROR_H

#include <stdarg.h>

struct error {
    int code;           /* negative errno, or 0 when nothing was set */
    int status;         /* what users are told that it is, when the errno does
                         * not say: an enum status_code; 0: it does */
    char message[1024]; /* what failed, layer first */
    char hint[512];     /* what to type or change next; may be empty */
};

#define ERROR_INIT \
    {              \
        .code = 0  \
    }

/*
 * Records an error: the code (negative errno) and a formatted message.  An
 * older message and hint in the object are replaced.
 *
 * Return: the code, so that a caller can write "return error_set(...)".
 */
int error_set(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * As error_set(), with ": strerror(-code)" behind the message.
 *
 * Return: the code.
 */
int error_errno(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds the next step to an error that is already set. */
void error_hint(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says what an error that is already set is, more exactly than its errno. */
void error_status(struct error *err, int status);

/* Puts a context and ": " in front of the message. */
void error_prefix(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Makes the object as new, for another attempt. */
void error_clear(struct error *err);

#endif
