/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* upload and download of several files or of folders: where each goes, as
 * cp(1) has it. */
#include <config.h>

#include "host/cmd/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/copy/download.h"
#include "host/copy/path.h"
#include "host/copy/plain.h"
#include "host/copy/tree.h"
#include "host/local/tempfile.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/quote.h"

/* Everything that one such call has as its locals. */
struct many {
    struct command_call *call;
    struct copy_options options;
    struct copy copy;
    struct tree tree;
    const char *target; /* the last operand */
    char *place;        /* of an upload: what it means, without what ends it */
    bool folder;        /* it is one, and the copies go into it */
    int dir;            /* … of a download, open, or the one above it */
    int begun;          /* sources that were tried */
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

    if (!data
        || json_add_bytes(data, "path", many->target, strlen(many->target)) < 0
        || json_add_int(data, "files", tree->files) < 0
        || json_add_int(data, "folders", tree->folders) < 0
        || json_add_int(data, "symlinks", tree->links) < 0
        || json_add_int(data, "size", tree->bytes) < 0
        || json_add_int(data, "failed", tree->failed) < 0
        || (tree->first.code
            && (json_add_string(
                    data, "error_type",
                    status_get(command_condition(&tree->first))->name)
                    < 0
                || json_add_string(data, "detail", tree->first.message) < 0)))
        return -ENOMEM;
    return command_json(many->call,
                        tree->first.code ? command_condition(&tree->first)
                                         : STATUS_SUCCESS,
                        data);
}

/* What kept us from the first source, or made us leave the others, is one error;
 * they are as many as they are. */
static void count_rest(struct many *many)
{
    int n = many->call->n_args - 1;

    if (many->tree.first.code)
        many->tree.failed += n - many->begun - (many->begun == 0);
}

/* Return: the exit status. */
static int many_end(struct many *many, const char *what)
{
    const struct tree *tree = &many->tree;
    const struct out *out = &many->call->out;
    int r = 0;

    count_rest(many);

    cmd_copy_progress_end(many->call);
    if (out->json)
        r = many_json(many);
    else if (tree->first.code && !out->quiet)
        out_message(out, "%" PRId64 " not copied, %" PRId64 " copied",
                    tree->failed, tree->files);
    else if (!tree->first.code && !out->quiet)
        r = out_line("%s successful: %s (%" PRId64 " file%s, %" PRId64
                     " bytes)",
                     what, many->target, tree->files,
                     tree->files == 1 ? "" : "s", tree->bytes);
    tree_free(&many->tree);
    if (r < 0)
        return command_output_status(r);
    return tree->first.code ? command_status(&tree->first) : EXIT_STATUS_OK;
}

static bool ends_with_slash(const char *path)
{
    size_t n = strlen(path);

    return n > 0 && path[n - 1] == '/';
}

/* Several files do not fit into one.  code says on which side that is. */
static int check_target(const struct many *many, int code, struct error *err)
{
    if (many->folder || many->call->n_args == 2)
        return 0;
    error_set(err, code, "'%s' is not a folder, and several files are meant",
              many->target);
    quote_hint(err, code < 0 ? "mkdir %s" : PROGRAM " … mkdir %s",
               many->target);
    return code;
}

/* One operand after the other, each once. */
static void copy_each(struct many *many,
                      void (*copy)(struct many *many, const char *source))
{
    const struct command_call *call = many->call;

    for (; many->begun + 1 < call->n_args && !many->tree.ended; many->begun++)
        if (tree_name(&many->tree, call->args[many->begun]))
            copy(many, call->args[many->begun]);
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

/* A folder's path without "/." and slashes at its end.  Return: owned. */
static char *without_dots(const char *path)
{
    char *plain = without_slashes(path);
    size_t n = plain ? strlen(plain) : 0;

    while (n > 2 && plain[n - 1] == '.' && plain[n - 2] == '/') {
        n -= 2;
        while (n > 1 && plain[n - 1] == '/')
            n--;
        plain[n] = '\0';
    }
    return plain;
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

/* Without -r a link stands for its file.  Return: owned. */
static char *source_path(const struct many *many, const char *source)
{
    return many->call->values.recursive ? strdup(source)
                                        : realpath(source, NULL);
}

static void upload_one(struct many *many, const char *source)
{
    int64_t before = tree_made(&many->tree);
    AUTO_FREE char *name = path_basename(source);
    AUTO_FREE char *target = many->folder && name
                                 ? path_join(many->place, name)
                                 : strdup(many->place);
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
    if (target && tree_made(&many->tree) > before)
        tree_note_made(&many->tree, target);
}

/* Not after each file: once for all of them. */
static void upload_sync(struct many *many)
{
    struct tree *tree = &many->tree;
    AUTO_FREE char *above = NULL;
    struct error err = ERROR_INIT;

    if (tree->ended || tree_made(tree) == 0)
        return;
    /* A link may lead to nothing, or to another file system. */
    if (!many->folder && tree->files + tree->folders == 0)
        above = folder_above(many->place);
    if (remote_sync(&tree->remote, above ? above : many->place, &err))
        tree_fail(tree, many->target, &err);
}

/* The folder itself, where the target is a link to it or ends in "/.": it may
 * get a mode and a time. */
static int find_place(struct many *many, struct error *err)
{
    struct remote_entry entry = { .allocated = -1 };
    int r = 0;

    many->place = many->folder ? without_dots(many->target)
                               : without_slashes(many->target);
    if (!many->place)
        return error_errno(err, -ENOMEM, "path");
    if (many->folder)
        r = remote_follow(&many->tree.remote, &many->place, &entry, err);
    remote_entry_free(&entry);
    return r;
}

int cmd_upload_many(struct command_call *call)
{
    struct remote_entry entry;
    struct error err = ERROR_INIT;
    struct many many;
    int r = many_begin(&many, call, &err);

    if (r == 0) {
        r = plain_lacks(
            &many.copy,
            remote_folder(&many.tree.remote, many.target, &entry, &err),
            call->values.recursive ? PLAIN_FOLDERS : "several files at once",
            &err);
        many.folder = r > 0;
        many.tree.only_folder = !many.folder && ends_with_slash(many.target);
    }
    if (r >= 0)
        r = check_target(&many, STATUS_FILE_OPERATION_FAILED, &err);
    if (r == 0)
        r = find_place(&many, &err);
    if (r)
        tree_fail(&many.tree, NULL, &err);
    else
        copy_each(&many, upload_one);
    if (r == 0)
        upload_sync(&many);
    free(many.place);
    return many_end(&many, "Upload");
}

/* --- from the guest ------------------------------------------------------- */

/* The name that a source gets below the target: its own; with the domain's in
 * front where several domains share a folder.  Return: owned; NULL: none. */
static char *name_below(const struct many *many, const char *source)
{
    const struct command_call *call = many->call;
    AUTO_FREE char *base = path_basename(source);
    const char *domain = call->multi ? call->client->target->name : NULL;
    char *name = NULL;

    if (!domain)
        return base ? steal_ptr(&base) : NULL;
    /* A name that is a path would lead out of the folder. */
    if (strchr(domain, '/')
        || asprintf(&name, "%s%s%s", domain, base ? "." : "", base ? base : "")
               < 0)
        return NULL;
    return name;
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
static int download_asked(struct many *many, const char *source,
                          const char *local, struct copy_result *result,
                          struct error *err)
{
    AUTO_FREE char *path = strdup(source);
    struct remote_entry entry = { .allocated = -1 };
    bool preserve = many->options.preserve;
    int r = path ? 0 : error_errno(err, -ENOMEM, "path");

    if (r == 0 && preserve)
        r = plain_lacks(&many->copy,
                        remote_follow(&many->tree.remote, &path, &entry, err),
                        "--preserve", err);
    if (r == 0)
        r = download_known(&many->copy, path,
                           preserve && strcmp(entry.type, "file") == 0 ? &entry
                                                                       : NULL,
                           local, result, err);
    remote_entry_free(&entry);
    return r;
}

/* Without -r: whatever the path leads to has to be a file.  The name here is
 * the user's own, and so is a link that stands there. */
static void download_file(struct many *many, const char *source,
                          const char *name)
{
    struct tree *tree = &many->tree;
    AUTO_FREE char *local = many->folder && name
                                ? path_join(many->target, name)
                                : strdup(many->target);
    struct copy_result result = { 0 };
    struct error err = ERROR_INIT;
    int r;

    if (name && tree_is_made(tree, source, name))
        return;
    progress_file(many->copy.progress, source);
    if (tree->only_folder)
        r = error_errno(&err, -ENOTDIR, "'%s'", many->target);
    else if (name && local)
        r = download_asked(many, source, local, &result, &err);
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
    copy_result_free(&result);
}

static void download_one(struct many *many, const char *source)
{
    int64_t before = tree_made(&many->tree);
    AUTO_FREE char *name = many->folder ? name_below(many, source)
                                        : path_basename(many->target);
    struct error err = ERROR_INIT;

    if (!many->call->values.recursive) {
        download_file(many, source, name);
    } else if (!name && (!many->folder || many->call->multi)) {
        error_set(&err, -EINVAL, "'%s' gives no name for a folder here",
                  many->folder ? source : many->target);
        tree_fail(&many->tree, NULL, &err);
    } else {
        tree_download(&many->tree, source, many->dir, name);
    }
    if (name && tree_made(&many->tree) > before)
        tree_note_made(&many->tree, name);
}

/* Several files one behind the other. */
static void download_to_output(struct many *many)
{
    const struct command_call *call = many->call;
    struct error err = ERROR_INIT;
    int r = 0;

    if (many->call->values.recursive)
        r = error_set(&err, -EINVAL, "folders do not go to standard output");
    if (r)
        tree_fail(&many->tree, NULL, &err);
    for (; r == 0 && many->begun + 1 < call->n_args; many->begun++) {
        struct copy_result result;

        r = download_to(&many->copy, call->args[many->begun], "-", &result,
                        &err);
        if (r)
            tree_fail(&many->tree, NULL, &err);
        many->tree.files += r == 0;
        many->tree.bytes += result.size;
        copy_result_free(&result);
    }
}

static void download_to_folder(struct many *many)
{
    struct error err = ERROR_INIT;
    AUTO_CLOSE int dir = -1;
    struct stat st;
    int r;

    many->folder = stat(many->target, &st) == 0 && S_ISDIR(st.st_mode);
    many->tree.only_folder = !many->folder && ends_with_slash(many->target);
    r = check_target(many, -ENOTDIR, &err);
    if (r == 0)
        r = many->dir = dir = open_target(many, &err);
    if (r < 0 || dir < 0) {
        tree_fail(&many->tree, NULL, &err);
        return;
    }
    copy_each(many, download_one);
    if (many->tree.files > 0 && syncfs(dir) < 0) {
        error_errno(&err, -errno, "folder '%s'", many->target);
        tree_fail(&many->tree, NULL, &err);
    }
}

int cmd_download_many(struct command_call *call)
{
    struct error err = ERROR_INIT;
    struct many many;
    int r = many_begin(&many, call, &err);
    bool output = tempfile_descriptor(many.target) == STDOUT_FILENO;

    if (r < 0)
        tree_fail(&many.tree, NULL, &err);
    else if (!output)
        download_to_folder(&many);
    else
        download_to_output(&many);
    if (output)
        many.call->out.quiet = true; /* the files themselves went there */
    return many_end(&many, "Download");
}
