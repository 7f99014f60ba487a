/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* file/directory, file/symlink, file/attributes, file/sync: what is made or
 * changed at a place, without content. */
#include <config.h>

#include "guest/handlers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/agent.h"
#include "guest/attributes.h"
#include "guest/query.h"
#include "guest/worker.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/fd.h"

#define NEW_FOLDER_MODE 0755

/* Everything that the query of one of these may have. */
struct wish {
    char *path;
    char *mode;
    char *owner;
    char *group;
    char *mtime;
    char *target;
    bool parents;
    bool exist_ok;
    bool overwrite;
};

static void wish_free(struct wish *wish)
{
    free(wish->path);
    free(wish->mode);
    free(wish->owner);
    free(wish->group);
    free(wish->mtime);
    free(wish->target);
}

#define AUTO_WISH CLEANUP(wish_free)

/* Mode and owner; what is wrong with them is answered. */
static int wish_attributes(struct request *request, struct wish *wish,
                           struct attributes *attributes)
{
    struct error err = ERROR_INIT;
    int r;

    if (query(request, "mode", false, &wish->mode) < 0
        || query(request, "owner", false, &wish->owner) < 0
        || query(request, "group", false, &wish->group) < 0)
        return -EINVAL;
    r = attributes_parse(attributes,
                         &(struct attributes_text) { wish->mode, wish->owner,
                                                     wish->group,
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

/* A new folder gets its mode whatever the umask says, and the set-group-id bit
 * that it inherits is kept; one that cannot get them does not stay. */
static int folder_make(const struct path_target *place,
                       const struct attributes *wanted, struct error *err)
{
    struct attributes attributes = *wanted;
    AUTO_CLOSE int fd = -1;
    struct stat st;
    int r;

    if (mkdirat(place->dir, place->name, 0700) < 0)
        return error_errno(err, -errno, "'%s'", place->real);
    fd = openat(place->dir, place->name,
                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        r = error_errno(err, -errno, "'%s'", place->real);
    } else {
        if (!attributes.has_mode)
            attributes.mode = NEW_FOLDER_MODE | (st.st_mode & S_ISGID);
        attributes.has_mode = true;
        r = attributes_apply(&attributes, fd, place->real, err);
    }
    if (r < 0)
        unlinkat(place->dir, place->name, AT_REMOVEDIR);
    return r;
}

/* Judges one folder's place and makes it there. */
static int folder_at(const struct path_policy *policy, const char *path,
                     const struct attributes *attributes, struct error *err)
{
    struct path_target place;
    int r = path_place(policy, path, &place, err);

    if (r == 0)
        r = folder_make(&place, attributes, err);
    fd_close(&place.dir);
    return r;
}

static bool is_folder(const char *path)
{
    AUTO_CLOSE int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0;
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
    folder = found.fd >= 0 && S_ISDIR(found.st.st_mode);
    fd_close(&found.fd);
    return folder;
}

static void directory_answer(struct request *request, const struct wish *wish,
                             const struct attributes *attributes)
{
    const struct path_policy *policy = &request->agent->paths;
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

void file_directory_run(struct request *request)
{
    AUTO_WISH struct wish wish = { 0 };
    struct attributes attributes;

    if (query(request, "path", true, &wish.path) == 0
        && query_bool(request, "parents", &wish.parents) == 0
        && query_bool(request, "exist_ok", &wish.exist_ok) == 0
        && wish_attributes(request, &wish, &attributes) == 0)
        directory_answer(request, &wish, &attributes);
}

/* --- symbolic links ------------------------------------------------------ */

/* A link that is there under another name takes the place, so that there is
 * always one or the other. */
static int link_replace(const struct path_target *place, const char *target)
{
    char random[17];
    char temp[NAME_MAX + 1];
    int r = 0;

    if (crypto_random_hex(random, 8) < 0)
        return -EIO;
    snprintf(temp, sizeof(temp), ".vsrpc-%s.tmp", random);
    if (symlinkat(target, place->dir, temp) < 0)
        return -errno;
    if (renameat(place->dir, temp, place->dir, place->name) < 0) {
        r = -errno;
        unlinkat(place->dir, temp, 0);
    }
    return r;
}

static int link_make(const struct path_target *place, const struct wish *wish,
                     struct error *err)
{
    bool replace = place->exists && wish->overwrite;
    int r;

    if (replace && !S_ISREG(place->st.st_mode) && !S_ISLNK(place->st.st_mode))
        return error_set(err, STATUS_FILE_OPERATION_FAILED,
                         "'%s' is neither a regular file nor a link",
                         place->real);
    if (replace)
        r = link_replace(place, wish->target);
    else
        r = symlinkat(wish->target, place->dir, place->name) < 0 ? -errno : 0;
    return r < 0 ? error_errno(err, r, "'%s'", place->real) : 0;
}

static void symlink_answer(struct request *request, const struct wish *wish)
{
    struct path_target place = { .dir = -1 };
    struct error err = ERROR_INIT;
    int r;

    if (!*wish->target)
        r = error_set(&err, STATUS_INVALID_PARAMS, "'target' is empty");
    else
        r = path_place(&request->agent->paths, wish->path, &place, &err);
    if (r == 0)
        r = link_make(&place, wish, &err);
    answer(request, wish->path, r, &err);
    fd_close(&place.dir);
}

void file_symlink_run(struct request *request)
{
    AUTO_WISH struct wish wish = { 0 };

    if (query(request, "path", true, &wish.path) == 0
        && query(request, "target", true, &wish.target) == 0
        && query_bool(request, "overwrite", &wish.overwrite) == 0)
        symlink_answer(request, &wish);
}

/* --- attributes ---------------------------------------------------------- */

static int attributes_give(const struct path_target *place,
                           const struct attributes *attributes,
                           struct error *err)
{
    AUTO_CLOSE int fd = openat(place->dir, place->name,
                               O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return error_errno(err, -errno, "'%s'", place->real);
    return attributes_apply(attributes, fd, place->real, err);
}

void file_attributes_run(struct request *request)
{
    AUTO_WISH struct wish wish = { 0 };
    struct path_target place = { .dir = -1 };
    struct attributes attributes;
    struct error err = ERROR_INIT;
    int r;

    if (query(request, "path", true, &wish.path) < 0
        || query(request, "mtime", false, &wish.mtime) < 0
        || wish_attributes(request, &wish, &attributes) < 0)
        return;
    r = path_place(&request->agent->paths, wish.path, &place, &err);
    if (r == 0)
        r = attributes_give(&place, &attributes, &err);
    answer(request, wish.path, r, &err);
    fd_close(&place.dir);
}

/* --- sync ---------------------------------------------------------------- */

struct flush {
    struct request *request;
    struct worker *worker;
    char *path;
    int fd;
};

static void flush_drop(void *work)
{
    struct flush *flush = work;

    if (flush->worker)
        worker_cancel(flush->worker);
    fd_close(&flush->fd);
    free(flush->path);
    free(flush);
}

/* In a worker.  Kernels before 2.6.39 can only do it for all file systems. */
static void flush_main(void *arg, void *report)
{
    const struct flush *flush = arg;
    int *result = report;

    if (syncfs(flush->fd) == 0)
        return;
    *result = -errno;
    if (errno == ENOSYS) {
        sync();
        *result = 0;
    }
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
    if (found.fd < 0)
        return error_errno(err, -ENOENT, "'%s'", flush->path);
    if (!S_ISDIR(found.st.st_mode) && !S_ISREG(found.st.st_mode)) {
        r = error_set(err, STATUS_FILE_OPERATION_FAILED,
                      "'%s' is neither a regular file nor a folder",
                      flush->path);
    } else {
        flush->fd = path_reopen(&found);
        if (flush->fd < 0)
            r = error_errno(err, flush->fd, "'%s'", flush->path);
    }
    fd_close(&found.fd);
    return r;
}

void file_sync_run(struct request *request)
{
    struct flush *flush = request_work(request, sizeof(*flush), flush_drop);
    struct agent *agent = request->agent;
    struct error err = ERROR_INIT;
    int r;

    if (!flush)
        return;
    flush->request = request;
    flush->fd = -1;
    if (query(request, "path", true, &flush->path) < 0)
        return;
    r = flush_open(&agent->paths, flush, &err);
    if (r == 0) {
        r = worker_start(&agent->procs, flush_main, flush_done, flush,
                         &flush->worker);
        if (r < 0)
            error_errno(&err, r, "worker");
    }
    if (r)
        request_error(request, r, &err);
}
