/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* upload and download of several files or of folders: where each goes, as
 * cp(1) has it. */
#include <config.h>

#include "host/cmd_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/transfer.h"
#include "host/tree.h"
#include "proto/status.h"
#include "util/cleanup.h"

/* Everything that one such call has as its locals. */
struct many {
    struct command_call *call;
    struct copy_options options;
    struct copy copy;
    struct tree tree;
    const char *target; /* the last operand */
    bool folder;        /* it is one, and the copies go into it */
};

static int many_begin(struct many *many, struct command_call *call,
                      struct error *err)
{
    int r;

    *many = (struct many) { .call = call,
                            .options = cmd_copy_options(call),
                            .target = call->args[call->n_args - 1] };
    r = copy_begin(&many->copy, call->client, &many->options,
                   cmd_copy_progress(call), err);
    tree_init(&many->tree, &many->copy, &call->out);
    return r;
}

static int many_json(const struct many *many)
{
    const struct tree *tree = &many->tree;
    AUTO_JSON struct json_object *data = json_object_new_object();

    if (!data || json_add_string(data, "path", many->target) < 0
        || json_add_int(data, "files", tree->files) < 0
        || json_add_int(data, "folders", tree->folders) < 0
        || json_add_int(data, "symlinks", tree->links) < 0
        || json_add_int(data, "size", tree->bytes) < 0
        || json_add_int(data, "failed", tree->failed) < 0
        || (tree->first.code
            && json_add_string(data, "detail", tree->first.message) < 0))
        return -ENOMEM;
    return command_json(tree->first.code, data);
}

/* Return: the exit status. */
static int many_end(struct many *many, const char *what)
{
    const struct tree *tree = &many->tree;
    const struct out *out = &many->call->out;
    int r = 0;

    progress_end(many->copy.progress);
    progress_free(many->copy.progress);
    if (out->json)
        r = many_json(many);
    else if (tree->first.code && !out->quiet)
        out_message(out, "%" PRId64 " not copied; %" PRId64 " file%s were",
                    tree->failed, tree->files, tree->files == 1 ? "" : "s");
    else if (!tree->first.code && !out->quiet)
        r = out_line("%s successful: %s (%" PRId64 " file%s, %" PRId64
                     " bytes)",
                     what, many->target, tree->files,
                     tree->files == 1 ? "" : "s", tree->bytes);
    if (r < 0)
        return command_output_status(r);
    return tree->first.code ? command_status(&tree->first) : EXIT_STATUS_OK;
}

/* Several files do not fit into one.  mkdir is what makes a folder there. */
static int check_target(const struct many *many, const char *mkdir,
                        struct error *err)
{
    if (many->folder || many->call->n_args == 2)
        return 0;
    error_set(err, STATUS_FILE_OPERATION_FAILED,
              "'%s' is not a folder, and several files are meant",
              many->target);
    error_hint(err, "%s %s", mkdir, many->target);
    return STATUS_FILE_OPERATION_FAILED;
}

static void tell_folder(struct many *many, const char *source)
{
    struct error err = ERROR_INIT;

    error_set(&err, -EISDIR, "'%s' is a folder: left out without -r", source);
    tree_fail(&many->tree, NULL, &err);
}

/* --- to the guest --------------------------------------------------------- */

/* "PATH/" without its slashes: names what is to be made. */
static char *without_slashes(const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    return strndup(path, n);
}

/* Without -r a link stands for its file.  Return: owned. */
static char *source_path(const struct many *many, const char *source)
{
    return many->call->values.recursive ? strdup(source)
                                        : realpath(source, NULL);
}

static void upload_each(struct many *many, const char *source)
{
    AUTO_FREE char *name = transfer_basename(source);
    AUTO_FREE char *target = many->folder && name
                                 ? transfer_join(many->target, name)
                                 : without_slashes(many->target);
    AUTO_FREE char *path = source_path(many, source);
    struct error err = ERROR_INIT;
    struct stat st;

    if (!path || !target) {
        error_errno(&err, path ? -ENOMEM : -errno, "file '%s'", source);
        tree_fail(&many->tree, NULL, &err);
    } else if (!many->call->values.recursive && stat(path, &st) == 0
               && S_ISDIR(st.st_mode)) {
        tell_folder(many, source);
    } else {
        tree_upload(&many->tree, path, target);
    }
}

/* Not after each file: once for all of them. */
static void upload_sync(struct many *many)
{
    struct tree *tree = &many->tree;
    struct error err = ERROR_INIT;

    if (tree->ended || tree->files + tree->folders + tree->links == 0)
        return;
    if (remote_sync(&tree->remote, many->target, &err))
        tree_fail(tree, many->target, &err);
}

int cmd_upload_many(struct command_call *call)
{
    struct remote_entry entry;
    struct error err = ERROR_INIT;
    struct many many;
    int r = many_begin(&many, call, &err);

    if (r == 0) {
        r = remote_folder(&many.tree.remote, many.target, &entry, &err);
        many.folder = r > 0;
    }
    if (r >= 0)
        r = check_target(&many, PROGRAM " … mkdir", &err);
    if (r)
        tree_fail(&many.tree, NULL, &err);
    for (int i = 0; r == 0 && i + 1 < call->n_args && !many.tree.ended; i++)
        upload_each(&many, call->args[i]);
    if (r == 0)
        upload_sync(&many);
    return many_end(&many, "Upload");
}

/* --- from the guest ------------------------------------------------------- */

/* The name that a source gets below the target: its own; with the domain's in
 * front where several domains share a folder.  Return: owned; NULL: none. */
static char *name_below(const struct many *many, const char *source)
{
    const struct command_call *call = many->call;
    AUTO_FREE char *base = transfer_basename(source);
    const char *domain = call->several ? call->client->target->name : NULL;
    char *name = NULL;

    if (!domain)
        return base ? steal_ptr(&base) : NULL;
    /* A name that is a path would lead out of the folder. */
    if (strchr(domain, '/')
        || asprintf(&name, "%s%s%s", domain, base ? "." : "",
                    base ? base : "")
               < 0)
        return NULL;
    return name;
}

/* What is in front of a path's last component.  Return: owned. */
static char *folder_above(const char *path)
{
    AUTO_FREE char *plain = without_slashes(path);
    char *slash = plain ? strrchr(plain, '/') : NULL;

    if (!slash)
        return plain ? strdup(".") : NULL;
    slash[slash == plain] = '\0';
    return steal_ptr(&plain);
}

/* Opens the folder that the copies go into, or that the copy gets its place
 * in.  Its path is the user's: links in it count. */
static int open_target(const struct many *many, struct error *err)
{
    AUTO_FREE char *path = many->folder ? strdup(many->target)
                                        : folder_above(many->target);
    int fd;

    if (!path)
        return error_errno(err, -ENOMEM, "folder '%s'", many->target);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? error_errno(err, -errno, "folder '%s'", path) : fd;
}

/* What -p keeps is asked for, of what a link leads to. */
static int download_known(struct many *many, const char *source, int dir,
                          const char *name, struct transfer_result *result,
                          struct error *err)
{
    AUTO_FREE char *path = strdup(source);
    struct remote_entry entry = { .allocated = -1 };
    bool preserve = many->options.preserve;
    int r = path ? 0 : error_errno(err, -ENOMEM, "path");

    if (r == 0 && preserve)
        r = remote_follow(&many->tree.remote, &path, &entry, err);
    if (r == 0)
        r = download_at(&many->copy, path,
                        preserve && strcmp(entry.type, "file") == 0 ? &entry
                                                                    : NULL,
                        dir, name, name, result, err);
    remote_entry_free(&entry);
    return r;
}

/* Without -r: whatever the path leads to has to be a file. */
static void download_file(struct many *many, const char *source, int dir,
                          const char *name)
{
    struct tree *tree = &many->tree;
    struct transfer_result result = { 0 };
    struct error err = ERROR_INIT;
    int r;

    progress_file(many->copy.progress, source);
    if (name)
        r = download_known(many, source, dir, name, &result, &err);
    else
        r = error_set(&err, -EINVAL, "'%s' gives no name for a file here",
                      source);
    if (r) {
        tree_fail(tree, source, &err);
    } else {
        tree->files++;
        tree->bytes += result.size;
    }
    progress_file_done(many->copy.progress);
    transfer_result_free(&result);
}

static void download_each(struct many *many, const char *source, int dir)
{
    AUTO_FREE char *name = many->folder ? name_below(many, source)
                                        : transfer_basename(many->target);
    struct error err = ERROR_INIT;

    if (!many->call->values.recursive) {
        download_file(many, source, dir, name);
    } else if (!name && (!many->folder || many->call->several)) {
        error_set(&err, -EINVAL, "'%s' gives no name for a folder here",
                  many->folder ? source : many->target);
        tree_fail(&many->tree, NULL, &err);
    } else {
        tree_download(&many->tree, source, dir, name);
    }
}

/* Several files one behind the other. */
static void download_to_output(struct many *many)
{
    const struct command_call *call = many->call;
    struct error err = ERROR_INIT;
    int r = 0;

    if (many->call->values.recursive)
        r = error_set(&err, -EINVAL, "folders do not go to standard output");
    for (int i = 0; r == 0 && i + 1 < call->n_args; i++) {
        struct transfer_result result;

        r = download_to(&many->copy, call->args[i], "-", &result, &err);
        many->tree.files += r == 0;
        transfer_result_free(&result);
    }
    if (r)
        tree_fail(&many->tree, NULL, &err);
}

static void download_to_place(struct many *many)
{
    const struct command_call *call = many->call;
    struct error err = ERROR_INIT;
    AUTO_CLOSE int dir = -1;
    struct stat st;
    int r;

    many->folder = stat(many->target, &st) == 0 && S_ISDIR(st.st_mode);
    r = check_target(many, "mkdir", &err);
    if (r == 0)
        r = dir = open_target(many, &err);
    if (r < 0 || dir < 0) {
        tree_fail(&many->tree, NULL, &err);
        return;
    }
    for (int i = 0; i + 1 < call->n_args && !many->tree.ended; i++)
        download_each(many, call->args[i], dir);
    if (many->tree.files > 0 && syncfs(dir) < 0) {
        error_errno(&err, -errno, "folder '%s'", many->target);
        tree_fail(&many->tree, NULL, &err);
    }
}

int cmd_download_many(struct command_call *call)
{
    struct error err = ERROR_INIT;
    struct many many;

    if (many_begin(&many, call, &err) < 0)
        tree_fail(&many.tree, NULL, &err);
    else if (strcmp(many.target, "-") != 0)
        download_to_place(&many);
    else
        download_to_output(&many);
    if (strcmp(many.target, "-") == 0)
        many.call->out.quiet = true; /* the files themselves went there */
    return many_end(&many, "Download");
}
