/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Figures from /proc, os-release(5) and statvfs(3).  Only what is mounted from
 * a local disk is asked, because statvfs(3) may hang on a network file system.
 */
#include <config.h>

#include "guest/system/sysinfo.h"

#include <dirent.h>
#include <errno.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/fd.h"

#define PROC_FILE_MAX (1024 * 1024) /* /proc/stat of 4096 processors */
#define DISKS_MAX 256               /* remembered, to show each once */

static int slurp(const char *path, struct buf *text)
{
    buf_init(text, PROC_FILE_MAX);
    return fd_slurp(path, text);
}

int sysinfo_cpu(struct cpu_ticks *ticks)
{
    unsigned long long t[8] = { 0 };
    struct buf text;
    int n = 0;

    /* user nice system idle iowait irq softirq steal; guest time is in user */
    if (slurp("/proc/stat", &text) == 0 && buf_cstr(&text))
        n = sscanf(buf_cstr(&text),
                   "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1],
                   &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]);
    buf_free(&text);
    if (n < 4)
        return -EIO;
    *ticks = (struct cpu_ticks) { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        ticks->total += t[i];
    ticks->busy = ticks->total - t[3] - t[4];
    return 0;
}

/* A line "Name:   123 kB" in bytes; 0 when it is not there. */
static int64_t meminfo_field(const char *text, const char *name)
{
    const char *line = strstr(text, name);

    return line ? strtoll(line + strlen(name), NULL, 10) * 1024 : 0;
}

int sysinfo_memory(int64_t *total, int64_t *available)
{
    struct buf buf;
    const char *text;
    int r = slurp("/proc/meminfo", &buf);

    text = r == 0 ? buf_cstr(&buf) : NULL;
    if (text) {
        *total = meminfo_field(text, "MemTotal:");
        *available = meminfo_field(text, "MemAvailable:");
        if (!*available)
            *available = meminfo_field(text, "MemFree:")
                         + meminfo_field(text, "\nBuffers:")
                         + meminfo_field(text, "\nCached:");
    }
    buf_free(&buf);
    return text ? 0 : -EIO;
}

/* The value of NAME=value or NAME="value" in os-release(5). */
static void os_release_field(const char *text, const char *name, char *value,
                             size_t n)
{
    size_t length = strlen(name);

    value[0] = '\0';
    while (text && *text) {
        if (strncmp(text, name, length) == 0 && text[length] == '=') {
            const char *p = text + length + 1;
            char quote = *p == '"' || *p == '\'' ? *p++ : '\n';

            snprintf(value, n, "%.*s",
                     (int) strcspn(p, (char[]) { quote, '\n', '\0' }), p);
            return;
        }
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
}

void sysinfo_os_version(char *text, size_t n)
{
    struct buf buf;
    char name[128] = "";
    char version[128] = "";

    if (slurp("/etc/os-release", &buf) == 0
        || (buf_free(&buf), slurp("/usr/lib/os-release", &buf) == 0)) {
        const char *all = buf_cstr(&buf);

        os_release_field(all, "NAME", name, sizeof(name));
        os_release_field(all, "VERSION_ID", version, sizeof(version));
    }
    buf_free(&buf);
    snprintf(text, n, "%s%s%s", *name ? name : "unknown", *version ? " " : "",
             version);
}

int64_t sysinfo_processes(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int64_t n = 0;

    if (!proc)
        return 0;
    while ((entry = readdir(proc)))
        n += entry->d_name[0] >= '1' && entry->d_name[0] <= '9';
    closedir(proc);
    return n;
}

/* File systems that have no block device but are disks to people. */
static bool is_disk(const struct mntent *mount)
{
    static const char *const kinds[] = { "zfs", "btrfs", "bcachefs" };

    if (strcmp(mount->mnt_dir, "/") == 0)
        return true; /* whatever it is made of */
    if (strncmp(mount->mnt_fsname, "/dev/", 5) == 0)
        return strncmp(mount->mnt_type, "fuse", 4) != 0
               && strcmp(mount->mnt_type, "squashfs") != 0
               && strcmp(mount->mnt_type, "iso9660") != 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(mount->mnt_type, kinds[i]) == 0)
            return true;
    return false;
}

/* Bind mounts show a device again.  Return: true the first time. */
static bool first_time(dev_t *seen, size_t *n, dev_t device)
{
    for (size_t i = 0; i < *n; i++)
        if (seen[i] == device)
            return false;
    if (*n < DISKS_MAX)
        seen[(*n)++] = device;
    return true;
}

/* As df(1) reckons: of what unprivileged users can use. */
static double used_percent(const struct statvfs *fs)
{
    double used = (double) (fs->f_blocks - fs->f_bfree);
    double usable = used + (double) fs->f_bavail;

    return usable > 0 ? used * 100 / usable : 0;
}

void sysinfo_disks(void (*found)(void *arg, const char *mount_point,
                                 double used),
                   void *arg)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    char strings[4096];
    struct mntent mount;
    dev_t seen[DISKS_MAX];
    size_t n_seen = 0;

    if (!mounts)
        return;
    while (getmntent_r(mounts, &mount, strings, sizeof(strings))) {
        struct statvfs fs;
        struct stat st;

        if (is_disk(&mount) && stat(mount.mnt_dir, &st) == 0
            && statvfs(mount.mnt_dir, &fs) == 0 && fs.f_blocks > 0
            && first_time(seen, &n_seen, st.st_dev))
            found(arg, mount.mnt_dir, used_percent(&fs));
    }
    endmntent(mounts);
}
