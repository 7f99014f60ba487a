/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Control groups through cgroupfs and clone3(2), which is called directly,
 * because the C library has no function for CLONE_INTO_CGROUP.  Linux before
 * 5.14 has no cgroup.kill: there each process is signalled, again and again.
 */
#include <config.h>

#include "guest/proc/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

#define PREFIX "job-"

/* /proc/self/cgroup has a line for each hierarchy of version 1, and paths. */
#define CGROUP_FILE_MAX (64 * 1024)

/* Processes that make new ones while they are signalled one by one. */
#define WALKS 10

/* --- the agent's own ------------------------------------------------------ */

/* The path behind "0::", to be freed; NULL: none. */
static char *own_path(void)
{
    struct buf text;
    const char *line;
    char *path = NULL;

    buf_init(&text, CGROUP_FILE_MAX);
    line = fd_slurp("/proc/self/cgroup", &text) == 0 ? buf_cstr(&text) : NULL;
    while (line && strncmp(line, "0::", 3) != 0) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    if (line)
        path = strndup(line + 3, strcspn(line + 3, "\n"));
    buf_free(&text);
    return path;
}

/* Where cgroup2 is mounted, to be freed; NULL: nowhere. */
static char *mount_point(void)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    const struct mntent *mount;
    char *point = NULL;

    if (!mounts)
        return NULL;
    while (!point && (mount = getmntent(mounts)))
        if (strcmp(mount->mnt_type, "cgroup2") == 0)
            point = strdup(mount->mnt_dir);
    endmntent(mounts);
    return point;
}

static int own_open(void)
{
    AUTO_FREE char *path = own_path();
    AUTO_FREE char *point = path ? mount_point() : NULL;
    AUTO_FREE char *folder = NULL;

    if (!point || asprintf(&folder, "%s%s", point, path) < 0) {
        folder = NULL;
        return -1;
    }
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Another agent may have made it just now, for a program that is not in it yet:
 * the name has its process. */
static bool is_anothers(const char *name)
{
    pid_t maker = (pid_t) strtol(name + strlen(PREFIX), NULL, 10);

    return maker > 0 && maker != getpid() && kill(maker, 0) == 0;
}

/* Removes those that nobody is in. */
static void sweep(struct cgroups *cgroups)
{
    int fd = openat(cgroups->own, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    cgroups->unremoved = false;
    if (!folder) {
        fd_close(&fd);
        return;
    }
    while ((entry = readdir(folder)))
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0
            && !is_anothers(entry->d_name)
            && unlinkat(cgroups->own, entry->d_name, AT_REMOVEDIR) < 0)
            cgroups->unremoved = true;
    closedir(folder);
}

void cgroups_init(struct cgroups *cgroups)
{
    *cgroups = (struct cgroups) { .own = own_open() };
    if (cgroups->own >= 0)
        sweep(cgroups);
}

void cgroups_free(struct cgroups *cgroups)
{
    if (cgroups->own >= 0 && cgroups->unremoved)
        sweep(cgroups);
    fd_close(&cgroups->own);
    cgroups->unremoved = false;
}

/* --- those of commands ---------------------------------------------------- */

void cgroup_make(struct cgroups *cgroups, const char *name,
                 struct cgroup *cgroup)
{
    *cgroup = (struct cgroup) CGROUP_NONE;
    if (!cgroups || cgroups->own < 0)
        return;
    if (cgroups->unremoved)
        sweep(cgroups);
    if (name)
        snprintf(cgroup->name, sizeof(cgroup->name), PREFIX "%d-%s",
                 (int) getpid(), name);
    else
        snprintf(cgroup->name, sizeof(cgroup->name), PREFIX "%d-%u",
                 (int) getpid(), ++cgroups->made);
    if (mkdirat(cgroups->own, cgroup->name, 0755) == 0)
        cgroup->folder = openat(cgroups->own, cgroup->name,
                                O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    else if (errno == EROFS || errno == EACCES || errno == EPERM)
        fd_close(&cgroups->own);
    if (cgroup->folder < 0 && cgroups->own >= 0)
        unlinkat(cgroups->own, cgroup->name, AT_REMOVEDIR);
}

void cgroup_remove(struct cgroups *cgroups, struct cgroup *cgroup)
{
    if (cgroup->folder < 0)
        return;
    fd_close(&cgroup->folder);
    if (unlinkat(cgroups->own, cgroup->name, AT_REMOVEDIR) < 0
        && errno != ENOENT)
        cgroups->unremoved = true;
}

/* Without the C library's help: its functions know no cgroups, and its header
 * may be older than the call. */
struct clone3_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack,
        stack_size, tls, set_tid, set_tid_size, cgroup;
};

#define INTO_CGROUP UINT64_C(0x200000000) /* CLONE_INTO_CGROUP */

bool cgroup_is_known(void)
{
    struct buf text;
    bool known;

    buf_init(&text, CGROUP_FILE_MAX);
    known = fd_slurp("/proc/filesystems", &text) == 0 && buf_cstr(&text)
            && strstr(buf_cstr(&text), "\tcgroup2\n");
    buf_free(&text);
    return known;
}

/* A kernel that knows the flag refuses what is no descriptor; one that does not
 * refuses so many arguments (E2BIG), or the call. */
bool cgroup_forks(void)
{
    const struct cgroup none = CGROUP_NONE;

    return cgroup_fork(&none, false) == -EINVAL;
}

pid_t cgroup_fork(const struct cgroup *cgroup, bool wait)
{
#ifdef SYS_clone3
    struct clone3_args args = {
        .flags = INTO_CGROUP | (wait ? CLONE_VFORK : 0),
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t) cgroup->folder,
    };
    long pid = syscall(SYS_clone3, &args, sizeof(args));

    return pid < 0 ? -errno : (pid_t) pid;
#else
    (void) cgroup;
    (void) wait;
    return -ENOSYS;
#endif
}

static int write_file(const struct cgroup *cgroup, const char *file,
                      const char *text)
{
    int fd = openat(cgroup->folder, file, O_WRONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -1;
    n = write(fd, text, strlen(text));
    close(fd);
    return n < 0 ? -1 : 0;
}

int cgroup_enter(const struct cgroup *cgroup)
{
    return write_file(cgroup, "cgroup.procs", "0"); /* "0": who writes */
}

/* Return: how many there were. */
static int signal_each(const struct cgroup *cgroup, int number, pid_t but)
{
    int fd = openat(cgroup->folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *processes = fd < 0 ? NULL : fdopen(fd, "re");
    int pid;
    int n = 0;

    if (!processes) {
        fd_close(&fd);
        return 0;
    }
    for (; fscanf(processes, "%d", &pid) == 1; n++)
        if (pid > 0 && (!but || getpgid(pid) != but)) /* 0: not in our
                                                       * namespace */
            kill(pid, number);
    fclose(processes);
    return n;
}

void cgroup_signal(const struct cgroup *cgroup, int number, pid_t but)
{
    if (cgroup->folder >= 0)
        signal_each(cgroup, number, but);
}

void cgroup_kill(const struct cgroup *cgroup)
{
    if (cgroup->folder < 0 || write_file(cgroup, "cgroup.kill", "1") == 0)
        return;
    /* Linux before 5.14.  One that was killed may be in the list still. */
    for (int i = 0; i < WALKS && signal_each(cgroup, SIGKILL, 0) > 0; i++)
        ;
}
