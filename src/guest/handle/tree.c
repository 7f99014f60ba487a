/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The tree operations: file/directory, file/symlink, file/attributes and
 * file/sync.  They act on a name in the open folder that the policy has
 * judged; a sync runs in a worker, because it may take seconds.
 */
#include <config.h>

#include "guest/handle/handlers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/core/context.h"
#include "guest/file/attributes.h"
#include "guest/file/transfer.h"
#include "guest/policy/guard.h"
#include "guest/policy/path_policy.h"
#include "guest/proc/proc.h"
#include "guest/proc/user.h"
#include "guest/proc/worker.h"
#include "guest/request/query.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/fd.h"
#include "util/fssync.h"
#include "util/opath.h"

#define NEW_FOLDER_MODE 0755

/* Everything that the query of one of these may have. */
struct wish {
    char *path;
    char *user;
    char *transfer; /* for the rate limit alone */
    char *mode;
    char *owner;
    char *group;
    char *mtime;
    char *target;
    bool parents;
    bool exist_ok;
    bool overwrite;
};

#define ROW(...) QUERY_ROW(struct wish, __VA_ARGS__)
#define ROW_PATH ROW(path, QUERY_TEXT, .required = true)
#define ROW_USER QUERY_ROW_USER(struct wish)
#define ROW_TRANSFER ROW(transfer, QUERY_TRANSFER)

/* Mode, owner and time; what is wrong with them is answered. */
static int wish_attributes(struct request *request,
                           struct attributes *attributes)
{
    const struct wish *wish = request->query;
    struct error err = ERROR_INIT;
    int r = attributes_parse(
        attributes,
        &(struct attributes_text) { wish->mode, wish->owner, wish->group,
                                    wish->mtime },
        &err);

    if (r < 0)
        request_error(request, r, &err);
    return r;
}

static struct json_object *path_json(const char *path)
{
    struct json_object *data = json_object_new_object();

    if (data)
        json_add_bytes(data, "path", path, strlen(path));
    return data;
}

static void answer(struct request *request, const char *path, int r,
                   const struct error *err)
{
    if (r)
        request_error(request, r, err);
    else
        request_ok(request, path_json(path));
}

/* --- folders ------------------------------------------------------------- */

/* Whoever may write to the folder around a new one may have put another in its
 * place before that is opened.  One with something in it is not given away; an
 * empty one is no better than the new one.  Return: 0 or negative errno. */
static int folder_check_empty(int fd)
{
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = again < 0 ? NULL : fdopendir(again);
    const struct dirent *entry;
    int r = dir ? 0 : -errno;

    if (!dir) {
        fd_close(&again);
        return r;
    }
    while (r == 0 && (errno = 0, entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0
            && strcmp(entry->d_name, "..") != 0)
            r = -ENOTEMPTY;
    if (r == 0)
        r = -errno;
    closedir(dir);
    return r;
}

/* Opens the folder that was made.  Return: as attributes_apply(). */
static int folder_open(const struct path_target *where, struct opath *made,
                       struct stat *st, struct error *err)
{
    int r;

    made->fd = openat(where->dir, where->name,
                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (made->fd < 0 || fstat(made->fd, st) < 0)
        return error_errno(err, -errno, "'%s'", where->real);
    r = folder_check_empty(made->fd);
    return r < 0 ? error_errno(err, r, "new folder '%s'", where->real) : 0;
}

/* A new folder gets its mode whatever the umask says, and the set-group-id bit
 * that it inherits is kept; one that cannot get them does not stay. */
static int folder_make(const struct path_target *where,
                       const struct attributes *wanted, struct error *err)
{
    struct attributes attributes = *wanted;
    struct opath made = OPATH_NONE;
    struct stat st;
    int r;

    if (mkdirat(where->dir, where->name, 0700) < 0)
        return error_errno(err, -errno, "'%s'", where->real);
    r = folder_open(where, &made, &st, err);
    if (r == 0) {
        if (!attributes.has_mode)
            attributes.mode = NEW_FOLDER_MODE;
        attributes.mode |= st.st_mode & S_ISGID;
        attributes.has_mode = true;
        r = attributes_apply(&attributes, &made, where->real, err);
    }
    opath_close(&made);
    if (r < 0)
        unlinkat(where->dir, where->name, AT_REMOVEDIR);
    return r;
}

/* Judges one folder's place and makes it there. */
static int folder_at(const struct path_policy *policy, const char *path,
                     const struct attributes *attributes, struct error *err)
{
    struct path_target where;
    int r = path_place(policy, path, &where, err);

    if (r == 0)
        r = folder_make(&where, attributes, err);
    fd_close(&where.dir);
    return r;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The folders above, one after the other; each is judged where it comes to
 * be.  They have the usual mode and nobody's wish. */
static int folder_parents(const struct path_policy *policy, const char *path,
                          struct error *err)
{
    const struct attributes usual = { .uid = -1, .gid = -1 };
    char above[PATH_MAX];

    if (path[0] != '/' || strlen(path) >= sizeof(above))
        return 0; /* path_place() has the words for that */
    for (const char *end = path; *end;) {
        int r = 0;

        end += strspn(end, "/");
        end += strcspn(end, "/");
        if (!end[strspn(end, "/")])
            break;
        snprintf(above, sizeof(above), "%.*s", (int) (end - path), path);
        if (!is_folder(above))
            r = folder_at(policy, above, &usual, err);
        if (r && r != -EEXIST) /* somebody was quicker, or it is a file */
            return r;
    }
    return 0;
}

/* What is there instead of a new folder: a folder, or a link to one, which may
 * be looked at? */
static bool folder_is_there(const struct path_policy *policy, const char *path)
{
    struct path_found found;
    bool folder;

    if (path_find(policy, path, PATH_LOOK, &found, NULL))
        return false;
    folder = opath_is_open(&found.file) && S_ISDIR(found.st.st_mode);
    opath_close(&found.file);
    return folder;
}

static void directory_answer(struct request *request, const struct wish *wish,
                             const struct attributes *attributes)
{
    const struct path_policy *policy = request->context->paths;
    struct error err = ERROR_INIT;
    struct json_object *data;
    int r = wish->parents ? folder_parents(policy, wish->path, &err) : 0;
    bool created;

    if (r == 0)
        r = folder_at(policy, wish->path, attributes, &err);
    created = r == 0;
    if (r == -EEXIST && wish->exist_ok && folder_is_there(policy, wish->path))
        r = 0;
    if (r) {
        request_error(request, r, &err);
        return;
    }
    data = path_json(wish->path);
    if (data)
        json_add_bool(data, "created", created);
    request_ok(request, data);
}

static const struct query_row directory_rows[] = {
    ROW_PATH,
    ROW_USER,
    ROW_TRANSFER,
    ROW(mode, QUERY_MODE),
    ROW(owner, QUERY_TEXT),
    ROW(group, QUERY_TEXT),
    ROW(parents, QUERY_BOOL),
    ROW(exist_ok, QUERY_BOOL),
};

const struct query_form file_directory_query = QUERY_FORM(directory_rows,
                                                          struct wish, NULL);

void file_directory_run(struct request *request)
{
    struct attributes attributes;

    if (wish_attributes(request, &attributes) == 0)
        directory_answer(request, request->query, &attributes);
}

/* --- symbolic links ------------------------------------------------------ */

/* A link that is there under another name takes the place, so that there is
 * always one or the other. */
static int link_replace(const struct path_target *where, const char *target)
{
    char random[17];
    char temp[NAME_MAX + 1];
    int r = 0;

    if (crypto_random_hex(random, 8) < 0)
        return -EIO;
    snprintf(temp, sizeof(temp), ".vsrpc-%s.tmp", random);
    if (symlinkat(target, where->dir, temp) < 0)
        return -errno;
    if (renameat(where->dir, temp, where->dir, where->name) < 0) {
        r = -errno;
        unlinkat(where->dir, temp, 0);
    }
    return r;
}

static int link_make(const struct path_target *where, const struct wish *wish,
                     struct error *err)
{
    bool replace = where->exists && wish->overwrite;
    int r;

    if (replace && !S_ISREG(where->st.st_mode) && !S_ISLNK(where->st.st_mode))
        return error_set(err, STATUS_FILE_OPERATION_FAILED,
                         "'%s' is neither a regular file nor a link",
                         where->real);
    if (replace)
        r = link_replace(where, wish->target);
    else
        r = symlinkat(wish->target, where->dir, where->name) < 0 ? -errno : 0;
    return r < 0 ? error_errno(err, r, "'%s'", where->real) : 0;
}

/* Where the agent itself makes it; another user may make what he could make
 * anyway. */
static int link_judge(const struct request *request,
                      const struct path_target *where, struct error *err)
{
    const struct wish *wish = request->query;

    if (request->user && request->user->uid != geteuid())
        return 0;
    return path_policy_check_link(request->context->paths, where->real,
                                  wish->target, err);
}

static const struct query_row symlink_rows[] = {
    ROW_PATH,
    ROW_USER,
    ROW_TRANSFER,
    ROW(target, QUERY_ID, .required = true, .max = HTTP_TARGET_MAX),
    ROW(overwrite, QUERY_BOOL),
};

const struct query_form file_symlink_query = QUERY_FORM(symlink_rows,
                                                        struct wish, NULL);

void file_symlink_run(struct request *request)
{
    const struct wish *wish = request->query;
    struct path_target where = { .dir = -1 };
    struct error err = ERROR_INIT;
    int r = path_place(request->context->paths, wish->path, &where, &err);

    if (r == 0)
        r = link_judge(request, &where, &err);
    if (r == 0)
        r = link_make(&where, wish, &err);
    answer(request, wish->path, r, &err);
    fd_close(&where.dir);
}

/* --- attributes ---------------------------------------------------------- */

/* What they would change besides, if they may be changed at all. */
static int attributes_judge(const struct settings *settings,
                            const struct path_found *found,
                            const struct attributes *attributes,
                            struct error *err)
{
    if (S_ISDIR(found->st.st_mode))
        return guard_check(settings, found->real, true, err);
    return attributes->has_mode ? guard_mode(settings, attributes->mode, err)
                                : 0;
}

static const struct query_row attributes_rows[] = {
    ROW_PATH,
    ROW_USER,
    ROW_TRANSFER,
    ROW(mode, QUERY_MODE),
    ROW(owner, QUERY_TEXT),
    ROW(group, QUERY_TEXT),
    ROW(mtime, QUERY_TIME),
};

const struct query_form file_attributes_query = QUERY_FORM(attributes_rows,
                                                           struct wish, NULL);

void file_attributes_run(struct request *request)
{
    const struct wish *wish = request->query;
    const struct path_policy *policy = request->context->paths;
    struct path_found found;
    struct attributes attributes;
    struct error err = ERROR_INIT;
    int r;

    if (wish_attributes(request, &attributes) < 0)
        return;
    r = path_hold(policy, wish->path, &found, &err);
    if (r == 0)
        r = attributes_judge(policy->guarded, &found, &attributes, &err);
    if (r == 0)
        r = attributes_apply(&attributes, &found.file, found.real, &err);
    answer(request, wish->path, r, &err);
    opath_close(&found.file);
}

/* --- sync ---------------------------------------------------------------- */

struct flush {
    struct request *request;
    struct worker *worker;
    const char *path;
    int fd;
};

static void flush_drop(void *work)
{
    struct flush *flush = work;

    if (flush->worker)
        worker_cancel(flush->worker);
    fd_close(&flush->fd);
    free(flush);
}

/* In a worker. */
static void flush_main(void *arg, void *report)
{
    const struct flush *flush = arg;
    int *result = report;

    *result = fssync(flush->fd);
}

static void flush_done(void *arg, const void *report)
{
    struct flush *flush = arg;
    struct error err = ERROR_INIT;
    int r = report ? *(const int *) report : -EIO;

    flush->worker = NULL;
    if (r < 0)
        error_errno(&err, r, "'%s'", flush->path);
    answer(flush->request, flush->path, r, &err);
}

/* Opening anything else could do something (a tape rewinds). */
static int flush_open(const struct path_policy *policy, struct flush *flush,
                      struct error *err)
{
    struct path_found found;
    int r = path_find(policy, flush->path, PATH_READ, &found, err);

    if (r)
        return r;
    if (!opath_is_open(&found.file))
        return error_errno(err, -ENOENT, "'%s'", flush->path);
    if (!S_ISDIR(found.st.st_mode) && !S_ISREG(found.st.st_mode)) {
        r = error_set(err, STATUS_FILE_OPERATION_FAILED,
                      "'%s' is neither a regular file nor a folder",
                      flush->path);
    } else {
        flush->fd = opath_reopen(&found.file);
        if (flush->fd < 0)
            r = error_errno(err, flush->fd, "'%s'", flush->path);
    }
    opath_close(&found.file);
    return r;
}

static const struct query_row sync_rows[] = { ROW_PATH, ROW_USER,
                                              ROW_TRANSFER };

const struct query_form file_sync_query = QUERY_FORM(sync_rows, struct wish,
                                                     NULL);

void file_sync_run(struct request *request)
{
    struct flush *flush = request_work(request, sizeof(*flush), flush_drop);
    struct context *context = request->context;
    struct error err = ERROR_INIT;
    int r;

    if (!flush)
        return;
    flush->request = request;
    flush->fd = -1;
    flush->path = ((const struct wish *) request->query)->path;
    r = flush_open(context->paths, flush, &err);
    if (r == 0) {
        r = worker_start(context->procs, flush_main, flush_done, flush,
                         &flush->worker);
        if (r < 0)
            error_errno(&err, r, "worker");
    }
    if (r)
        request_error(request, r, &err);
}
