/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/status.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/num.h"

#define NEW_FILE_MODE 0644
#define ID_KEEP ((int64_t) -1) /* as for chown(2) */

struct upload {
    struct path_target target;
    char temp[NAME_MAX + 1]; /* name of the hidden file */
    bool unnamed;            /* it does not have that name (yet) */
    int fd;
    int64_t size;
    unsigned int mode;
    char *owner;
    char *group;
    bool overwrite;
    struct digest *digest;
    char md5[DIGEST_HEX_MAX]; /* "": the digest goes on */
    int64_t marked_size;
    struct digest *marked_digest; /* NULL: no mark */

    struct worker *worker; /* while it is put in place */
    /* NULL then: nobody waits any more */
    void (*done)(void *, int, const char *, const struct error *);
    void *arg;
};

/* What the worker reports. */
struct verdict {
    int code; /* 0 or negative errno */
    char message[512];
};

_Static_assert(sizeof(struct verdict) <= WORKER_REPORT_MAX,
               "a verdict fits the report");

/* A name beside the target that nobody else uses. */
static int temp_name(struct upload *upload)
{
    char random[17];

    if (crypto_random_hex(random, 8) < 0)
        return -EIO;
    snprintf(upload->temp, sizeof(upload->temp), ".vsrpc-%s.tmp", random);
    return 0;
}

/* Without a name the file vanishes with the agent, whatever happens; not
 * every file system can (open(2), O_TMPFILE). */
static int temp_open(struct upload *upload)
{
    int dir = upload->target.dir;
    int r = temp_name(upload);

    if (r < 0)
        return r;
    upload->fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (upload->fd >= 0) {
        upload->unnamed = true;
        return 0;
    }
    upload->fd = openat(dir, upload->temp,
                        O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
                        0600);
    if (upload->fd < 0) {
        upload->temp[0] = '\0';
        return -errno;
    }
    return 0;
}

static int options_take(struct upload *upload,
                        const struct upload_options *options,
                        struct error *err)
{
    const struct path_target *target = &upload->target;

    upload->overwrite = options->overwrite;
    upload->mode = target->exists && S_ISREG(target->st.st_mode)
                       ? target->st.st_mode & 07777
                       : NEW_FILE_MODE;
    if (options->mode && num_parse_mode(options->mode, &upload->mode) < 0)
        return error_set(err, STATUS_INVALID_PARAMS,
                         "'mode' is not an octal file mode: '%s'",
                         options->mode);
    if (options->owner && !(upload->owner = strdup(options->owner)))
        return -ENOMEM;
    if (options->group && !(upload->group = strdup(options->group)))
        return -ENOMEM;
    return 0;
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

int upload_begin(const struct path_policy *policy, const char *path,
                 const struct upload_options *options, struct upload **upload,
                 struct error *err)
{
    struct upload *made = calloc(1, sizeof(*made));
    int r;

    if (!made)
        return error_errno(err, -ENOMEM, "upload");
    made->fd = -1;
    r = path_target(policy, path, &made->target, err);
    if (r == 0)
        r = target_acceptable(&made->target, options, err);
    if (r == 0)
        r = options_take(made, options, err);
    if (r == 0 && !(made->digest = digest_new(DIGEST_MD5)))
        r = error_errno(err, -ENOMEM, "MD5");
    if (r == 0) {
        r = temp_open(made);
        if (r < 0)
            error_errno(err, r, "temporary file beside '%s'",
                        made->target.real);
    }
    if (r) {
        upload_free(made);
        return r;
    }
    *upload = made;
    return 0;
}

int upload_write(struct upload *upload, const void *bytes, size_t n,
                 struct error *err)
{
    int r = fd_write_all(upload->fd, bytes, n);

    if (r < 0)
        return error_errno(err, r, "writing '%s'", upload->target.real);
    digest_update(upload->digest, bytes, n);
    upload->size += (int64_t) n;
    return 0;
}

int upload_mark(struct upload *upload, struct error *err)
{
    digest_free(upload->marked_digest);
    upload->marked_digest = digest_copy(upload->digest);
    upload->marked_size = upload->size;
    return upload->marked_digest ? 0 : error_errno(err, -ENOMEM, "MD5");
}

int upload_rewind(struct upload *upload)
{
    if (!upload->marked_digest)
        return -EINVAL;
    if (ftruncate(upload->fd, upload->marked_size) < 0
        || lseek(upload->fd, upload->marked_size, SEEK_SET) < 0)
        return -errno;
    digest_free(upload->digest);
    upload->digest = steal_ptr(&upload->marked_digest);
    upload->md5[0] = '\0';
    upload->size = upload->marked_size;
    return 0;
}

const char *upload_md5(struct upload *upload)
{
    if (!upload->md5[0])
        digest_hex(upload->digest, upload->md5);
    return upload->md5;
}

int64_t upload_size(const struct upload *upload)
{
    return upload->size;
}

const char *upload_path(const struct upload *upload)
{
    return upload->target.real;
}

/* A number, or a name that a data base of the guest knows. */
static int owner_id(const char *owner, int64_t *id)
{
    struct passwd *entry;

    if (num_parse(owner, 0, UINT32_MAX - 1, id) == 0)
        return 0;
    entry = getpwnam(owner);
    if (!entry)
        return -ENOENT;
    *id = entry->pw_uid;
    return 0;
}

static int group_id(const char *group, int64_t *id)
{
    struct group *entry;

    if (num_parse(group, 0, UINT32_MAX - 1, id) == 0)
        return 0;
    entry = getgrnam(group);
    if (!entry)
        return -ENOENT;
    *id = entry->gr_gid;
    return 0;
}

static int place_owner(struct upload *upload, struct error *err)
{
    bool keep = upload->target.exists && S_ISREG(upload->target.st.st_mode);
    int64_t uid = keep ? (int64_t) upload->target.st.st_uid : ID_KEEP;
    int64_t gid = keep ? (int64_t) upload->target.st.st_gid : ID_KEEP;

    if (upload->owner && owner_id(upload->owner, &uid) < 0)
        return error_set(err, -EINVAL, "no such user: '%s'", upload->owner);
    if (upload->group && group_id(upload->group, &gid) < 0)
        return error_set(err, -EINVAL, "no such group: '%s'", upload->group);
    if (fchown(upload->fd, (uid_t) uid, (gid_t) gid) < 0)
        return error_errno(err, -errno, "owner of '%s'", upload->target.real);
    /* After the owner: changing that clears the set-id bits. */
    if (fchmod(upload->fd, upload->mode) < 0)
        return error_errno(err, -errno, "mode of '%s'", upload->target.real);
    return 0;
}

/* Gives the unnamed file a name; see linkat(2), the note on AT_EMPTY_PATH. */
static int link_as(const struct upload *upload, const char *name)
{
    char link[64];

    if (!upload->unnamed)
        return linkat(upload->target.dir, upload->temp, upload->target.dir,
                      name, 0);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", upload->fd);
    return linkat(AT_FDCWD, link, upload->target.dir, name,
                  AT_SYMLINK_FOLLOW);
}

static int rename_temp(const struct upload *upload)
{
    int dir = upload->target.dir;

    return renameat(dir, upload->temp, dir, upload->target.name);
}

/* Where the file system knows no links (FAT): claims the name, then takes
 * its place. */
static int claim_name(const struct upload *upload)
{
    int dir = upload->target.dir;
    int fd = openat(dir, upload->target.name,
                    O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    int saved;

    if (fd < 0)
        return -1;
    close(fd);
    if (rename_temp(upload) == 0)
        return 0;
    saved = errno;
    unlinkat(dir, upload->target.name, 0);
    errno = saved;
    return -1;
}

/* A link never replaces, a rename always does: each is what one case needs.
 * Return: 0 or -1 with errno. */
static int place_name(const struct upload *upload)
{
    if (!upload->unnamed && upload->overwrite)
        return rename_temp(upload);
    if (link_as(upload, upload->target.name) == 0)
        return 0;
    if (errno != EEXIST)
        return upload->unnamed ? -1 : claim_name(upload);
    if (!upload->overwrite || link_as(upload, upload->temp) < 0)
        return -1;
    return rename_temp(upload);
}

/* In the worker: everything that may take long. */
static void place(void *arg, void *report)
{
    struct upload *upload = arg;
    struct verdict *verdict = report;
    struct error err = ERROR_INIT;

    verdict->code = place_owner(upload, &err);
    if (verdict->code == 0 && fsync(upload->fd) < 0)
        verdict->code = error_errno(&err, -errno, "fsync of '%s'",
                                    upload->target.real);
    if (verdict->code == 0 && place_name(upload) < 0)
        verdict->code = error_errno(&err, -errno, "'%s'",
                                    upload->target.real);
    if (verdict->code == 0 && fsync(upload->target.dir) < 0)
        verdict->code = error_errno(&err, -errno, "fsync of the folder of "
                                    "'%s'", upload->target.real);
    snprintf(verdict->message, sizeof(verdict->message), "%.511s",
             err.message);
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
    if (r < 0)
        error_set(&err, r, "%s",
                  verdict ? verdict->message : "the worker died");
    upload->done(upload->arg, r, upload_md5(upload), &err);
}

int upload_commit(struct upload *upload, struct procs *procs,
                  void (*done)(void *arg, int result, const char *md5,
                               const struct error *err),
                  void *arg, struct error *err)
{
    int r;

    upload->done = done;
    upload->arg = arg;
    r = worker_start(procs, place, placed, upload, &upload->worker);
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
    if (upload->temp[0]) /* not there when it was renamed: no harm */
        unlinkat(upload->target.dir, upload->temp, 0);
    fd_close(&upload->fd);
    fd_close(&upload->target.dir);
    free(upload->owner);
    free(upload->group);
    digest_free(upload->digest);
    digest_free(upload->marked_digest);
    free(upload);
}
