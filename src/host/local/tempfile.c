/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Finds the place, begins the file and commits it.  A signal handler removes
 * what is not committed by unlinkat(2); the name that it needs is changed only
 * while the signals are blocked.
 */
#include <config.h>

#include "host/local/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"
#include "util/num.h"
#include "util/replaced.h"

#define LINKS_MAX 40 /* as many as the kernel follows */

/* Read by the signal handler: the file to remove.  Changed only while the
 * signals are blocked. */
static struct {
    int dir;
    char name[NAME_MAX + 1];
} doomed;

static const int deadly[] = { SIGINT, SIGTERM, SIGHUP };

static void die(int number)
{
    if (*doomed.name)
        unlinkat(doomed.dir, doomed.name, 0);
    /* Die of the signal itself, so that a shell sees why. */
    signal(number, SIG_DFL);
    raise(number);
}

static void doomed_set(const struct newfile *file)
{
    struct sigaction action = { .sa_handler = die };

    doomed.dir = file->dir;
    snprintf(doomed.name, sizeof(doomed.name), "%s", file->temp);
    for (size_t i = 0; i < ARRAY_SIZE(deadly); i++) {
        struct sigaction old;

        /* nohup(1) and friends stay in force. */
        if (sigaction(deadly[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(deadly[i], &action, NULL);
    }
}

static void deadly_block(sigset_t *before)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
        sigaddset(&set, deadly[i]);
    sigprocmask(SIG_BLOCK, &set, before);
}

static int find_direct(struct tempfile *file, int fd, const char *what,
                       struct error *err)
{
    int code = -errno;

    file->direct = fd;
    file->path = strdup(what);
    return fd < 0 ? error_errno(err, code, "%s", what) : 0;
}

/* Return: owned; NULL: no memory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return !slash          ? strdup(".")
           : slash == path ? strdup("/")
                           : strndup(path, (size_t) (slash - path));
}

/* "FOLDER/NAME" taken apart: whatever is moved meanwhile, the file will be in
 * this folder. */
static int find_in(struct tempfile *file, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = folder_of(path);

    file->path = strdup(path);
    file->name = strdup(slash ? slash + 1 : path);
    if (!folder || !file->path || !file->name)
        return error_errno(err, -ENOMEM, "file '%s'", path);
    file->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->dir < 0 && errno == EACCES) /* one may write, but not look */
        file->dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return file->dir < 0 ? error_errno(err, -errno, "file '%s'", path) : 0;
}

/* Is the folder of an entry that of our descriptors?  That one is held open:
 * the kernel gives it another number when nobody has it. */
static bool in_descriptors(const char *path)
{
    AUTO_FREE char *folder = folder_of(path);
    AUTO_CLOSE int own = open("/proc/self/fd", O_PATH | O_CLOEXEC);
    struct stat there, ours;

    return folder && own >= 0 && fstat(own, &ours) == 0
           && stat(folder, &there) == 0 && there.st_dev == ours.st_dev
           && there.st_ino == ours.st_ino;
}

/* Where a link leads, from its own folder.  Return: owned; NULL: it is none,
 * or there is no memory. */
static char *link_to(const char *path)
{
    AUTO_FREE char *folder = folder_of(path);
    char target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    char *joined;

    if (!folder || n <= 0)
        return NULL;
    target[n] = '\0';
    if (target[0] == '/')
        return strdup(target);
    return asprintf(&joined, "%s/%s", folder, target) < 0 ? NULL : joined;
}

int tempfile_descriptor(const char *path)
{
    AUTO_FREE char *at = strdup(strcmp(path, "-") == 0 ? "/proc/self/fd/1"
                                                       : path);

    for (int i = 0; at && i < LINKS_MAX; i++) {
        const char *name = strrchr(at, '/');
        int64_t number;
        char *next;

        if (name && in_descriptors(at)
            && num_parse(name + 1, 0, INT_MAX, &number) == 0)
            return (int) number;
        next = link_to(at);
        free(at);
        at = next;
    }
    return -1;
}

bool tempfile_is_direct(const char *path)
{
    struct stat st;

    return tempfile_descriptor(path) >= 0
           || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)
               && !S_ISDIR(st.st_mode));
}

int tempfile_find(struct tempfile *file, const char *path, struct error *err)
{
    int descriptor = tempfile_descriptor(path);
    AUTO_FREE char *real = NULL;
    struct stat st;

    *file = (struct tempfile) TEMPFILE_INIT;
    if (descriptor >= 0)
        return find_direct(
            file, fcntl(descriptor, F_DUPFD_CLOEXEC, 0),
            descriptor == STDOUT_FILENO ? "standard output" : path, err);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return error_errno(err, -EISDIR, "file '%s'", path);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return find_direct(file, open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY),
                           path, err);
    real = realpath(path, NULL);
    if (!real && lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        return error_set(err, -ENOENT,
                         "'%s' is a symbolic link that leads to no file",
                         path);
    return find_in(file, real ? real : path, err);
}

int tempfile_find_at(struct tempfile *file, int dir, const char *name,
                     const char *path, struct error *err)
{
    struct stat st;

    *file = (struct tempfile) TEMPFILE_INIT;
    file->path = strdup(path);
    file->name = strdup(name);
    file->dir = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    if (!file->path || !file->name || file->dir < 0)
        return error_errno(err, -ENOMEM, "file '%s'", path);
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0
        && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)
        && !S_ISDIR(st.st_mode))
        return error_set(err, -EEXIST, "'%s' is no regular file here", path);
    return 0;
}

int tempfile_begin(struct tempfile *file, bool part, int64_t *there,
                   struct error *err)
{
    sigset_t before;
    int r;

    *there = 0;
    if (file->direct >= 0) {
        file->fd = file->direct;
        return 0;
    }
    deadly_block(&before);
    r = part ? newfile_open_part(&file->file, file->dir, file->name, there)
             : newfile_open(&file->file, file->dir);
    if (r == 0 && !file->file.unnamed && !(part && file->firm))
        doomed_set(&file->file);
    sigprocmask(SIG_SETMASK, &before, NULL);
    file->fd = file->file.fd;
    return r < 0 ? error_errno(err, r, "file '%s'", file->path) : 0;
}

bool tempfile_exists(const struct tempfile *file)
{
    struct stat st;

    return file->name
           && fstatat(file->dir, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The process's umask can only be read by setting it. */
mode_t tempfile_new_mode(void)
{
    mode_t mask = umask(022);

    umask(mask);
    return 0666 & ~mask;
}

static int finish(const struct tempfile *file,
                  const struct tempfile_options *options)
{
    mode_t mode = options->mode ? *options->mode : tempfile_new_mode();
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
    int old = replaced_leave(file->dir, file->name, file->fd);

    if (old < 0 && old != -ENOENT)
        return old;
    if (old >= 0 && (!options->mode || options->own_mode))
        mode = (mode_t) old;
    if (fchmod(file->fd, mode) < 0)
        return -errno;
    if (options->mtime) {
        times[1] = *options->mtime;
        if (futimens(file->fd, times) < 0)
            return -errno;
    }
    return options->durable && fsync(file->fd) < 0 ? -errno : 0;
}

/* Takes the name; a signal that comes meanwhile finds nothing to remove. */
static int take_place(struct tempfile *file,
                      const struct tempfile_options *options)
{
    sigset_t before;
    int r;

    deadly_block(&before);
    r = newfile_place(&file->file, file->name, !options->keep_old);
    if (r == 0)
        *doomed.name = '\0';
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (r == 0 && options->durable && fsync(file->dir) < 0
        && errno != EBADF) /* O_PATH */
        r = -errno;
    return r;
}

int tempfile_commit(struct tempfile *file,
                    const struct tempfile_options *options, struct error *err)
{
    int r;

    if (file->direct >= 0) {
        file->fd = -1;
        r = close(steal_fd(&file->direct)) < 0 && errno != EINTR ? -errno : 0;
        return r < 0 ? error_errno(err, r, "%s", file->path) : 0;
    }
    r = finish(file, options);
    if (r == 0)
        r = take_place(file, options);
    /* close(2) is where a network file system reports a full disk; one that
     * was to be durable has said so before. */
    file->fd = -1;
    if (r == 0 && close(steal_fd(&file->file.fd)) < 0 && errno != EINTR)
        r = -errno;
    return r < 0 ? error_errno(err, r, "file '%s'", file->path) : 0;
}

void tempfile_close(struct tempfile *file)
{
    sigset_t before;

    deadly_block(&before);
    newfile_close(&file->file);
    *doomed.name = '\0';
    sigprocmask(SIG_SETMASK, &before, NULL);
    file->fd = -1;
    fd_close(&file->direct);
    fd_close(&file->dir);
    free(file->name);
    free(file->path);
    file->name = file->path = NULL;
}

void tempfile_drop(struct tempfile *file)
{
    file->file.kept = false;
    tempfile_close(file);
}
