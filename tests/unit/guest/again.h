/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the tests of requests that come again share. */
#ifndef VSRPC_TESTS_AGAIN_H
#define VSRPC_TESTS_AGAIN_H

#include "unit/guest/sessions.h"

/* The fixture: no orphan is ended but by the test. */
void again_setup(void);

/* A command under an id, with further fields; to be freed. */
char *exec_with(const char *id, const char *fields, const char *command);
void send_exec(const char *id, const char *command);

/* A command that counts its runs in a file, waits until it may go on, and
 * says something; to be freed. */
char *counting(void);
void let_go(void);

/* It is sent under the id "one", and has begun. */
void start_counting(void);
bool has_run(void *unused);

/* Its answer comes, and it ran once. */
void expect_result(bool replayed);
void expect_one_run(void);

/* An upload of a file, or of a part of it (range NULL: all); to be freed. */
char *put_request(const char *id, const char *range, const char *body);

/* The client leaves, and one comes. */
void reconnect(void);

/* Takes the one answer. */
void take_answer(struct rig_answer *answer);

/* A member of its data, "" when there is none. */
const char *data_string(const struct rig_answer *answer, const char *name);
void expect_data(const struct rig_answer *answer, const char *name,
                 const char *value);

/* What requests/ID says, or answers when it is deleted. */
void ask_state(const char *method, const char *id, struct rig_answer *answer);
void expect_state(const char *id, const char *state);

/* Everybody has ended, and no place is taken. */
void expect_none_detached(void);

/* Pushes all that ended out of the memory. */
void push_out(void);

#endif
