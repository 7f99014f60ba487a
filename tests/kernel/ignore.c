/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The agent with what without.c cannot play, put in front of its calls by the
 * linker's --wrap: an old kernel does not refuse a flag that it does not know,
 * it opens as if it were not there; and of a clock the C library asks the
 * kernel without a call.
 */
#undef _FORTIFY_SOURCE /* the plain functions are meant here */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <time.h>

#define SINCE_2_6_39 010000000 /* O_PATH */

/* A mode that is not there is not looked at either. */
#define MODE_OF(flags, mode)                                              \
    do {                                                                  \
        va_list args;                                                     \
                                                                          \
        va_start(args, flags);                                            \
        (mode) = ((flags) & (O_CREAT | O_TMPFILE)) ? va_arg(args, mode_t) \
                                                   : 0;                   \
        va_end(args);                                                     \
    } while (0)

int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int at, const char *path, int flags, ...);
int __wrap___open_2(const char *path, int flags);
int __wrap___openat_2(int at, const char *path, int flags);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __real_open(const char *path, int flags, ...);
int __real_openat(int at, const char *path, int flags, ...);
int __real_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode;

    MODE_OF(flags, mode);
    return __real_open(path, flags & ~SINCE_2_6_39, mode);
}

int __wrap_openat(int at, const char *path, int flags, ...)
{
    mode_t mode;

    MODE_OF(flags, mode);
    return __real_openat(at, path, flags & ~SINCE_2_6_39, mode);
}

int __wrap___open_2(const char *path, int flags)
{
    return __real_open(path, flags & ~SINCE_2_6_39);
}

int __wrap___openat_2(int at, const char *path, int flags)
{
    return __real_openat(at, path, flags & ~SINCE_2_6_39);
}

/* Since Linux 2.6.39. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock != CLOCK_BOOTTIME)
        return __real_clock_gettime(clock, now);
    errno = EINVAL;
    return -1;
}
