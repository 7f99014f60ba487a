/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * edit: fetches a file, runs the editor, and stores the result only if the
 * guest's file is still the one that was fetched (If-Match).  A version that
 * cannot be stored is kept here.
 */
#include <config.h>

#include "host/cmd/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/cmd/editor.h"
#include "host/copy/copy.h"
#include "host/copy/download.h"
#include "host/copy/path.h"
#include "host/copy/upload.h"
#include "host/local/localtree.h"
#include "host/remote/remote.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/crypto.h"

/* One file while it is being edited. */
struct edit {
    struct command_call *call;
    struct remote remote;
    char *path;                /* where it is, with links followed */
    struct remote_entry entry; /* what is known of it */
    bool fresh;                /* there is none yet */
    char etag[RPC_WORD_MAX];   /* of the version that was fetched */
    char before[DIGEST_HEX_MAX];
    struct editor editor;
};

/* The file itself is replaced in the end, and not a link to it. */
static int edit_find(struct edit *edit, struct error *err)
{
    int r;

    edit->path = strdup(edit->call->args[0]);
    if (!edit->path)
        return error_errno(err, -ENOMEM, "path");
    r = remote_follow(&edit->remote, &edit->path, &edit->entry, err);
    edit->fresh = r == STATUS_FILE_NOT_FOUND;
    if (edit->fresh && strcmp(edit->path, edit->call->args[0]) != 0)
        return error_set(
            err, STATUS_FILE_OPERATION_FAILED,
            "'%s' is a symbolic link that leads to no file ('%s')",
            edit->call->args[0], edit->path);
    if (edit->fresh) {
        error_clear(err);
        return 0;
    }
    if (r == 0 && strcmp(edit->entry.type, "file") != 0)
        return error_set(err, STATUS_FILE_OPERATION_FAILED,
                         "'%s' is a %s, not a regular file", edit->path,
                         edit->entry.type);
    return r;
}

/* --- here and back -------------------------------------------------------- */

/* The digest of what is in the editor's file now. */
static int edit_digest(const struct edit *edit, char hex[DIGEST_HEX_MAX],
                       struct error *err)
{
    AUTO_CLOSE int fd = open(edit->editor.path, O_RDONLY | O_CLOEXEC);
    int64_t n = fd < 0 ? -errno
                       : digest_file(DIGEST_SHA256, fd, INT64_MAX, hex);

    return n < 0 ? error_errno(err, (int) n, "file '%s'", edit->editor.path)
                 : 0;
}

static int edit_fetch(struct edit *edit, struct error *err)
{
    AUTO_FREE char *name = path_basename(edit->path);
    const struct copy_options options = { .mode = NULL };
    struct copy_result result = { 0 };
    struct copy copy;
    int r;

    if (!name)
        return error_set(err, -EINVAL, "'%s' names no file",
                         edit->call->args[0]);
    r = editor_begin(&edit->editor, name, err);
    if (r < 0 || edit->fresh)
        return r;
    r = copy_begin(&copy, edit->call->client, &options, NULL, err);
    if (r == 0)
        r = download_to(&copy, edit->path, edit->editor.path, &result, err);
    if (r == 0)
        snprintf(edit->etag, sizeof(edit->etag), "%s", result.etag);
    copy_result_free(&result);
    return r ? r : edit_digest(edit, edit->before, err);
}

/* Is there anything to be put back?  A new file that was not written is none.
 * Return: 1, 0, negative errno. */
static int edit_changed(const struct edit *edit, struct error *err)
{
    char after[DIGEST_HEX_MAX];
    struct stat st;
    int r;

    if (edit->fresh && stat(edit->editor.path, &st) < 0)
        return 0;
    r = edit_digest(edit, after, err);
    return r < 0 ? r : strcmp(edit->before, after) != 0;
}

/* The owner stays that of the old file by itself. */
static int edit_store(const struct edit *edit, struct error *err)
{
    char mode[8];
    const struct copy_options options = { .mode = mode,
                                          .create = edit->fresh,
                                          .if_match = *edit->etag ? edit->etag
                                                                  : NULL };
    struct copy_result result = { 0 };
    struct copy copy;
    int r;

    snprintf(mode, sizeof(mode), "%04o",
             edit->fresh ? 0666 & ~(unsigned int) localtree_umask()
                         : edit->entry.mode);
    r = copy_begin(&copy, edit->call->client, &options, NULL, err);
    if (r == 0)
        r = upload_from(&copy, edit->editor.path, edit->path, &result, err);
    copy_result_free(&result);
    return r;
}

/* What was typed must not get lost. */
static int edit_kept(struct edit *edit, int r, struct error *err)
{
    if (r == STATUS_PRECONDITION_FAILED)
        error_set(err, r,
                  edit->fresh ? "'%s' has been made in the guest meanwhile"
                              : "'%s' was changed in the guest meanwhile",
                  edit->path);
    error_hint(err, "your version is %s", edit->editor.path);
    editor_keep(&edit->editor);
    return r;
}

static int edit_run(struct edit *edit, struct error *err)
{
    int r = edit_find(edit, err);

    if (r == 0)
        r = edit_fetch(edit, err);
    if (r)
        return r;
    client_disconnect(edit->call->client); /* the user takes his time */
    r = editor_run(&edit->editor, err);
    if (r == -ECHILD)
        return err->code = STATUS_FILE_OPERATION_FAILED;
    if (r == 0)
        r = edit_changed(edit, err);
    if (r == 0)
        out_message(&edit->call->out, "'%s': not changed", edit->path);
    if (r <= 0)
        return r;
    r = edit_store(edit, err);
    return r ? edit_kept(edit, r, err) : 0;
}

/* --- the command ---------------------------------------------------------- */

int cmd_edit_prepare(struct command_call *call, struct error *err)
{
    AUTO_FREE char *name = path_basename(call->args[0]);

    call->one_only = true;
    return name ? 0
                : error_set(err, -EINVAL, "edit: '%s' names no file",
                            call->args[0]);
}

int cmd_edit(struct command_call *call)
{
    struct edit edit = { .call = call,
                         .remote = { call->client, NULL },
                         .editor = EDITOR_INIT };
    struct error err = ERROR_INIT;
    int r = edit_run(&edit, &err);

    editor_end(&edit.editor);
    remote_entry_free(&edit.entry);
    free(edit.path);
    return r ? command_fail(call, &err) : EXIT_STATUS_OK;
}
