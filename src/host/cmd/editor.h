/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* A user's editor, and a private file for it. */
#ifndef VSRPC_HOST_CMD_EDITOR_H
#define VSRPC_HOST_CMD_EDITOR_H

#include "util/error.h"

/* A file of that name in a folder that nobody else can enter. */
struct editor {
    char *folder;
    char *path; /* "FOLDER/NAME" */
};

#define EDITOR_INIT    \
    {                  \
        .folder = NULL \
    }

/* Makes the folder; there is no file in it yet.  Return: 0 or negative errno
 * with a message. */
int editor_begin(struct editor *editor, const char *name, struct error *err);

/*
 * Runs $VISUAL, $EDITOR or vi(1) with the file, as a shell would, and waits
 * for its end.
 *
 * Return: 0; -ECHILD with a message when it failed; other negative errno.
 */
int editor_run(const struct editor *editor, struct error *err);

/* Removes file and folder, with whatever the editor left there. */
void editor_end(struct editor *editor);

/* Leaves them; for a copy that must not get lost. */
void editor_keep(struct editor *editor);

#endif
