/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * O_TMPFILE and linkat(2), which never replaces a file, or a hidden name and
 * rename(2), which always does.  Where the file system has no links (FAT), a
 * name that must be new is claimed with O_EXCL first.
 */
#include <config.h>

#include "util/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/crypto.h"
#include "util/fd.h"

/* Without O_DIRECTORY: what an older kernel makes of it (EISDIR).  Linux 3.11,
 * glibc 2.19. */
#ifndef O_TMPFILE
#define O_TMPFILE O_DIRECTORY
#endif

#define PART_SUFFIX ".vsrpc-part"

/* A name beside the target that nobody else uses. */
static int random_name(char name[NAME_MAX + 1])
{
    char random[17];

    if (crypto_random_hex(random, 8) < 0)
        return -EIO;
    snprintf(name, NAME_MAX + 1, ".vsrpc-%s.tmp", random);
    return 0;
}

/* ".NAME.vsrpc-part"; of a name that is too long for that, the beginning. */
static void part_name(const char *name, char part[NAME_MAX + 1])
{
    int room = NAME_MAX - (int) sizeof(PART_SUFFIX);

    snprintf(part, NAME_MAX + 1, ".%.*s%s", room, name, PART_SUFFIX);
}

int newfile_open(struct newfile *file, int dir)
{
    int r;

    *file = (struct newfile) { .dir = dir, .fd = -1 };
    r = random_name(file->temp);
    if (r < 0)
        return r;
    file->fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    file->unnamed = file->fd >= 0;
    if (file->fd < 0)
        file->fd = openat(dir, file->temp,
                          O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC,
                          0600);
    if (file->fd >= 0)
        return 0;
    file->temp[0] = '\0';
    return -errno;
}

/* In proc(5) there are no such files, which only a kernel says that knows of
 * them: another one sees a folder that is to be written to. */
bool newfile_may_be_unnamed(void)
{
    int fd = open("/proc", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    int code = fd < 0 ? errno : 0;

    fd_close(&fd);
    return code == 0 || code == EOPNOTSUPP || code == EACCES || code == EROFS;
}

/* In a folder that others may write to, they may have put something there.
 * What is ours was made by this number, mostly the effective one. */
static int part_judge(int fd, int64_t *size)
{
    uid_t own = (uid_t) setfsuid((uid_t) -1); /* changes nothing */
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != own
        || (st.st_mode & 022))
        return -EPERM;
    *size = st.st_size;
    return 0;
}

static int part_open(int dir, const char *part, int flags, int64_t *size)
{
    int fd = openat(dir, part,
                    flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                    0600);
    int r = fd < 0 ? -errno : part_judge(fd, size);

    if (r < 0) {
        fd_close(&fd);
        return r;
    }
    return fd;
}

int newfile_open_part(struct newfile *file, int dir, const char *name,
                      int64_t *size)
{
    *file = (struct newfile) { .dir = dir, .fd = -1 };
    part_name(name, file->temp);
    file->fd = part_open(dir, file->temp, O_CREAT | O_RDWR, size);
    if (file->fd < 0) {
        file->temp[0] = '\0';
        return file->fd;
    }
    file->kept = true;
    return 0;
}

int newfile_find_part(int dir, const char *name, int64_t *size)
{
    char part[NAME_MAX + 1];

    part_name(name, part);
    return part_open(dir, part, O_RDONLY, size);
}

/* Gives the unnamed file a name; see linkat(2), the note on AT_EMPTY_PATH. */
static int link_as(const struct newfile *file, const char *name)
{
    char link[64];

    if (!file->unnamed)
        return linkat(file->dir, file->temp, file->dir, name, 0);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file->fd);
    return linkat(AT_FDCWD, link, file->dir, name, AT_SYMLINK_FOLLOW);
}

static int rename_temp(const struct newfile *file, const char *name)
{
    return renameat(file->dir, file->temp, file->dir, name);
}

/* Where the file system knows no links (FAT): claims the name, then takes
 * its place. */
static int claim_name(const struct newfile *file, const char *name)
{
    int fd = openat(file->dir, name,
                    O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    int saved;

    if (fd < 0)
        return -1;
    close(fd);
    if (rename_temp(file, name) == 0)
        return 0;
    saved = errno;
    unlinkat(file->dir, name, 0);
    errno = saved;
    return -1;
}

/* A link never replaces, a rename always does: each is what one case needs.
 * Return: 0 or -1 with errno. */
static int place(struct newfile *file, const char *name, bool overwrite)
{
    if (!file->unnamed && overwrite)
        return rename_temp(file, name);
    if (link_as(file, name) == 0) {
        if (!file->unnamed) /* else it never had another one */
            unlinkat(file->dir, file->temp, 0);
        return 0;
    }
    if (errno != EEXIST)
        return file->unnamed ? -1 : claim_name(file, name);
    if (!overwrite || link_as(file, file->temp) < 0)
        return -1;
    file->unnamed = false;
    return rename_temp(file, name);
}

int newfile_place(struct newfile *file, const char *name, bool overwrite)
{
    if (place(file, name, overwrite) < 0)
        return -errno;
    file->temp[0] = '\0';
    file->kept = false;
    return 0;
}

bool newfile_stays(const struct newfile *file)
{
    struct stat st;

    return file->kept && file->temp[0] && fstat(file->fd, &st) == 0
           && st.st_nlink > 0 && st.st_size > 0;
}

void newfile_close(struct newfile *file)
{
    /* not there when it was unnamed */
    if (file->temp[0] && !newfile_stays(file))
        unlinkat(file->dir, file->temp, 0);
    file->temp[0] = '\0';
    fd_close(&file->fd);
}

void newfile_drop(struct newfile *file)
{
    file->kept = false;
    newfile_close(file);
}
