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
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

/* Read by the signal handler: the file to remove.  Changed only while the
 * signals are blocked. */
static char doomed[PATH_MAX];

static const int deadly[] = { SIGINT, SIGTERM, SIGHUP };

static void die(int number)
{
    if (*doomed)
        unlink(doomed);
    /* Die of the signal itself, so that a shell sees why. */
    signal(number, SIG_DFL);
    raise(number);
}

static void doomed_set(const char *path)
{
    struct sigaction action = { .sa_handler = die };

    snprintf(doomed, sizeof(doomed), "%s", path);
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

/* "FOLDER/.vsrpc-XXXXXX": beside the target, so that a rename is enough. */
static char *template_of(const char *final)
{
    const char *slash = strrchr(final, '/');
    char *path = NULL;
    int folder = slash ? (int) (slash - final) + 1 : 0;

    if (asprintf(&path, "%.*s.vsrpc-XXXXXX", folder, final) < 0)
        return NULL;
    return path;
}

static int create(struct tempfile *file, struct error *err)
{
    sigset_t before;
    int r = 0;

    file->path = template_of(file->final);
    if (!file->path || strlen(file->path) >= sizeof(doomed))
        return error_errno(err, file->path ? -ENAMETOOLONG : -ENOMEM,
                           "file '%s'", file->final);
    deadly_block(&before);
    file->fd = mkostemp(file->path, O_CLOEXEC);
    if (file->fd < 0) {
        r = error_errno(err, -errno, "file '%s'", file->final);
        free(file->path);
        file->path = NULL;
    } else {
        doomed_set(file->path);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return r;
}

int tempfile_open(struct tempfile *file, const char *path, struct error *err)
{
    struct stat st;

    *file = (struct tempfile) TEMPFILE_INIT;
    if (strcmp(path, "-") == 0) {
        file->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
        return file->fd < 0 ? error_errno(err, -errno, "standard output")
                            : 0;
    }
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        file->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return file->fd < 0 ? error_errno(err, -errno, "file '%s'", path) : 0;
    }
    file->final = realpath(path, NULL);
    if (!file->final)
        file->final = strdup(path);
    if (!file->final)
        return error_errno(err, -ENOMEM, "file '%s'", path);
    return create(file, err);
}

/* The process's umask can only be read by setting it. */
static mode_t mode_of_new_file(void)
{
    mode_t mask = umask(022);

    umask(mask);
    return 0666 & ~mask;
}

/* Forgets the path, removing the file or not. */
static void forget(struct tempfile *file, bool remove)
{
    sigset_t before;

    if (!file->path)
        return;
    deadly_block(&before);
    if (remove)
        unlink(file->path);
    *doomed = '\0';
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(file->path);
    file->path = NULL;
}

int tempfile_commit(struct tempfile *file, struct error *err)
{
    int fd = steal_fd(&file->fd);

    if (file->path && fchmod(fd, mode_of_new_file()) < 0) {
        int code = -errno;

        fd_close(&fd);
        return error_errno(err, code, "file '%s'", file->final);
    }
    /* close(2) is where a network file system reports a full disk. */
    if (close(fd) < 0 && errno != EINTR)
        return error_errno(err, -errno, "file '%s'",
                           file->final ? file->final : "-");
    if (!file->path)
        return 0;
    if (rename(file->path, file->final) < 0)
        return error_errno(err, -errno, "file '%s'", file->final);
    forget(file, false);
    return 0;
}

void tempfile_close(struct tempfile *file)
{
    fd_close(&file->fd);
    forget(file, true);
    free(file->final);
    file->final = NULL;
}
