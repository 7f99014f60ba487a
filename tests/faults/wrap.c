/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The agent with faults: its own objects, linked with --wrap, so that the
 * calls they make come here first.  What fails, and when, stands in a file of
 * a few numbers (environment: FAULTS) that the test maps as well, and where
 * all calls are counted, failing or not.  This way works in every build, with
 * sanitizers, too, and nothing but our own calls fails: what json-c or
 * libcrypto do inside is theirs.
 *
 * The agent's calls and those of its forks are counted apart: which of the two
 * comes first is up to the kernel, and would give the same number to another
 * call each time.
 */
#undef _FORTIFY_SOURCE /* the plain functions are meant here */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
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
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/magic.h>

#include <json-c/json.h>
#include <json-c/printbuf.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <yaml.h>

/* What may fail; faults.py has the same list. */
enum kind {
    KIND_OFF,
    KIND_MEMORY,   /* no memory */
    KIND_FORK,     /* no process, or none of another user */
    KIND_OPEN,     /* no descriptor */
    KIND_DISK,     /* EIO where names, owners, modes and times change */
    KIND_SPACE,    /* ENOSPC from whatever takes space on a disk */
    KIND_READ,     /* EIO from reads of files and folders */
    KIND_WRITE,    /* EIO from writes to files */
    KIND_SYNC,     /* EIO from fsync(2) and its like */
    KIND_READ_ONE, /* reads of one byte */
    KIND_READ_INTR,
    KIND_READ_AGAIN,
    KIND_WRITE_ONE, /* writes of one byte */
    KIND_WRITE_INTR,
    KIND_WRITE_AGAIN,
    KIND_POLL_INTR,
    KIND_POLL_IDLE, /* poll() that tells of nothing */
    KINDS
};

/* The numbers in the file; faults.py has the same list. */
struct faults {
    int64_t kind;   /* what may fail; 0: nothing */
    int64_t number; /* call that fails, from 1; with every: each so many */
    int64_t every;
    int64_t place; /* 0: of the agent, 1: of its forks; with every: both */
    int64_t fired;
    int64_t crashed; /* forks that ended by a crash */
    int64_t calls[2][KINDS];
};

/* What a sanitizer ends a fork with; faults.py asks it to. */
#define EXIT_SANITIZER 99

/* A pipe gives all of a message up to this size (pipe(7)). */
#define ATOMIC 4096

static struct faults *faults;
static pid_t agent; /* everybody else is a fork */

static void __attribute__((constructor)) faults_map(void)
{
    const char *path = getenv("FAULTS");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *where = fd >= 0 ? mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE,
                                 MAP_SHARED, fd, 0)
                          : MAP_FAILED;

    if (where == MAP_FAILED) {
        fputs("FAULTS: no file to map\n", stderr);
        _exit(99);
    }
    close(fd);
    agent = getpid();
    faults = where;
}

/* Is it this call's turn? */
static int fault(enum kind kind)
{
    int place = getpid() != agent;
    int64_t call;

    if (!faults)
        return 0;
    call = __atomic_add_fetch(&faults->calls[place][kind], 1,
                              __ATOMIC_SEQ_CST);
    if (faults->kind != (int64_t) kind
        || (faults->every ? call % faults->number != 0
                          : place != faults->place || call != faults->number))
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
    type __real_##name parameters;                                   \
    type __wrap_##name parameters;                                   \
    type __wrap_##name parameters                                    \
    {                                                                \
        if (fails(kind, code))                                       \
            return failure;                                          \
        return __real_##name arguments;                              \
    }

/* --- memory -------------------------------------------------------------- */

/* How many entries /proc has is up to the machine, and which control groups
 * are swept up to other agents, which may share the folder: what a running
 * agent does there is no call that comes again. */
static int serving;        /* somebody has connected */
static const char *listed; /* the name of such an entry, told last */

static int is_others(int fd, int swept)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0
           && (fs.f_type == PROC_SUPER_MAGIC
               || (fs.f_type == CGROUP2_SUPER_MAGIC && swept));
}

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
       (struct json_object * object, int flags, size_t *n), (object, flags, n))
WRAP(int, json_object_object_add,
     (struct json_object * object, const char *name,
      struct json_object *value),
     KIND_MEMORY, ENOMEM, -1, (object, name, value))
WRAP(int, json_object_array_add,
     (struct json_object * array, struct json_object *value), KIND_MEMORY,
     ENOMEM, -1, (array, value))

MEMORY(struct json_object *, json_object_new_double_s,
       (double value, const char *text), (value, text))
WRAP(int, printbuf_memappend,
     (struct printbuf * into, const char *text, int n), KIND_MEMORY, ENOMEM,
     -1, (into, text, n))

DIR *__real_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd)
{
    return !is_others(fd, serving) && fails(KIND_MEMORY, ENOMEM)
               ? NULL
               : __real_fdopendir(fd);
}

MEMORY(FILE *, fdopen, (int fd, const char *mode), (fd, mode))
MEMORY(char *, realpath, (const char *path, char *into), (path, into))
char *__wrap___realpath_chk(const char *path, char *into, size_t size);
char *__wrap___realpath_chk(const char *path, char *into, size_t size)
{
    (void) size;
    return __wrap_realpath(path, into);
}

WRAP(int, execve, (const char *path, char *const *argv, char *const *envp),
     KIND_MEMORY, ENOMEM, -1, (path, argv, envp))

MEMORY(EVP_MD_CTX *, EVP_MD_CTX_new, (void), ())
WRAP(int, EVP_DigestInit_ex,
     (EVP_MD_CTX * digest, const EVP_MD *kind, ENGINE *engine), KIND_MEMORY,
     ENOMEM, 0, (digest, kind, engine))
WRAP(int, EVP_MD_CTX_copy_ex, (EVP_MD_CTX * into, const EVP_MD_CTX *from),
     KIND_MEMORY, ENOMEM, 0, (into, from))
MEMORY(unsigned char *, HMAC,
       (const EVP_MD *kind, const void *key, int key_n,
        const unsigned char *bytes, size_t n, unsigned char *into,
        unsigned int *into_n),
       (kind, key, key_n, bytes, n, into, into_n))

WRAP(int, yaml_parser_initialize, (yaml_parser_t * parser), KIND_MEMORY,
     ENOMEM, 0, (parser))

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

/* The agent has three arguments at most: clone3(2), what makes a process that of
 * another user, syncfs(2), and getrandom(2), which can only be missing. */
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
    if (number == SYS_syncfs      ? fails(KIND_SYNC, EIO)
        : number == SYS_getrandom ? fails(KIND_OPEN, ENOSYS)
                                  : fails(KIND_FORK, EAGAIN))
        return -1;
    return __real_syscall(number, a[0], a[1], a[2]);
}

/* A worker that crashes must not pass for one that has failed. */
pid_t __real_waitpid(pid_t pid, int *status, int flags);
pid_t __wrap_waitpid(pid_t pid, int *status, int flags);
pid_t __wrap_waitpid(pid_t pid, int *status, int flags)
{
    pid_t ended = __real_waitpid(pid, status, flags);
    int by = ended > 0 && WIFSIGNALED(*status) ? WTERMSIG(*status) : 0;

    if (by == SIGSEGV || by == SIGBUS || by == SIGABRT || by == SIGILL
        || by == SIGFPE
        || (ended > 0 && WIFEXITED(*status)
            && WEXITSTATUS(*status) == EXIT_SANITIZER))
        __atomic_add_fetch(&faults->crashed, 1, __ATOMIC_SEQ_CST);
    return ended;
}

/* --- descriptors --------------------------------------------------------- */

#define NEW_FD(name, parameters, arguments) \
    WRAP(int, name, parameters, KIND_OPEN, EMFILE, -1, arguments)

NEW_FD(pipe2, (int ends[2], int flags), (ends, flags))
NEW_FD(socket, (int domain, int type, int protocol), (domain, type, protocol))

int __real_accept4(int fd, struct sockaddr *address, socklen_t *n, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *n, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *n, int flags)
{
    serving = 1;
    return fails(KIND_OPEN, EMFILE) ? -1
                                    : __real_accept4(fd, address, n, flags);
}

NEW_FD(posix_openpt, (int flags), (flags))
NEW_FD(__open_2, (const char *path, int flags), (path, flags))
NEW_FD(__openat_2, (int fd, const char *path, int flags), (fd, path, flags))
WRAP(FILE *, fopen, (const char *path, const char *mode), KIND_OPEN, EMFILE,
     NULL, (path, mode))

WRAP(FILE *, setmntent, (const char *path, const char *mode), KIND_OPEN,
     EMFILE, NULL, (path, mode))
WRAP(DIR *, opendir, (const char *path), KIND_OPEN, EMFILE, NULL, (path))
NEW_FD(dup2, (int fd, int as), (fd, as))
NEW_FD(signalfd, (int fd, const sigset_t *signals, int flags),
       (fd, signals, flags))
NEW_FD(inotify_init1, (int flags), (flags))
NEW_FD(grantpt, (int fd), (fd))
NEW_FD(unlockpt, (int fd), (fd))
WRAP(int, ptsname_r, (int fd, char *name, size_t n), KIND_OPEN, EMFILE, EMFILE,
     (fd, name, n))

int __wrap___ptsname_r_chk(int fd, char *name, size_t n, size_t size);
int __wrap___ptsname_r_chk(int fd, char *name, size_t n, size_t size)
{
    return n > size ? ERANGE : __wrap_ptsname_r(fd, name, n);
}

/* They look into files. */
WRAP(struct passwd *, getpwnam, (const char *name), KIND_OPEN, EMFILE, NULL,
     (name))
WRAP(struct passwd *, getpwuid, (uid_t id), KIND_OPEN, EMFILE, NULL, (id))
WRAP(struct group *, getgrnam, (const char *name), KIND_OPEN, EMFILE, NULL,
     (name))
WRAP(struct group *, getgrgid, (gid_t id), KIND_OPEN, EMFILE, NULL, (id))

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
    va_list args;
    long value;

    va_start(args, command);
    value = va_arg(args, long);
    va_end(args);
    if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        && fails(KIND_OPEN, EMFILE))
        return -1;
    return __real_fcntl(fd, command, value);
}

int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);
int __real_openat(int folder, const char *path, int flags, ...);

/* O_TMPFILE is two bits, of which one is O_DIRECTORY. */
static int needs_mode(int flags)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

static int open_fails(int flags)
{
    return fails(KIND_OPEN, EMFILE)
           || (needs_mode(flags) && fails(KIND_SPACE, ENOSPC));
}

int __wrap_openat(int folder, const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = needs_mode(flags) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return !(strcmp(path, ".") == 0 && is_others(folder, serving))
                   && open_fails(flags)
               ? -1
               : __real_openat(folder, path, flags, mode);
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = needs_mode(flags) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_fails(flags) ? -1 : __real_openat(AT_FDCWD, path, flags, mode);
}

/* --- the disk ------------------------------------------------------------ */

/* BROKEN(name, (parameters), (arguments)); TAKES_SPACE as well. */
#define BROKEN(name, parameters, arguments) \
    WRAP(int, name, parameters, KIND_DISK, EIO, -1, arguments)
#define TAKES_SPACE(name, parameters, arguments)                \
    int __real_##name parameters;                               \
    int __wrap_##name parameters;                               \
    int __wrap_##name parameters                                \
    {                                                           \
        if (fails(KIND_DISK, EIO) || fails(KIND_SPACE, ENOSPC)) \
            return -1;                                          \
        return __real_##name arguments;                         \
    }

BROKEN(fchmod, (int fd, mode_t mode), (fd, mode))
BROKEN(chmod, (const char *path, mode_t mode), (path, mode))
BROKEN(fchown, (int fd, uid_t user, gid_t group), (fd, user, group))
BROKEN(fchownat,
       (int dir, const char *name, uid_t user, gid_t group, int flags),
       (dir, name, user, group, flags))
BROKEN(futimens, (int fd, const struct timespec times[2]), (fd, times))
BROKEN(utimensat,
       (int dir, const char *name, const struct timespec times[2], int flags),
       (dir, name, times, flags))
BROKEN(unlink, (const char *path), (path))
BROKEN(chdir, (const char *path), (path))
BROKEN(fremovexattr, (int fd, const char *name), (fd, name))
WRAP(ssize_t, listxattr, (const char *path, char *names, size_t n), KIND_DISK,
     EIO, -1, (path, names, n))
WRAP(ssize_t, getxattr,
     (const char *path, const char *name, void *value, size_t n), KIND_DISK,
     EIO, -1, (path, name, value, n))
WRAP(ssize_t, llistxattr, (const char *path, char *names, size_t n), KIND_DISK,
     EIO, -1, (path, names, n))
WRAP(ssize_t, lgetxattr,
     (const char *path, const char *name, void *value, size_t n), KIND_DISK,
     EIO, -1, (path, name, value, n))
TAKES_SPACE(fsetxattr,
            (int fd, const char *name, const void *value, size_t n, int flags),
            (fd, name, value, n, flags))
TAKES_SPACE(bind, (int fd, const struct sockaddr *address, socklen_t n),
            (fd, address, n))
TAKES_SPACE(ftruncate, (int fd, off_t size), (fd, size))
TAKES_SPACE(linkat,
            (int from, const char *old, int to, const char *new, int flags),
            (from, old, to, new, flags))
TAKES_SPACE(rename, (const char *old, const char *new), (old, new))
TAKES_SPACE(renameat, (int from, const char *old, int to, const char *new),
            (from, old, to, new))
TAKES_SPACE(mkdirat, (int dir, const char *name, mode_t mode),
            (dir, name, mode))
TAKES_SPACE(symlinkat, (const char *target, int dir, const char *name),
            (target, dir, name))

WRAP(int, fsync, (int fd), KIND_SYNC, EIO, -1, (fd))

WRAP(off_t, lseek, (int fd, off_t at, int from), KIND_READ, EIO, -1,
     (fd, at, from))
struct dirent *__real_readdir(DIR *folder);
struct dirent *__wrap_readdir(DIR *folder);
struct dirent *__wrap_readdir(DIR *folder)
{
    struct dirent *entry = NULL;

    if (is_others(dirfd(folder), 1)) {
        entry = __real_readdir(folder);
        listed = entry ? entry->d_name : NULL;
    } else if (!fails(KIND_READ, EIO)) {
        entry = __real_readdir(folder);
    }
    return entry;
}

int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags)
{
    return name != listed && fails(KIND_DISK, EIO)
               ? -1
               : __real_unlinkat(dir, name, flags);
}

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

    if (type == S_IFREG && fails(KIND_READ, EIO))
        return -1;
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

    if (type == S_IFREG
        && (fails(KIND_WRITE, EIO) || fails(KIND_SPACE, ENOSPC)))
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

ssize_t __real_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    ssize_t may = write_fault(fd, n);

    return may < 0 ? -1 : __real_pwrite(fd, bytes, (size_t) may, at);
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
