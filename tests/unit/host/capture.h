/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What a function writes to standard output and error. */
#ifndef VSRPC_TESTS_CAPTURE_H
#define VSRPC_TESTS_CAPTURE_H

#include <stddef.h>

/* Sends what is written to fd (1 or 2) to a file from here on. */
void capture_start(int fd);

/* Ends that.  Return: the bytes, to be freed, *n of them and a NUL. */
char *capture_end(int fd, size_t *n);

#endif
