/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The lock is flock(2), tried every 10 ms, because it has no deadline.
 * Waiters hold a shared lock on the first byte (F_OFD_SETLK), which the holder
 * can look for, and touch the file, which it can watch by inotify(7).
 */
#include <config.h>

#include "host/link/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/fd.h"

#define NAME_DIGITS 32  /* of the digest: 128 bits are never the same twice */
#define WORDS_MAX 320   /* a holder's line */
#define COMMAND_MAX 200 /* of it: enough to recognise a command by */
#define CMDLINE_MAX (2L * 1024 * 1024) /* what execve(2) takes */

/* flock(2) cannot be waited for with a deadline; one look is a system call. */
#define LOOK_MS 10

/* A waiter looks every LOOK_MS; on a loaded machine some of them are late. */
#define YIELD_MS 500

static int dir_make(const char *dir, mode_t mode)
{
    struct stat st;

    /* chmod(2) because umask cuts the mode of mkdir(2) */
    if (mkdir(dir, 0700) == 0)
        return chmod(dir, mode) < 0 ? -errno : 0;
    if (errno != EEXIST)
        return -errno;
    if (lstat(dir, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int dir_pick(const struct lock_terms *terms, char dir[PATH_MAX])
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    struct stat st;

    snprintf(dir, PATH_MAX, "%s", terms->dir ? terms->dir : LOCK_DIR);
    if (terms->dir || (lstat(dir, &st) == 0 && S_ISDIR(st.st_mode)))
        return 0;
    if (geteuid() == 0)
        return dir_make(dir, 01777);
    if (!runtime || *runtime != '/')
        return -ENOENT;
    snprintf(dir, PATH_MAX, "%s/vsrpc", runtime);
    return dir_make(dir, 0700);
}

/* "DIR/DIGEST.lock" */
static int lock_path(const char *name, const struct lock_terms *terms,
                     char path[PATH_MAX])
{
    AUTO_FREE char *real = realpath(name, NULL);
    char hex[DIGEST_HEX_MAX];
    char dir[PATH_MAX];
    int r = dir_pick(terms, dir);

    if (!real && r == 0) /* what is no path is a name of its own */
        real = strdup(name);
    if (r == 0)
        r = real ? digest_bytes(DIGEST_SHA256, real, strlen(real), hex)
                 : -ENOMEM;
    if (r == 0
        && snprintf(path, PATH_MAX, "%s/%.*s.lock", dir, NAME_DIGITS, hex)
               >= PATH_MAX)
        r = -ENAMETOOLONG;
    return r;
}

/*
 * The folder is everybody's.  A file that is there is opened without O_CREAT,
 * which fs.protected_regular refuses for another user's; a link is not
 * followed, and a pipe does not hold us.  Who may only read can lock as well.
 */
static int lock_open_any(const char *path)
{
    static const int ways[] = { O_RDWR, O_RDWR | O_CREAT | O_EXCL, O_RDWR,
                                O_RDONLY };
    int why = 0;

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        int fd = open(path,
                      ways[i] | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
                      0666);

        if (fd >= 0)
            return fd;
        if (!why || errno != ENOENT)
            why = -errno;
    }
    return why;
}

static int lock_open(const char *path)
{
    AUTO_CLOSE int fd = lock_open_any(path);
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
        return -EINVAL;
    /* umask must not keep others from it; not ours: no matter */
    if (st.st_uid == geteuid() && (st.st_mode & 0777) != 0666)
        (void) !fchmod(fd, 0666);
    return steal_fd(&fd);
}

/* Waiters hold a shared lock on the first byte, which the holder looks for.
 * It belongs to the open file as flock(2)'s does, and the two do not mix. */
static void want(int fd, bool wanting)
{
    struct flock byte = { .l_type = wanting ? F_RDLCK : F_UNLCK,
                          .l_whence = SEEK_SET,
                          .l_len = 1 };

    /* Without it there is only less courtesy. */
    (void) !fcntl(fd, F_OFD_SETLK, &byte);
}

static bool wanted(int fd)
{
    struct flock byte = { .l_type = F_WRLCK,
                          .l_whence = SEEK_SET,
                          .l_len = 1 };

    return fcntl(fd, F_OFD_GETLK, &byte) == 0 && byte.l_type != F_UNLCK;
}

/* A holder that watches sees the time change, see lock_watch(). */
static void poke(int fd)
{
    (void) !futimens(fd, NULL);
}

static void printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char) *text < 0x20 || *text == 0x7F)
            *text = ' ';
}

/* This process's command line with blanks, without the program's folder. */
static void own_command(char text[COMMAND_MAX])
{
    struct buf line;
    const char *start;
    size_t n;

    buf_init(&line, CMDLINE_MAX);
    *text = '\0';
    if (fd_slurp("/proc/self/cmdline", &line) == 0 && line.len > 1
        && buf_cstr(&line)) {
        start = (const char *) buf_data(&line);
        n = line.len - 1; /* each word ends with a NUL, the last one, too */
        if (strrchr(start, '/')) {
            const char *base = strrchr(start, '/') + 1;

            n -= (size_t) (base - start);
            start = base;
        }
        if (n >= COMMAND_MAX)
            n = COMMAND_MAX - 1;
        memcpy(text, start, n);
        text[n] = '\0';
        for (size_t i = 0; i < n; i++)
            if (!text[i]) /* between the words */
                text[i] = ' ';
        printable(text);
    }
    buf_free(&line);
}

/* "PID UID START COMMAND"; START is on the boot clock, in milliseconds. */
static void holder_note_write(int fd)
{
    char command[COMMAND_MAX];
    char line[WORDS_MAX];
    int n;

    own_command(command);
    n = snprintf(line, sizeof(line), "%ld %lu %" PRId64 " %s\n",
                 (long) getpid(), (unsigned long) geteuid(), clock_ms(),
                 command);
    /* Only words: the lock holds without them. */
    if (n > 0 && ftruncate(fd, 0) == 0)
        (void) !pwrite(fd, line, (size_t) n, 0);
}

/* Who says that the lock is his. */
struct owner {
    char line[WORDS_MAX + 1];
    const char *command; /* in the line */
    long pid;
    unsigned long uid;
    int64_t start;
};

/* Return: false when nobody lives who says so: he may have died with his
 * words. */
static bool owner_read(int fd, struct owner *owner)
{
    ssize_t n = pread(fd, owner->line, WORDS_MAX, 0);
    char proc[32];
    int at = 0;

    owner->line[n > 0 ? n : 0] = '\0';
    owner->line[strcspn(owner->line, "\n")] = '\0';
    /* the file is everybody's, and this goes to a terminal */
    printable(owner->line);
    if (sscanf(owner->line, "%9ld %10lu %18" SCNd64 " %n", &owner->pid,
               &owner->uid, &owner->start, &at)
            != 3
        || at <= 0 || owner->pid <= 0 || access("/proc/self", F_OK) < 0)
        return false;
    owner->command = owner->line + at;
    snprintf(proc, sizeof(proc), "/proc/%ld", owner->pid);
    return access(proc, F_OK) == 0;
}

static int busy(int fd, struct error *err)
{
    const struct passwd *user;
    struct owner owner;
    int64_t now = clock_ms();

    if (!owner_read(fd, &owner)) {
        error_set(err, -EBUSY, "busy: another client has the channel");
        error_hint(err, PROGRAM " --wait-lock 60 … waits longer");
        return -EBUSY;
    }
    user = getpwuid((uid_t) owner.uid);
    error_set(err, -EBUSY,
              "busy: '%s' (pid %ld, user %s) has had the channel for "
              "%" PRId64 " s",
              owner.command, owner.pid, user ? user->pw_name : "?",
              owner.start < now ? (now - owner.start) / 1000 : 0);
    error_hint(err,
               PROGRAM " --wait-lock 60 … waits longer (ps -fp %ld shows who "
                       "it is)",
               owner.pid);
    return -EBUSY;
}

static void tell_waiting(int fd, const struct lock_terms *terms)
{
    struct owner owner;

    if (!terms->out)
        return;
    if (owner_read(fd, &owner))
        out_note(terms->out, "waiting for '%s' (pid %ld)", owner.command,
                 owner.pid);
    else
        out_note(terms->out, "waiting for another client of the channel");
}

/* Return: 0, 1 when the file cannot be locked, -EBUSY, -ECANCELED. */
static int lock_wait(int fd, const struct lock_terms *terms, struct error *err)
{
    int64_t deadline = terms->wait_ms == DEADLINE_NEVER
                           ? DEADLINE_NEVER
                           : deadline_in(terms->wait_ms);
    bool told = false;
    int r;

    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return 1;
        if (deadline_left(deadline) == 0)
            return busy(fd, err);
        want(fd, true);
        if (!told) {
            poke(fd);
            tell_waiting(fd, terms);
        }
        told = true;
        r = fd_wait_or(-1, 0, terms->wake_fd,
                       deadline_min(deadline, deadline_in(LOOK_MS)));
        if (r < 0 && r != -ETIMEDOUT)
            return r;
    }
    want(fd, false);
    holder_note_write(fd);
    return 0;
}

static bool removed(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

static int without(int code, const char *path, struct error *err)
{
    error_errno(err, code, "no lock ('%s')", path);
    return 1;
}

int lock_take(struct lock *lock, const char *name,
              const struct lock_terms *terms, struct error *err)
{
    char path[PATH_MAX] = LOCK_DIR;
    int r;

    if (lock->fd >= 0 && strcmp(lock->name, name) == 0)
        return 0;
    lock_release(lock);
    r = lock_path(name, terms, path);
    while (r == 0 && lock->fd < 0) {
        AUTO_CLOSE int fd = lock_open(path);

        if (fd < 0)
            return without(fd, path, err);
        r = lock_wait(fd, terms, err);
        /* Somebody tidied up: the next one would lock another file. */
        if (r == 0 && !removed(fd))
            lock->fd = steal_fd(&fd);
    }
    if (r == 1)
        return without(-ENOLCK, path, err);
    if (r < 0)
        return r == -EBUSY || r == -ECANCELED ? r : without(r, path, err);
    lock->name = strdup(name);
    if (!lock->name) {
        lock_release(lock);
        return error_errno(err, -ENOMEM, "lock");
    }
    return 0;
}

bool lock_wanted(const struct lock *lock)
{
    return lock->fd >= 0 && wanted(lock->fd);
}

int lock_watch(struct lock *lock)
{
    char path[32];

    if (lock->watch >= 0 || lock->fd < 0)
        return lock->watch;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", lock->fd);
    lock->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (lock->watch >= 0
        && inotify_add_watch(lock->watch, path, IN_ATTRIB) < 0)
        fd_close(&lock->watch);
    /* Who waits already has poked, and does it only once. */
    if (lock->watch >= 0 && wanted(lock->fd))
        poke(lock->fd);
    return lock->watch;
}

void lock_watched(const struct lock *lock)
{
    char events[1024];

    while (lock->watch >= 0 && read(lock->watch, events, sizeof(events)) > 0)
        ;
}

static void holder_note_erase(int fd)
{
    (void) !ftruncate(fd, 0);
}

void lock_release(struct lock *lock)
{
    if (lock->fd >= 0) {
        holder_note_erase(lock->fd);
        /* A child that is just being started may have the file as well. */
        flock(lock->fd, LOCK_UN);
    }
    fd_close(&lock->watch);
    fd_close(&lock->fd);
    free(lock->name);
    lock->name = NULL;
}

/* A new holder writes its words. */
static bool taken(int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 || st.st_size > 0;
}

void lock_yield(struct lock *lock)
{
    int64_t deadline = deadline_in(YIELD_MS);

    if (lock->fd < 0)
        return;
    holder_note_erase(lock->fd);
    flock(lock->fd, LOCK_UN);
    while (wanted(lock->fd) && !taken(lock->fd)
           && deadline_left(deadline) != 0)
        clock_sleep_ms(LOOK_MS / 2);
    /* Not by lock_release(): the words are another's now. */
    fd_close(&lock->fd);
    lock_release(lock);
}
