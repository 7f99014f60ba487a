/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the test programs of the session share: one agent in memory, and the
 * requests that all of them send. */
#ifndef VSRPC_TESTS_SESSIONS_H
#define VSRPC_TESTS_SESSIONS_H

#include "unit/guest/rig.h"

#define PING "GET /api/v1/ping HTTP/1.1\r\nHost: v\r\n\r\n"
#define SYNC "GET /api/v1/sync?id=abc HTTP/1.1\r\nHost: v\r\n\r\n"
#define MARK "\xFF"

extern struct rig rig;

/* The fixture: an agent of its own for each test. */
void session_setup(void);
void session_teardown(void);

enum session_state state(void);

/* Number of files in the agent's folder, also hidden ones. */
int files(void);

/* A path in that folder, and formatted text; both to be freed. */
char *in_dir(const char *name);
char *format(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* A copy of the text in which "@" is that folder; to be freed. */
char *with_dir(const char *text);

/* A whole request that runs a command by sh -c; to be freed. */
char *exec_request(const char *command);

#endif
