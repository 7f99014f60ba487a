/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The commit of an upload: owner, mode, time, fsync(2), and then its name.  A
 * worker does it, because fsync(2) and the digest of a resumed file can take
 * seconds; where neither is needed it is done at once.
 */
#include <config.h>

#include "guest/file/upload_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/core/owner.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/replaced.h"

#define ID_KEEP ((int64_t) -1) /* as for chown(2) */

#define COPY_STEP (256 * 1024)

/* What the worker reports. */
struct verdict {
    int code; /* 0, positive enum status_code or negative errno */
    char sum[DIGEST_HEX_MAX];
    char message[512];
};

_Static_assert(sizeof(struct verdict) <= WORKER_REPORT_MAX,
               "a verdict fits the report");

/* --- in the worker -------------------------------------------------------- */

/* What the file that is replaced leaves to this one; of one that has gone
 * since the beginning, what was known of it then. */
static int commit_left(const struct upload *upload, mode_t *mode,
                       struct error *err)
{
    const struct path_target *target = &upload->target;
    int old = replaced_leave(target->dir, target->name, upload->file.fd);

    if (old == -ENOENT && target->exists) {
        old = (int) (target->st.st_mode & 01777);
        if (fchown(upload->file.fd, target->st.st_uid, target->st.st_gid) < 0
            && errno != EPERM)
            old = -errno;
    }
    *mode = old >= 0 && upload->own_mode ? (mode_t) old : upload->mode;
    return old < 0 && old != -ENOENT
               ? error_errno(err, old, "attributes of '%s'", target->real)
               : 0;
}

static int commit_owner(const struct upload *upload, struct error *err)
{
    const struct path_target *target = &upload->target;
    int fd = upload->file.fd;
    int64_t uid = ID_KEEP;
    int64_t gid = ID_KEEP;
    mode_t mode;
    int r = commit_left(upload, &mode, err);

    if (r < 0)
        return r;
    if (upload->owner && owner_id(upload->owner, &uid) < 0)
        return error_set(err, -EINVAL, "no such user: '%s'", upload->owner);
    if (upload->group && group_id(upload->group, &gid) < 0)
        return error_set(err, -EINVAL, "no such group: '%s'", upload->group);
    if ((upload->owner || upload->group)
        && fchown(fd, (uid_t) uid, (gid_t) gid) < 0)
        return error_errno(err, -errno, "owner of '%s'", target->real);
    /* After the owner: changing that clears the set-id bits. */
    if (fchmod(fd, mode) < 0)
        return error_errno(err, -errno, "mode of '%s'", target->real);
    return 0;
}

static int commit_time(const struct upload *upload, struct error *err)
{
    const struct timespec times[] = { { .tv_nsec = UTIME_OMIT },
                                      upload->mtime };

    if (upload->mtime.tv_nsec == UTIME_OMIT
        || futimens(upload->file.fd, times) == 0)
        return 0;
    return error_errno(err, -errno, "time of '%s'", upload->target.real);
}

/* The first bytes, from the file that will be replaced. */
static int commit_old(const struct upload *upload, struct error *err)
{
    const struct path_target *target = &upload->target;
    AUTO_FREE uint8_t *step = NULL;
    AUTO_CLOSE int old = -1;
    int64_t at = 0;
    int r = 0;

    if (upload->from == 0 || upload->file.kept)
        return 0;
    old = openat(target->dir, target->name,
                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (old < 0)
        return error_errno(err, -errno, "'%s'", target->real);
    step = malloc(COPY_STEP);
    while (step && r == 0 && at < upload->from) {
        int64_t left = upload->from - at;
        int64_t got = fd_pread_full(
            old, step, left < COPY_STEP ? (size_t) left : COPY_STEP, at);

        if (got < 0)
            return error_errno(err, (int) got, "reading '%s'", target->real);
        if (got == 0)
            return error_set(err, -EIO, "'%s' became shorter", target->real);
        r = fd_pwrite_all(upload->file.fd, step, (size_t) got, at);
        at += got;
    }
    return step && r == 0
               ? 0
               : error_errno(err, step ? r : -ENOMEM, "'%s'", target->real);
}

/* The digest of all of it, when a part was there before. */
static int commit_sum(struct upload *upload, struct error *err)
{
    int64_t done;

    if (!upload->digest_at_end)
        return 0;
    done = digest_file(upload->kind, upload->file.fd, upload->size,
                       upload->sum);
    if (done != upload->size)
        return error_errno(err, done < 0 ? (int) done : -EIO, "reading '%s'",
                           upload->target.real);
    if (!upload_differs(upload))
        return 0;
    return error_set(err, STATUS_FILE_OPERATION_FAILED,
                     "the content is not the one announced (%s %s)",
                     upload_digest_name(upload), upload->sum);
}

static int commit_durable(const struct upload *upload, int fd,
                          const char *what, struct error *err)
{
    if (upload->durable_later || fsync(fd) == 0)
        return 0;
    return error_errno(err, -errno, "fsync of %s'%s'", what,
                       upload->target.real);
}

static int commit_name(struct upload *upload, struct error *err)
{
    int r = newfile_place(&upload->file, upload->target.name,
                          upload->overwrite);

    return r < 0 ? error_errno(err, r, "'%s'", upload->target.real) : 0;
}

/* Holes at the end have no byte that would make the file long enough. */
static int commit_size(const struct upload *upload, struct error *err)
{
    if (!upload->sparse || ftruncate(upload->file.fd, upload->size) == 0)
        return 0;
    return error_errno(err, -errno, "size of '%s'", upload->target.real);
}

static int commit_all(struct upload *upload, struct error *err)
{
    int r = commit_size(upload, err);

    if (r == 0)
        r = commit_old(upload, err);
    if (r == 0)
        r = commit_sum(upload, err);
    if (r == 0)
        r = commit_owner(upload, err);
    if (r == 0)
        r = commit_time(upload, err);
    if (r == 0)
        r = commit_durable(upload, upload->file.fd, "", err);
    if (r == 0)
        r = upload_preconditions(upload, err);
    if (r == 0)
        r = commit_name(upload, err);
    if (r == 0)
        r = commit_durable(upload, upload->target.dir, "the folder of ", err);
    return r;
}

static void commit(void *arg, void *report)
{
    struct upload *upload = arg;
    struct verdict *verdict = report;
    struct error err = ERROR_INIT;

    verdict->code = commit_all(upload, &err);
    snprintf(verdict->message, sizeof(verdict->message), "%.511s",
             err.message);
    memcpy(verdict->sum, upload->sum, sizeof(verdict->sum));
}

/* --- in the agent --------------------------------------------------------- */

/* Whoever still has the words of the upload does not hold its file: that may
 * be replaced and removed by now. */
static void release(struct upload *upload)
{
    struct stat st;

    if (fstat(upload->file.fd, &st) == 0)
        etag_make(&st, upload->etag);
    upload->file.temp[0] = '\0'; /* may be another's by now */
    newfile_close(&upload->file);
    fd_close(&upload->target.dir);
}

/* Nor does it hold the room of what has failed.  A part has a name in its
 * folder, by which it is gone on with, or removed. */
static void release_failed(struct upload *upload)
{
    if (upload->file.kept) {
        fd_close(&upload->file.fd);
    } else {
        newfile_close(&upload->file);
        fd_close(&upload->target.dir);
    }
}

static void committed(void *arg, const void *report)
{
    struct upload *upload = arg;
    const struct verdict *verdict = report;
    struct error err = ERROR_INIT;
    int r = verdict ? verdict->code : -EIO;

    upload->worker = NULL;
    if (!upload->done) {
        upload_free(upload);
        return;
    }
    if (verdict)
        memcpy(upload->sum, verdict->sum, sizeof(upload->sum));
    if (!r) {
        release(upload);
    } else {
        release_failed(upload);
        error_set(&err, r, "%s",
                  verdict ? verdict->message : "the worker died");
    }
    upload->done(upload->arg, r, &err);
}

/* What is not to be durable takes no longer than a fork, unless there is
 * something to read. */
static bool commit_at_once(const struct upload *upload)
{
    return upload->durable_later && upload->from == 0;
}

int upload_commit(struct upload *upload, struct procs *procs,
                  upload_done *done, void *arg, struct error *err)
{
    uint8_t report[WORKER_REPORT_MAX] = { 0 };
    int r = 0;

    upload->done = done;
    upload->arg = arg;
    upload_sum(upload);
    if (commit_at_once(upload)) {
        commit(upload, report);
        committed(upload, report);
    } else {
        r = worker_start(procs, commit, committed, upload, &upload->worker);
    }
    return r < 0 ? error_errno(err, r, "worker") : 0;
}
