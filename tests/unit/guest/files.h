/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the tests of the file routes share: things in the agent's folder ("@" in
 * a path), and answers about them. */
#ifndef VSRPC_TESTS_FILES_H
#define VSRPC_TESTS_FILES_H

#include "unit/guest/sessions.h"

/* The fixture: in the agent's folder "no" is forbidden, "ro" read-only. */
void files_setup(void);

void make_file(const char *name, const char *text);
void make_folder(const char *name);
void make_link(const char *name, const char *target);

/* Is something there, be it a dangling link? */
bool is_there(const char *name);

/* "METHOD file/ROUTE?path=PATH&MORE", and its answer. */
void ask_file(const char *method, const char *route, const char *path,
              const char *more, struct rig_answer *answer);

/* The same, of which only the code matters. */
void expect_file(const char *method, const char *route, const char *path,
                 const char *more, int code);

/* Members that have to be there. */
struct json_object *member(struct json_object *of, const char *name);
const char *string(struct json_object *of, const char *name);
int64_t number(struct json_object *of, const char *name);

/* One that json_add_bytes() added, to be freed. */
char *bytes_of(struct json_object *of, const char *name);

#endif
