/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What one of many has said, as JSON: a value a line, of any size, with its name
 * and its exit status.  As that is not known before, nothing is written until
 * then.  What comes from a guest is not taken for our own JSON, whatever it
 * looks like.
 */
#ifndef VSRPC_HOST_FLEET_RECORD_H
#define VSRPC_HOST_FLEET_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/envelope.h"
#include "util/buf.h"

struct record {
    const char *name;  /* not owned */
    struct buf lines;  /* of JSON objects, which we have made */
    struct buf output; /* anything else */
};

void record_init(struct record *record, const char *name);
void record_free(struct record *record);

/* Takes bytes of its lines, or of its standard output.  Return: 0, -ENOMEM;
 * -EMSGSIZE when it is more than anybody has to say. */
int record_feed(struct record *record, bool lines, const uint8_t *bytes,
                size_t n);

/* Adds a line of its own; one that was begun and has no end goes.  Return: 0,
 * -ENOMEM. */
int record_add(struct record *record, struct json_object *value);

/*
 * It has ended: writes its lines, with the members "domain" and "exit_status",
 * in front of them its output, as the member "output" of a line, and for who
 * said nothing a line as well.
 *
 * Return: 0, -ENOMEM, as out_bytes().
 */
int record_end(struct record *record, int status);

#endif
