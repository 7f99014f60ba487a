/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/etag.h"
#include "guest/owner.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/newfile.h"
#include "util/num.h"

#define NEW_FILE_MODE 0644
#define ID_KEEP ((int64_t) -1) /* as for chown(2) */

#define COPY_STEP (256 * 1024)

struct upload {
    struct path_target target;
    struct newfile file;
    int64_t size;
    int64_t from; /* what was there already */
    unsigned int mode;
    char *owner;
    char *group;
    struct timespec mtime; /* tv_nsec UTIME_OMIT: as it comes */
    char *if_match;
    char *if_none_match;
    bool overwrite;
    bool hasty;
    bool sparse;
    enum digest_kind kind;
    struct digest *digest;    /* NULL: none, or not before the end */
    bool digest_at_end;       /* what was there is to be read, too */
    char sum[DIGEST_HEX_MAX]; /* "": the digest goes on */
    char expected[DIGEST_HEX_MAX]; /* "": anything */
    int64_t marked_size;
    struct digest *marked_digest;
    bool marked;

    char etag[ETAG_MAX];   /* of the file in its place; "" */
    struct worker *worker; /* while it is put in place */
    upload_done *done;     /* NULL then: nobody waits any more */
    void *arg;
};

/* What the worker reports. */
struct verdict {
    int code; /* 0, positive enum status_code or negative errno */
    char sum[DIGEST_HEX_MAX];
    char message[512];
};

_Static_assert(sizeof(struct verdict) <= WORKER_REPORT_MAX,
               "a verdict fits the report");

/* --- beginning ------------------------------------------------------------ */

static int copy_string(char **into, const char *text)
{
    if (!text)
        return 0;
    *into = strdup(text);
    return *into ? 0 : -ENOMEM;
}

static int copy_strings(struct upload *upload,
                        const struct upload_options *options)
{
    if (copy_string(&upload->owner, options->owner) < 0
        || copy_string(&upload->group, options->group) < 0
        || copy_string(&upload->if_match, options->if_match) < 0
        || copy_string(&upload->if_none_match, options->if_none_match) < 0)
        return -ENOMEM;
    return 0;
}

static int options_take(struct upload *upload,
                        const struct upload_options *options,
                        struct error *err)
{
    const struct path_target *target = &upload->target;

    upload->overwrite = options->overwrite;
    upload->hasty = options->hasty;
    upload->sparse = options->sparse;
    upload->from = upload->size = options->from;
    upload->kind = options->digest;
    upload->digest_at_end = options->digested && options->from > 0;
    upload->mode = target->exists && S_ISREG(target->st.st_mode)
                       ? target->st.st_mode & 07777
                       : NEW_FILE_MODE;
    upload->mtime.tv_nsec = UTIME_OMIT;
    if (options->mode && num_parse_mode(options->mode, &upload->mode) < 0)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'mode' is not an octal file mode: '%s'",
                         options->mode);
    if (options->mtime && num_parse_time(options->mtime, &upload->mtime) < 0)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'mtime' is not a time in seconds: '%s'",
                         options->mtime);
    if (options->digested && !upload->digest_at_end
        && !(upload->digest = digest_new(options->digest)))
        return error_errno(err, -ENOMEM, "digest");
    return copy_strings(upload, options);
}

/* Is the file that is there the one that the client means to replace?
 * (RFC 9110 section 13.2.2) */
static int preconditions(const struct upload *upload, struct error *err)
{
    const struct path_target *target = &upload->target;
    char etag[ETAG_MAX];
    const char *there = NULL;
    struct stat st;

    if (!upload->if_match && !upload->if_none_match)
        return 0;
    if (fstatat(target->dir, target->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        etag_make(&st, etag);
        there = etag;
    }
    if ((!upload->if_match || etag_listed(upload->if_match, there))
        && (!upload->if_none_match
            || !etag_listed(upload->if_none_match, there)))
        return 0;
    return error_set(err, STATUS_PRECONDITION_FAILED, "'%s' %s",
                     target->real,
                     !there             ? "does not exist any more"
                     : upload->if_match ? "has been changed meanwhile"
                                        : "exists");
}

static int target_acceptable(const struct path_target *target,
                             const struct upload_options *options,
                             struct error *err)
{
    if (!target->exists)
        return 0;
    if (!options->overwrite)
        return error_errno(err, -EEXIST, "'%s'", target->real);
    if (S_ISDIR(target->st.st_mode))
        return error_errno(err, -EISDIR, "'%s'", target->real);
    if (!S_ISREG(target->st.st_mode) && !S_ISLNK(target->st.st_mode))
        return error_set(err, STATUS_FILE_OPERATION_FAILED,
                         "'%s' is not a regular file", target->real);
    return 0;
}

/* The first bytes of what will be replaced are copied behind all others. */
static int old_check(const struct upload *upload, struct error *err)
{
    const struct path_target *target = &upload->target;
    int64_t there = target->exists && S_ISREG(target->st.st_mode)
                        ? target->st.st_size
                        : 0;

    if (there >= upload->from)
        return 0;
    return error_set(err, STATUS_INVALID_PARAMS,
                     "the range begins at %" PRId64 ", but '%s' has only %"
                     PRId64 " bytes", upload->from, target->real, there);
}

/* What was there is cut to what the client knows of it. */
static int part_cut(const struct upload *upload, int64_t there,
                    struct error *err)
{
    if (there < upload->from)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "only %" PRId64 " bytes of '%s' are there", there,
                         upload->target.real);
    if (there > upload->from && ftruncate(upload->file.fd, upload->from) < 0)
        return error_errno(err, -errno, "part of '%s'", upload->target.real);
    return 0;
}

static int file_open(struct upload *upload, bool part, struct error *err)
{
    const struct path_target *target = &upload->target;
    int64_t there = 0;
    int r;

    if (part)
        r = newfile_open_part(&upload->file, target->dir, target->name,
                              &there);
    else
        r = newfile_open(&upload->file, target->dir);
    if (r < 0)
        return error_errno(err, r, "temporary file beside '%s'",
                           target->real);
    return part ? part_cut(upload, there, err) : old_check(upload, err);
}

int upload_begin(const struct path_policy *policy, const char *path,
                 const struct upload_options *options, struct upload **upload,
                 struct error *err)
{
    struct upload *made = calloc(1, sizeof(*made));
    int r;

    if (!made)
        return error_errno(err, -ENOMEM, "upload");
    made->file = (struct newfile) NEWFILE_INIT;
    r = path_target(policy, path, &made->target, err);
    if (r == 0)
        r = target_acceptable(&made->target, options, err);
    if (r == 0)
        r = options_take(made, options, err);
    if (r == 0)
        r = preconditions(made, err);
    if (r == 0)
        r = file_open(made, options->part, err);
    if (r) {
        upload_free(made);
        return r;
    }
    *upload = made;
    return 0;
}

/* --- content -------------------------------------------------------------- */

int upload_write(struct upload *upload, const void *bytes, size_t n,
                 struct error *err)
{
    int r = upload->sparse
                ? fd_pwrite_sparse(upload->file.fd, bytes, n, upload->size)
                : fd_pwrite_all(upload->file.fd, bytes, n, upload->size);

    if (r < 0)
        return error_errno(err, r, "writing '%s'", upload->target.real);
    if (upload->digest)
        digest_update(upload->digest, bytes, n);
    upload->size += (int64_t) n;
    return 0;
}

int upload_mark(struct upload *upload, struct error *err)
{
    digest_free(upload->marked_digest);
    upload->marked_digest
        = upload->digest ? digest_copy(upload->digest) : NULL;
    upload->marked_size = upload->size;
    upload->marked = !upload->digest || upload->marked_digest;
    return upload->marked ? 0 : error_errno(err, -ENOMEM, "digest");
}

int upload_rewind(struct upload *upload)
{
    if (!upload->marked)
        return -EINVAL;
    if (ftruncate(upload->file.fd, upload->marked_size) < 0)
        return -errno;
    digest_free(upload->digest);
    upload->digest = steal_ptr(&upload->marked_digest);
    upload->marked = false;
    upload->sum[0] = '\0';
    upload->size = upload->marked_size;
    return 0;
}

static size_t sum_length(enum digest_kind kind)
{
    return kind == DIGEST_MD5 ? 32 : 64;
}

const char *upload_digest_name(const struct upload *upload)
{
    return upload->kind == DIGEST_MD5 ? "md5" : "sha256";
}

enum digest_kind upload_kind(const struct upload *upload)
{
    return upload->kind;
}

const char *upload_etag(const struct upload *upload)
{
    return upload->etag;
}

int upload_expect(struct upload *upload, const char *hex, struct error *err)
{
    size_t n = sum_length(upload->kind);

    if (strlen(hex) != n || strspn(hex, "0123456789abcdef") != n)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'%s' is not %zu lower-case hex digits",
                         upload_digest_name(upload), n);
    snprintf(upload->expected, sizeof(upload->expected), "%s", hex);
    return 0;
}

const char *upload_sum(struct upload *upload)
{
    if (!upload->sum[0] && upload->digest)
        digest_hex(upload->digest, upload->sum);
    return upload->sum;
}

bool upload_differs(struct upload *upload)
{
    return upload->expected[0] && *upload_sum(upload)
           && strcmp(upload_sum(upload), upload->expected) != 0;
}

int64_t upload_size(const struct upload *upload)
{
    return upload->size;
}

const char *upload_path(const struct upload *upload)
{
    return upload->target.real;
}

/* --- the end: in a worker, or at once ------------------------------------- */

static int place_owner(const struct upload *upload, struct error *err)
{
    bool keep = upload->target.exists && S_ISREG(upload->target.st.st_mode);
    int64_t uid = keep ? (int64_t) upload->target.st.st_uid : ID_KEEP;
    int64_t gid = keep ? (int64_t) upload->target.st.st_gid : ID_KEEP;
    int fd = upload->file.fd;

    if (upload->owner && owner_id(upload->owner, &uid) < 0)
        return error_set(err, -EINVAL, "no such user: '%s'", upload->owner);
    if (upload->group && group_id(upload->group, &gid) < 0)
        return error_set(err, -EINVAL, "no such group: '%s'", upload->group);
    if (fchown(fd, (uid_t) uid, (gid_t) gid) < 0)
        return error_errno(err, -errno, "owner of '%s'", upload->target.real);
    /* After the owner: changing that clears the set-id bits. */
    if (fchmod(fd, upload->mode) < 0)
        return error_errno(err, -errno, "mode of '%s'", upload->target.real);
    return 0;
}

static int place_time(const struct upload *upload, struct error *err)
{
    const struct timespec times[]
        = { { .tv_nsec = UTIME_OMIT }, upload->mtime };

    if (upload->mtime.tv_nsec == UTIME_OMIT
        || futimens(upload->file.fd, times) == 0)
        return 0;
    return error_errno(err, -errno, "time of '%s'", upload->target.real);
}

/* The first bytes, from the file that will be replaced. */
static int place_old(const struct upload *upload, struct error *err)
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
        ssize_t got = pread(old, step, left < COPY_STEP ? (size_t) left
                                                        : COPY_STEP, at);

        if (got <= 0)
            return error_set(err, -EIO, "'%s' became shorter", target->real);
        r = fd_pwrite_all(upload->file.fd, step, (size_t) got, at);
        at += got;
    }
    return step && r == 0 ? 0
                          : error_errno(err, step ? r : -ENOMEM, "'%s'",
                                        target->real);
}

/* The digest of all of it, when a part was there before. */
static int place_sum(struct upload *upload, struct error *err)
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

static int place_durable(const struct upload *upload, int fd, const char *what,
                         struct error *err)
{
    if (upload->hasty || fsync(fd) == 0)
        return 0;
    return error_errno(err, -errno, "fsync of %s'%s'", what,
                       upload->target.real);
}

static int place_name(struct upload *upload, struct error *err)
{
    int r = newfile_place(&upload->file, upload->target.name,
                          upload->overwrite);

    return r < 0 ? error_errno(err, r, "'%s'", upload->target.real) : 0;
}

/* Holes at the end have no byte that would make the file long enough. */
static int place_size(const struct upload *upload, struct error *err)
{
    if (!upload->sparse || ftruncate(upload->file.fd, upload->size) == 0)
        return 0;
    return error_errno(err, -errno, "size of '%s'", upload->target.real);
}

static int place_all(struct upload *upload, struct error *err)
{
    int r = place_size(upload, err);

    if (r == 0)
        r = place_old(upload, err);
    if (r == 0)
        r = place_sum(upload, err);
    if (r == 0)
        r = place_owner(upload, err);
    if (r == 0)
        r = place_time(upload, err);
    if (r == 0)
        r = place_durable(upload, upload->file.fd, "", err);
    if (r == 0)
        r = preconditions(upload, err);
    if (r == 0)
        r = place_name(upload, err);
    if (r == 0)
        r = place_durable(upload, upload->target.dir, "the folder of ", err);
    return r;
}

static void place(void *arg, void *report)
{
    struct upload *upload = arg;
    struct verdict *verdict = report;
    struct error err = ERROR_INIT;

    verdict->code = place_all(upload, &err);
    snprintf(verdict->message, sizeof(verdict->message), "%.511s",
             err.message);
    memcpy(verdict->sum, upload->sum, sizeof(verdict->sum));
}

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

static void placed(void *arg, const void *report)
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
    if (verdict && !r)
        release(upload);
    if (r)
        error_set(&err, r, "%s",
                  verdict ? verdict->message : "the worker died");
    upload->done(upload->arg, r, &err);
}

/* What is not to be durable takes no longer than a fork, unless there is
 * something to read. */
static bool place_at_once(const struct upload *upload)
{
    return upload->hasty && upload->from == 0;
}

int upload_commit(struct upload *upload, struct procs *procs,
                  upload_done *done, void *arg, struct error *err)
{
    uint8_t report[WORKER_REPORT_MAX] = { 0 };
    int r = 0;

    upload->done = done;
    upload->arg = arg;
    upload_sum(upload);
    if (place_at_once(upload)) {
        place(upload, report);
        placed(upload, report);
    } else {
        r = worker_start(procs, place, placed, upload, &upload->worker);
    }
    return r < 0 ? error_errno(err, r, "worker") : 0;
}

void upload_free(struct upload *upload)
{
    if (!upload)
        return;
    if (upload->worker) {
        /* It may be about to make the hidden name: free it behind that. */
        upload->done = NULL;
        worker_kill(upload->worker);
        return;
    }
    newfile_close(&upload->file);
    fd_close(&upload->target.dir);
    free(upload->owner);
    free(upload->group);
    free(upload->if_match);
    free(upload->if_none_match);
    digest_free(upload->digest);
    digest_free(upload->marked_digest);
    free(upload);
}

void upload_discard(struct upload *upload)
{
    if (upload)
        upload->file.kept = false;
    upload_free(upload);
}
