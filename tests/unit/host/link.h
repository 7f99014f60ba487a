/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A transport over a descriptor, as mean as wanted, and its far end, where the
 * test itself is the agent: it hears one request and says what it likes.
 */
#ifndef VSRPC_TESTS_LINK_H
#define VSRPC_TESTS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/link/transport.h"

struct link {
    struct transport base;
    int fd;
    size_t read_max;  /* bytes per read */
    size_t write_max; /* bytes per write */
    size_t quiet;     /* bytes that may still be read, until … */
    int ring_fd;      /* … a byte is written here; -1: never */
};

/* Takes the descriptor over; closed and freed by its own close().  The test
 * fails when there is no memory. */
struct link *link_new(int fd, size_t read_max, size_t write_max);

/* A link and its far end, connected.  Return: as link_new(). */
struct link *link_pair(int *far, size_t read_max, size_t write_max);

/* A request that the far end has heard; free it with heard_free(). */
struct heard {
    char method[16];
    char target[1024];
    char id[80];
    char *head; /* all of it, from the method to the empty line */
    uint8_t *body;
    size_t body_len;
};

/* Hears the next request; the test fails when none comes in time. */
void far_hear(int far, struct heard *heard);
void heard_free(struct heard *heard);

/* The value of a field, "" when it is not there; in memory of its own, until
 * the next call. */
const char *heard_field(const struct heard *heard, const char *name);

/* Was nothing more sent? */
bool far_is_quiet(int far);

/* Says bytes; the test fails when they are not taken in time. */
void far_say(int far, const void *bytes, size_t n);

/* Answers a request: fields are lines with their ends, may be "". */
void far_answer(int far, const char *id, int http, const char *fields,
                const void *body, size_t n);

#endif
