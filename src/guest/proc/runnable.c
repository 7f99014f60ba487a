/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * access(2) judges by the real user, so it is asked by a process that becomes
 * the user.  What binfmt_misc may run besides is not known here.
 */
#include <config.h>

#include "guest/proc/runnable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

#define LINE_MAX_BYTES 256 /* of "#!", as the kernel reads it */
#define INTERPRETERS_MAX 5 /* likewise, one behind the other */

/* Return: 0 or negative errno. */
static int may_execute(const struct user *user, const char *path)
{
    pid_t pid = fork();
    int status = 0;

    if (pid < 0)
        return -errno;
    if (pid == 0) {
        if (user
            && (user_take_groups(user) < 0 || user_take_group(user) < 0
                || user_take_id(user) < 0))
            _exit(errno);
        _exit(access(path, X_OK) < 0 ? errno : 0);
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

/* What "#!" names, or "" for what needs nothing.  Return: 0, -ENOEXEC or other
 * negative errno. */
static int interpreter_of(const char *path, char name[LINE_MAX_BYTES])
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char line[LINE_MAX_BYTES] = "";
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
    const char *from = line + 2;

    *name = '\0';
    if (n < 0)
        return errno == EACCES ? 0 : -errno; /* it need not be readable */
    if (n >= 4 && memcmp(line, "\177ELF", 4) == 0)
        return 0;
    if (n < 2 || memcmp(line, "#!", 2) != 0)
        return -ENOEXEC;
    from += strspn(from, " \t");
    snprintf(name, LINE_MAX_BYTES, "%.*s", (int) strcspn(from, " \t\n"), from);
    return *name ? 0 : -ENOEXEC;
}

int runnable(const struct user *user, const char *program, struct error *err)
{
    char name[LINE_MAX_BYTES];
    char path[PATH_MAX];
    int r = 0;

    snprintf(path, sizeof(path), "%s", program);
    for (int i = 0; i <= INTERPRETERS_MAX && r == 0; i++) {
        r = may_execute(user, path);
        if (r < 0)
            return error_set(err, r, "%s%s%s'%s' cannot be run by '%s': %s",
                             i ? "'" : "", i ? program : "",
                             i ? "' asks for " : "", path,
                             user ? user->name : "the agent", strerror(-r));
        r = interpreter_of(path, name);
        if (r == -ENOEXEC)
            return error_set(err, r, "'%s' has no '#!' line and is no program",
                             path);
        if (r == 0 && !*name)
            return 0;
        snprintf(path, sizeof(path), "%s", name);
    }
    return r < 0 ? error_errno(err, r, "'%s'", path)
                 : error_set(err, -ELOOP, "'%s': too many interpreters",
                             program);
}
