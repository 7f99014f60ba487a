/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Opens a port by its path in /dev or, without udev, by its name in sysfs.  A
 * port that is missing is waited for with inotify(7), not looked for at
 * intervals.
 */
#include <config.h>

#include "guest/port/port_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/fd.h"

#define SYSFS_PORTS "/sys/class/virtio-ports"
#define PORT_NAME_MAX 128 /* of a port's name; QEMU allows fewer */

static int device_open(const char *path)
{
    int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* Does the device (vport0p1) carry the port of this name? */
static int sysfs_name_is(const char *device, const char *name)
{
    char path[PATH_MAX];
    struct buf text;
    char *line;
    int same = 0;

    snprintf(path, sizeof(path), SYSFS_PORTS "/%s/name", device);
    buf_init(&text, PORT_NAME_MAX);
    if (fd_slurp(path, &text) == 0 && (line = buf_cstr(&text))) {
        line[strcspn(line, "\n")] = '\0';
        same = strcmp(line, name) == 0;
    }
    buf_free(&text);
    return same;
}

static int sysfs_find(const char *name)
{
    DIR *ports = opendir(SYSFS_PORTS);
    char path[PATH_MAX];
    struct dirent *entry;
    int fd = -ENOENT;

    if (!ports)
        return -ENOENT;
    while (fd == -ENOENT && (entry = readdir(ports))) {
        if (entry->d_name[0] == '.' || !sysfs_name_is(entry->d_name, name))
            continue;
        snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
        fd = device_open(path);
    }
    closedir(ports);
    return fd;
}

int port_find(const char *path)
{
    const char *name = strrchr(path, '/');
    int fd = device_open(path);

    if (fd != -ENOENT)
        return fd;
    return sysfs_find(name ? name + 1 : path);
}

int port_watch_open(void)
{
    return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

void port_watch_add(int fd, const char *path)
{
    const char *cut = strrchr(path, '/');
    char folder[PATH_MAX];

    inotify_add_watch(fd, "/dev", IN_CREATE | IN_MOVED_TO | IN_ATTRIB);
    if (!cut || cut == path)
        return;
    snprintf(folder, sizeof(folder), "%.*s", (int) (cut - path), path);
    inotify_add_watch(fd, folder, IN_CREATE | IN_MOVED_TO | IN_ATTRIB);
}

void port_watch_drain(int fd)
{
    char events[4096];

    while (read(fd, events, sizeof(events)) > 0)
        ;
}
