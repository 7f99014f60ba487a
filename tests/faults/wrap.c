/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The agent with faults: its own objects, linked with --wrap, so that the
 * calls they make come here first.  What fails, and when, stands in a file of
 * a few numbers (environment: FAULTS) that the test maps as well.  This way
 * works in every build, with sanitizers, too, and nothing but our own calls
 * fails: what json-c or libcrypto do inside is theirs.
 */
#undef _FORTIFY_SOURCE /* the plain functions are meant here */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <json-c/json.h>

/* The numbers in the file; faults.py has the same list. */
struct faults {
    int64_t kind;   /* what may fail; 0: nothing */
    int64_t number; /* call that fails, from 1; with every: each so many */
    int64_t every;
    int64_t calls;  /* of that kind, so far */
    int64_t fired;
};

enum kind {
    KIND_OFF,
    KIND_MEMORY,      /* no memory */
    KIND_FORK,        /* no process */
    KIND_OPEN,        /* no descriptor */
    KIND_DISK,        /* a full or broken disk */
    KIND_READ_ONE,    /* reads of one byte */
    KIND_READ_INTR,
    KIND_READ_AGAIN,
    KIND_WRITE_ONE,   /* writes of one byte */
    KIND_WRITE_INTR,
    KIND_WRITE_AGAIN,
    KIND_POLL_INTR,
    KIND_POLL_IDLE,   /* poll() that tells of nothing */
};

/* A pipe gives all of a message up to this size (pipe(7)). */
#define ATOMIC 4096

static struct faults *faults;

static void __attribute__((constructor)) faults_map(void)
{
    const char *path = getenv("FAULTS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *where = fd >= 0 ? mmap(NULL, sizeof(*faults),
                                 PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                          : MAP_FAILED;

    if (where == MAP_FAILED) {
        fputs("FAULTS: no file to map\n", stderr);
        _exit(99);
    }
    close(fd);
    faults = where;
}

/* Is it this call's turn? */
static int fault(enum kind kind)
{
    int64_t call;

    if (!faults || faults->kind != kind)
        return 0;
    call = __atomic_add_fetch(&faults->calls, 1, __ATOMIC_SEQ_CST);
    if (faults->every ? call % faults->number != 0 : call != faults->number)
        return 0;
    __atomic_add_fetch(&faults->fired, 1, __ATOMIC_SEQ_CST);
    return 1;
}

static int fails(enum kind kind, int code)
{
    if (!fault(kind))
        return 0;
    errno = code;
    return 1;
}

/* WRAP(type, name, (parameters), kind, errno, failure, (arguments)) */
#define WRAP(type, name, parameters, kind, code, failure, arguments) \
    type __real_##name parameters; \
    type __wrap_##name parameters; \
    type __wrap_##name parameters \
    { \
        if (fails(kind, code)) \
            return failure; \
        return __real_##name arguments; \
    }

/* --- memory -------------------------------------------------------------- */

#define MEMORY(type, name, parameters, arguments) \
    WRAP(type, name, parameters, KIND_MEMORY, ENOMEM, NULL, arguments)

MEMORY(void *, malloc, (size_t n), (n))
MEMORY(void *, calloc, (size_t n, size_t size), (n, size))
MEMORY(void *, realloc, (void *old, size_t n), (old, n))
WRAP(void *, mmap,
     (void *where, size_t n, int rights, int flags, int fd, off_t at),
     KIND_MEMORY, ENOMEM, MAP_FAILED, (where, n, rights, flags, fd, at))
MEMORY(char *, strdup, (const char *text), (text))
MEMORY(char *, strndup, (const char *text, size_t n), (text, n))
MEMORY(struct json_object *, json_object_new_object, (void), ())
MEMORY(struct json_object *, json_object_new_array, (void), ())
MEMORY(struct json_object *, json_object_new_string, (const char *text),
       (text))
MEMORY(struct json_object *, json_object_new_string_len,
       (const char *text, int n), (text, n))
MEMORY(struct json_object *, json_object_new_int64, (int64_t value), (value))
MEMORY(struct json_object *, json_object_new_boolean, (json_bool value),
       (value))
MEMORY(struct json_tokener *, json_tokener_new_ex, (int depth), (depth))
MEMORY(const char *, json_object_to_json_string_length,
       (struct json_object *object, int flags, size_t *n),
       (object, flags, n))
WRAP(int, json_object_object_add,
     (struct json_object *object, const char *name,
      struct json_object *value),
     KIND_MEMORY, ENOMEM, -1, (object, name, value))
WRAP(int, json_object_array_add,
     (struct json_object *array, struct json_object *value), KIND_MEMORY,
     ENOMEM, -1, (array, value))

MEMORY(DIR *, fdopendir, (int fd), (fd))

int __wrap_asprintf(char **text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list args;
    int n;

    if (fails(KIND_MEMORY, ENOMEM))
        return -1;
    va_start(args, format);
    n = vasprintf(text, format, args);
    va_end(args);
    return n;
}

int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
{
    va_list args;
    int n;

    (void) flag;
    if (fails(KIND_MEMORY, ENOMEM))
        return -1;
    va_start(args, format);
    n = vasprintf(text, format, args);
    va_end(args);
    return n;
}

/* --- processes ----------------------------------------------------------- */

WRAP(pid_t, fork, (void), KIND_FORK, EAGAIN, -1, ())

/* A function that calls vfork(2) cannot return from it. */
pid_t __wrap_vfork(void);
pid_t __wrap_vfork(void)
{
    return fails(KIND_FORK, EAGAIN) ? -1 : __real_fork();
}

/* The agent has three arguments at most; other calls than clone3(2) make their
 * way. */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
    long a[3];
    va_list args;

    va_start(args, number);
    for (int i = 0; i < 3; i++)
        a[i] = va_arg(args, long);
    va_end(args);
#ifdef SYS_clone3
    if (number == SYS_clone3 && fails(KIND_FORK, EAGAIN))
        return -1;
#endif
    return __real_syscall(number, a[0], a[1], a[2]);
}

/* --- descriptors --------------------------------------------------------- */

#define NEW_FD(name, parameters, arguments) \
    WRAP(int, name, parameters, KIND_OPEN, EMFILE, -1, arguments)

NEW_FD(pipe2, (int ends[2], int flags), (ends, flags))
NEW_FD(socket, (int domain, int type, int protocol), (domain, type, protocol))
NEW_FD(accept4,
       (int fd, struct sockaddr *address, socklen_t *n, int flags),
       (fd, address, n, flags))
NEW_FD(posix_openpt, (int flags), (flags))
NEW_FD(__open_2, (const char *path, int flags), (path, flags))
NEW_FD(__openat_2, (int fd, const char *path, int flags), (fd, path, flags))
WRAP(FILE *, fopen, (const char *path, const char *mode), KIND_OPEN, EMFILE,
     NULL, (path, mode))

WRAP(FILE *, setmntent, (const char *path, const char *mode), KIND_OPEN,
     EMFILE, NULL, (path, mode))

int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);
int __real_openat(int folder, const char *path, int flags, ...);

/* O_TMPFILE is two bits, of which one is O_DIRECTORY. */
static int needs_mode(int flags)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

int __wrap_openat(int folder, const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = needs_mode(flags) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return fails(KIND_OPEN, EMFILE) ? -1
                                    : __real_openat(folder, path, flags, mode);
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = needs_mode(flags) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return fails(KIND_OPEN, EMFILE)
               ? -1
               : __real_openat(AT_FDCWD, path, flags, mode);
}

/* --- the disk ------------------------------------------------------------ */

WRAP(int, fsync, (int fd), KIND_DISK, EIO, -1, (fd))
WRAP(int, fchmod, (int fd, mode_t mode), KIND_DISK, EIO, -1, (fd, mode))
WRAP(int, linkat,
     (int from, const char *old, int to, const char *new, int flags),
     KIND_DISK, EIO, -1, (from, old, to, new, flags))
WRAP(int, renameat, (int from, const char *old, int to, const char *new),
     KIND_DISK, EIO, -1, (from, old, to, new))

WRAP(int, unlinkat, (int dir, const char *name, int flags), KIND_DISK, EIO, -1,
     (dir, name, flags))
WRAP(int, mkdirat, (int dir, const char *name, mode_t mode), KIND_DISK, ENOSPC,
     -1, (dir, name, mode))
WRAP(int, symlinkat, (const char *target, int dir, const char *name),
     KIND_DISK, ENOSPC, -1, (target, dir, name))
WRAP(int, chmod, (const char *path, mode_t mode), KIND_DISK, EIO, -1,
     (path, mode))
WRAP(int, fchownat,
     (int dir, const char *name, uid_t user, gid_t group, int flags),
     KIND_DISK, EIO, -1, (dir, name, user, group, flags))
WRAP(int, utimensat,
     (int dir, const char *name, const struct timespec times[2], int flags),
     KIND_DISK, EIO, -1, (dir, name, times, flags))
WRAP(int, syncfs, (int fd), KIND_DISK, EIO, -1, (fd))

static mode_t type_of(int fd)
{
    struct stat st;

    return fstat(fd, &st) < 0 ? 0 : st.st_mode & S_IFMT;
}

static int is_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & O_NONBLOCK);
}

/* --- reads and writes ---------------------------------------------------- */

/* How many bytes this call gets, or -1 with errno.  Descriptors of signals
 * and of inotify give whole messages only. */
static ssize_t read_fault(int fd, size_t n)
{
    mode_t type = type_of(fd);

    if (type && fails(KIND_READ_INTR, EINTR))
        return -1;
    if (type != S_IFREG && is_nonblocking(fd)
        && fails(KIND_READ_AGAIN, EAGAIN))
        return -1;
    if (type && (type != S_IFIFO || n > ATOMIC) && n > 1
        && fault(KIND_READ_ONE))
        return 1;
    return (ssize_t) n;
}

static ssize_t write_fault(int fd, size_t n)
{
    mode_t type = type_of(fd);

    if (type == S_IFREG && fails(KIND_DISK, ENOSPC))
        return -1;
    if (type && fails(KIND_WRITE_INTR, EINTR))
        return -1;
    if (type != S_IFREG && is_nonblocking(fd)
        && fails(KIND_WRITE_AGAIN, EAGAIN))
        return -1;
    if (type && (type != S_IFIFO || n > ATOMIC) && n > 1
        && fault(KIND_WRITE_ONE))
        return 1;
    return (ssize_t) n;
}

ssize_t __real_read(int fd, void *bytes, size_t n);
ssize_t __wrap_read(int fd, void *bytes, size_t n);
ssize_t __wrap_read(int fd, void *bytes, size_t n)
{
    ssize_t may = read_fault(fd, n);

    return may < 0 ? -1 : __real_read(fd, bytes, (size_t) may);
}

ssize_t __wrap___read_chk(int fd, void *bytes, size_t n, size_t size);
ssize_t __wrap___read_chk(int fd, void *bytes, size_t n, size_t size)
{
    return n > size ? -1 : __wrap_read(fd, bytes, n);
}

ssize_t __real_pread(int fd, void *bytes, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *bytes, size_t n, off_t at);
ssize_t __wrap_pread(int fd, void *bytes, size_t n, off_t at)
{
    ssize_t may = read_fault(fd, n);

    return may < 0 ? -1 : __real_pread(fd, bytes, (size_t) may, at);
}

ssize_t __wrap___pread_chk(int fd, void *bytes, size_t n, off_t at,
                           size_t size);
ssize_t __wrap___pread_chk(int fd, void *bytes, size_t n, off_t at,
                           size_t size)
{
    return n > size ? -1 : __wrap_pread(fd, bytes, n, at);
}

ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
    ssize_t may = write_fault(fd, n);

    return may < 0 ? -1 : __real_write(fd, bytes, (size_t) may);
}

int __real_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
    if (fails(KIND_POLL_INTR, EINTR))
        return -1;
    /* Time does not pass by itself: only where some is waited for. */
    if (ms != 0 && fault(KIND_POLL_IDLE)) {
        for (nfds_t i = 0; i < n; i++)
            fds[i].revents = 0;
        return 0;
    }
    return __real_poll(fds, n, ms);
}

int __wrap___poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size);
int __wrap___poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size)
{
    (void) size;
    return __wrap_poll(fds, n, ms);
}
