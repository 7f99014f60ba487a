/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Removes a tree by openat(2) and unlinkat(2) with a stack of open folders.  A
 * folder too deep for the stack is renamed to the top of the tree; one that
 * others keep filling is given up after a number of passes.
 */
#include <config.h>

#include "guest/file/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/error.h"

/* Whoever fills a folder as fast as it is emptied is let win: after so many
 * looks at it, or so many entries that came after the first one.  Of these a
 * single look may find more and more. */
#define REFILLS_MAX 100
#define NEWCOMERS_MAX 10000

/* A thing that changes from file to folder and back, too. */
#define TURNS_MAX 10

/* A folder on the way down. */
struct level {
    DIR *folder;
    char name[NAME_MAX + 1];
    unsigned int refills;   /* how often it was not empty at its end */
    unsigned int newcomers; /* entries that were found since then */
};

/* A removal under way. */
struct removal {
    struct level levels[REMOVE_DEPTH];
    size_t depth; /* of them that are open */
    int dir;      /* the folder that the tree is in */
    dev_t device; /* of the tree */
    const char *real;
    struct remove_report *report;
};

/* --- what went wrong ----------------------------------------------------- */

/* Puts the path of an entry of the deepest open folder (NULL: of that folder)
 * into a buffer, of which it fills no more than fits. */
static void path_of(const struct removal *removal, const char *name,
                    char *path, size_t size)
{
    size_t used = (size_t) snprintf(path, size, "%s", removal->real);

    for (size_t i = 1; i < removal->depth && used < size; i++)
        used += (size_t) snprintf(path + used, size - used, "/%s",
                                  removal->levels[i].name);
    if (name && removal->depth > 0 && used < size)
        snprintf(path + used, size - used, "/%s", name);
}

/* Return: code. */
static int failed(struct removal *removal, const char *name, int code)
{
    struct remove_report *report = removal->report;
    struct error err = ERROR_INIT;
    char path[900];

    path_of(removal, name, path, sizeof(path));
    report->code = error_errno(&err, code, "'%s'", path);
    snprintf(report->message, sizeof(report->message), "%s", err.message);
    return code;
}

/* --- going down ---------------------------------------------------------- */

static int parent_of(const struct removal *removal)
{
    return removal->depth == 0
               ? removal->dir
               : dirfd(removal->levels[removal->depth - 1].folder);
}

/* Opens a folder in the deepest one.  Return: 0, or negative errno. */
static int descend(struct removal *removal, const char *name)
{
    AUTO_CLOSE int fd = openat(parent_of(removal), name,
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK
                                   | O_CLOEXEC);
    struct level *level = &removal->levels[removal->depth];
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (removal->depth == 0)
        removal->device = st.st_dev;
    else if (st.st_dev != removal->device)
        return -EBUSY; /* a file system that came after the look for them */
    level->folder = fdopendir(fd);
    if (!level->folder)
        return -errno;
    steal_fd(&fd);
    snprintf(level->name, sizeof(level->name), "%s", name);
    level->refills = 0;
    level->newcomers = 0;
    removal->depth++;
    return 0;
}

/* Moves a folder that is too deep to the top of the tree, where it is found
 * later.  Return: 0, or negative errno. */
static int hoist(struct removal *removal, const char *name)
{
    char random[17];
    char temp[NAME_MAX + 1];

    if (crypto_random_hex(random, 8) < 0)
        return -EIO;
    snprintf(temp, sizeof(temp), ".vsrpc-%s.tmp", random);
    if (renameat(parent_of(removal), name, dirfd(removal->levels[0].folder),
                 temp)
        < 0)
        return -errno;
    removal->levels[0].refills = 0; /* this was not somebody else */
    return 0;
}

/* Return: 0 when it is gone, or when it is the deepest folder now; negative
 * errno, -EISDIR for a folder when that was not expected and -ENOTDIR for the
 * opposite. */
static int take_once(struct removal *removal, const char *name, bool folder)
{
    if (folder)
        return removal->depth < REMOVE_DEPTH ? descend(removal, name)
                                             : hoist(removal, name);
    if (unlinkat(parent_of(removal), name, 0) < 0)
        return -errno;
    removal->report->removed++;
    return 0;
}

/* An entry; what it was said to be is a guess. */
static int take(struct removal *removal, const char *name, bool folder)
{
    int r = -EISDIR;

    for (int i = 0; i < TURNS_MAX; i++) {
        r = take_once(removal, name, folder);
        if (r == -ENOENT) /* somebody else was quicker */
            return 0;
        if (folder ? r != -ENOTDIR && r != -ELOOP : r != -EISDIR)
            break;
        folder = !folder;
    }
    return r < 0 ? failed(removal, name, r) : 0;
}

/* --- going up ------------------------------------------------------------ */

/* The deepest folder was read to its end.  When something is left in it, that
 * came meanwhile, and it is read anew. */
static int ascend(struct removal *removal)
{
    struct level *level = &removal->levels[removal->depth - 1];
    int above = removal->depth == 1
                    ? removal->dir
                    : dirfd(removal->levels[removal->depth - 2].folder);

    if (unlinkat(above, level->name, AT_REMOVEDIR) == 0) {
        removal->report->removed++;
    } else if ((errno == ENOTEMPTY || errno == EEXIST)
               && level->refills++ < REFILLS_MAX) {
        rewinddir(level->folder);
        return 0;
    } else if (errno != ENOENT) {
        return failed(removal, NULL, -errno);
    }
    closedir(level->folder);
    removal->depth--;
    return 0;
}

/* The next entry of the deepest folder, or its end. */
static int step(struct removal *removal)
{
    struct level *level = &removal->levels[removal->depth - 1];
    const struct dirent *entry;

    errno = 0;
    entry = readdir(level->folder);
    if (!entry && errno)
        return failed(removal, NULL, -errno);
    if (!entry)
        return ascend(removal);
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return 0;
    if (level->refills > 0 && level->newcomers++ >= NEWCOMERS_MAX)
        return failed(removal, NULL, -ENOTEMPTY);
    return take(removal, entry->d_name, entry->d_type == DT_DIR);
}

/* --- the tree ------------------------------------------------------------ */

static bool is_in(const char *path, const char *real)
{
    size_t n = strlen(real);

    return strncmp(path, real, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* What is mounted in the tree is not removed with it (and could not be: its
 * mount point is busy).  Return: 0, or negative errno, reported. */
static int mounts_check(struct removal *removal)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    char strings[2 * PATH_MAX];
    struct mntent mount;
    int r = 0;

    if (!mounts)
        return 0; /* the device of each folder is compared anyway */
    while (r == 0 && getmntent_r(mounts, &mount, strings, sizeof(strings)))
        if (is_in(mount.mnt_dir, removal->real)) {
            r = -EBUSY;
            removal->report->code = r;
            snprintf(
                removal->report->message, sizeof(removal->report->message),
                "'%.800s' is a mount point: unmount it first", mount.mnt_dir);
        }
    endmntent(mounts);
    return r;
}

void remove_tree(int dir, const char *name, const char *real,
                 struct remove_report *report)
{
    struct removal removal = { .dir = dir, .real = real, .report = report };
    int r = mounts_check(&removal);

    if (r == 0)
        r = take(&removal, name, true);
    while (r == 0 && removal.depth > 0)
        r = step(&removal);
    while (removal.depth > 0)
        closedir(removal.levels[--removal.depth].folder);
}
