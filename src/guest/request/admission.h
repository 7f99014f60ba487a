/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What a request must pass before its handler sees it: route, session, size,
 * signature, rate limit, parameters; and with whose rights that goes on.  Whoever
 * does not pass has been answered when these functions return.
 */
#ifndef VSRPC_GUEST_REQUEST_ADMISSION_H
#define VSRPC_GUEST_REQUEST_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/request/request.h"

/* Everything that can be said before the body has come. */
void admission_begin(struct request *request);

/* Does a body of n bytes pass?  Asked again as it grows. */
bool admission_size(struct request *request, int64_t n);

/* Counts a read of a path against the rate limit, unless it goes on behind the
 * last one.  Return: true; false when it has been answered. */
bool admission_read(struct request *request, const char *path, int64_t offset);

/* A piece of a raw body, for the handler. */
void admission_body(struct request *request, const uint8_t *bytes, size_t n);

/* The body is there: the last checks, then the handler. */
void admission_run(struct request *request);

#endif
