/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Writers.  Commands hand over what they have to say; only here is it
 * written, and everything that may come from a guest is made harmless for a
 * terminal, except the raw output of exec, call and download.
 */
#ifndef VSRPC_HOST_TERM_OUT_H
#define VSRPC_HOST_TERM_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

#include "util/buf.h"
#include "util/error.h"
#include "util/text.h"

#define PROGRAM "vsrpc-virsh"

struct progress;

struct out {
    bool json;
    int records; /* the descriptor that JSON goes to: standard output, or one of
                  * its own where that has what comes from a guest */
    bool quiet;
    bool verbose;
    struct progress
        *progress; /* removed before a message; NULL: none is drawn */
};

/*
 * Writes bytes to standard output (1) or standard error (2) as they are.
 *
 * Return: 0 or negative errno; -EPIPE when nobody reads any more, which is
 * no error to talk about.
 */
int out_bytes(int fd, const void *bytes, size_t n);

/* One line of text on standard output.  Return: as out_bytes(). */
int out_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Appends a line as out_line() would write it, for out_bytes() later.
 * Return: as buf_printf(). */
int out_format(struct buf *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One JSON value as one line.  Return: as out_bytes(). */
int out_json(int fd, struct json_object *value);

/*
 * A table with a head line, columns padded with blanks, on standard output.
 * cells holds columns strings per row, the head first.
 *
 * Return: as out_bytes(), -ENOMEM, -EINVAL for more than 16 columns.
 */
int out_table(const struct strlist *cells, size_t columns);

/* A message for people on standard error, not with --quiet. */
void out_message(const struct out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A message on standard error that is only shown with --verbose. */
void out_note(const struct out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* An error on standard error, with its next step. */
void out_error(const struct error *err);

#endif
