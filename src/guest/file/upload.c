/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The first half of an upload: checks target and preconditions (If-Match),
 * opens a file without a name, or the part that an earlier upload left, and
 * writes and digests what comes.
 */
#include <config.h>

#include "guest/file/upload_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/file/etag.h"
#include "guest/policy/guard.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/newfile.h"
#include "util/num.h"

#define NEW_FILE_MODE 0644

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
    upload->overwrite = options->overwrite;
    upload->durable_later = options->durable_later;
    upload->sparse = options->sparse;
    upload->from = upload->size = options->from;
    upload->kind = options->digest;
    upload->digest_at_end = options->digested && options->from > 0;
    upload->mode = NEW_FILE_MODE;
    upload->own_mode = !options->mode || options->keep;
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

int upload_preconditions(const struct upload *upload, struct error *err)
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
    return error_set(err, STATUS_PRECONDITION_FAILED, "'%s' %s", target->real,
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
    /* Any other one has been followed.  To write through this one would make
     * a file where nobody looks for it; cp(1) refuses that as well. */
    if (S_ISLNK(target->st.st_mode))
        return error_set(err, STATUS_FILE_OPERATION_FAILED,
                         "'%s' is a symbolic link that leads to no file",
                         target->real);
    if (!S_ISREG(target->st.st_mode))
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
                     "the range begins at %" PRId64
                     ", but '%s' has only %" PRId64 " bytes",
                     upload->from, target->real, there);
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
        return error_errno(err, r, "temporary file beside '%s'", target->real);
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
        r = guard_mode(policy->guarded, made->mode, err);
    if (r == 0)
        r = upload_preconditions(made, err);
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
    upload->marked_digest = upload->digest ? digest_copy(upload->digest)
                                           : NULL;
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

/* --- the end -------------------------------------------------------------- */

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
