/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/tempfile.h"

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
        if (sigaction(deadly[i], NULL, &old) == 0
            && old.sa_handler == SIG_DFL)
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

/* "FOLDER/NAME" taken apart: whatever is moved meanwhile, the file will be in
 * this folder. */
static int find_in(struct tempfile *file, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder
        = !slash          ? strdup(".")
          : slash == path ? strdup("/")
                          : strndup(path, (size_t) (slash - path));

    file->path = strdup(path);
    file->name = strdup(slash ? slash + 1 : path);
    if (!folder || !file->path || !file->name)
        return error_errno(err, -ENOMEM, "file '%s'", path);
    file->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->dir < 0 && errno == EACCES) /* one may write, but not look */
        file->dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return file->dir < 0 ? error_errno(err, -errno, "file '%s'", path) : 0;
}

int tempfile_find(struct tempfile *file, const char *path, struct error *err)
{
    AUTO_FREE char *real = NULL;
    struct stat st;

    *file = (struct tempfile) TEMPFILE_INIT;
    if (strcmp(path, "-") == 0)
        return find_direct(file, fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0),
                           "standard output", err);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return error_errno(err, -EISDIR, "file '%s'", path);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return find_direct(file, open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY),
                           path, err);
    real = realpath(path, NULL);
    return find_in(file, real ? real : path, err);
}

int tempfile_find_at(struct tempfile *file, int dir, const char *name,
                     const char *path, struct error *err)
{
    *file = (struct tempfile) TEMPFILE_INIT;
    file->path = strdup(path);
    file->name = strdup(name);
    file->dir = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    if (!file->path || !file->name || file->dir < 0)
        return error_errno(err, -ENOMEM, "file '%s'", path);
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
