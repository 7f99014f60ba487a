/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Runs a command as if under an older kernel: a seccomp filter, which what the
 * command starts inherits, answers for newer calls, flags and options what a
 * kernel without them would.
 *
 *     without CALL[,CALL...] -- COMMAND [ARG...]
 *     without all -- COMMAND [ARG...]   nothing newer than Linux 2.6.32
 *     without --list                    the table: name, first kernel, answer
 *     without --check                   under "all": is it so?
 *
 * Status: 2 for a wrong word, 77 when there is no filter to be had (another
 * processor, a kernel or a container that refuses it), else the command's.
 *
 * What a filter cannot do is in ignore.c.  What is left alone, because no C
 * library of today starts without it, though Linux 2.6.32 does not know it:
 * prlimit64(2) (2.6.36; getrlimit(3) is made of it) and fstatat(2) with
 * AT_EMPTY_PATH (2.6.39; fstat(3) is made of it).
 */
#include <config.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "util/cleanup.h"

#define STATUS_USAGE 2
#define STATUS_NO_FILTER 77
#define STATUS_NOT_RUN 127

/* Elsewhere numbers, and the halves of arguments, lie differently. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH

/* From here on (Linux 5.1) a call has the same number on all processors; the
 * headers of a build need not know it. */
#define NR_UNIFIED 424

struct row {
    const char *name; /* several may share it: refused together */
    int nr;
    int code;          /* the answer: an errno */
    const char *since; /* the first Linux that has it */
    uint8_t arg;       /* 1 to 6: only where (argument & mask) == value */
    uint32_t mask;
    uint32_t value;
};

/* clang-format off */
#define CALL(call, kernel) { #call, SYS_##call, ENOSYS, kernel, 0, 0, 0 }
#define NUMBER(call, nr, kernel) { #call, nr, ENOSYS, kernel, 0, 0, 0 }
#define FLAG(name, call, arg, flag, code, kernel) \
    { name, SYS_##call, code, kernel, arg, flag, flag }
#define VALUE(name, call, arg, value, code, kernel) \
    { name, SYS_##call, code, kernel, arg, UINT32_MAX, value }
/* clang-format on */

#define FLAG_O_TMPFILE 020000000 /* without O_DIRECTORY, which goes with it */
#define FLAG_O_PATH 010000000
#define FLAG_AT_EMPTY_PATH 0x1000
#define TYPE_MASK 0x0f /* MAP_TYPE */
#define TYPE_DROPPABLE 0x08
#define OPTION_CHILD_SUBREAPER 36
#define OPTION_NO_NEW_PRIVS 38
#define OPTION_CAP_AMBIENT 47
#define ID_PIDFD 3
#define REQUEST_TIOCGPTPEER 0x5441
#define COMMAND_OFD_GETLK 36
#define COMMAND_OFD_SETLK 37
#define COMMAND_OFD_SETLKW 38
#define WHENCE_DATA 3
#define WHENCE_HOLE 4

static const struct row rows[] = {
    CALL(recvmmsg, "2.6.33"),
    CALL(fanotify_init, "2.6.37"),
/* An older kernel ignores it and opens for reading: see ignore.c. */
#ifdef SYS_open
    FLAG("O_PATH", open, 2, FLAG_O_PATH, EINVAL, "2.6.39"),
#endif
    FLAG("O_PATH", openat, 3, FLAG_O_PATH, EINVAL, "2.6.39"),
    FLAG("AT_EMPTY_PATH", fchownat, 5, FLAG_AT_EMPTY_PATH, EINVAL, "2.6.39"),
    FLAG("AT_EMPTY_PATH", linkat, 5, FLAG_AT_EMPTY_PATH, EINVAL, "2.6.39"),
    CALL(name_to_handle_at, "2.6.39"),
    CALL(syncfs, "2.6.39"),
    CALL(sendmmsg, "3.0"),
    CALL(setns, "3.0"),
    VALUE("SEEK_DATA", lseek, 3, WHENCE_DATA, EINVAL, "3.1"),
    VALUE("SEEK_DATA", lseek, 3, WHENCE_HOLE, EINVAL, "3.1"),
    CALL(process_vm_readv, "3.2"),
    VALUE("PR_SET_CHILD_SUBREAPER", prctl, 1, OPTION_CHILD_SUBREAPER, EINVAL,
          "3.4"),
    VALUE("PR_SET_NO_NEW_PRIVS", prctl, 1, OPTION_NO_NEW_PRIVS, EINVAL, "3.5"),
    CALL(kcmp, "3.5"),
/* A folder to be written to, for that is what is left of it. */
#ifdef SYS_open
    FLAG("O_TMPFILE", open, 2, FLAG_O_TMPFILE, EISDIR, "3.11"),
#endif
    FLAG("O_TMPFILE", openat, 3, FLAG_O_TMPFILE, EISDIR, "3.11"),
    CALL(sched_setattr, "3.14"),
    CALL(renameat2, "3.15"),
    VALUE("F_OFD_SETLK", fcntl, 2, COMMAND_OFD_GETLK, EINVAL, "3.15"),
    VALUE("F_OFD_SETLK", fcntl, 2, COMMAND_OFD_SETLK, EINVAL, "3.15"),
    VALUE("F_OFD_SETLK", fcntl, 2, COMMAND_OFD_SETLKW, EINVAL, "3.15"),
    CALL(getrandom, "3.17"),
    /* Of this memory the C library makes one without a call (6.11). */
    { "getrandom", SYS_mmap, EINVAL, "3.17", 4, TYPE_MASK, TYPE_DROPPABLE },
    CALL(memfd_create, "3.17"),
    CALL(seccomp, "3.17"),
    CALL(bpf, "3.18"),
    CALL(execveat, "3.19"),
    CALL(membarrier, "4.3"),
    VALUE("PR_CAP_AMBIENT", prctl, 1, OPTION_CAP_AMBIENT, EINVAL, "4.3"),
    CALL(mlock2, "4.4"),
    CALL(copy_file_range, "4.5"),
    CALL(preadv2, "4.6"),
    CALL(pwritev2, "4.6"),
    CALL(statx, "4.11"),
    VALUE("TIOCGPTPEER", ioctl, 2, REQUEST_TIOCGPTPEER, EINVAL, "4.13"),
    CALL(rseq, "4.18"),
    NUMBER(pidfd_send_signal, 424, "5.1"),
    NUMBER(io_uring_setup, 425, "5.1"),
    NUMBER(pidfd_open, 434, "5.3"),
    NUMBER(clone3, 435, "5.3"),
    VALUE("P_PIDFD", waitid, 1, ID_PIDFD, EINVAL, "5.4"),
    NUMBER(openat2, 437, "5.6"),
    NUMBER(faccessat2, 439, "5.8"),
    NUMBER(close_range, 436, "5.9"),
    NUMBER(epoll_pwait2, 441, "5.11"),
    NUMBER(fchmodat2, 452, "6.6"),
};

/* --- the filter ------------------------------------------------------------ */

#define HEAD 3 /* instructions for the processor */
#define EACH 6 /* at most, for a row */
#define ROWS_MAX (EACH * (ARRAY_SIZE(rows) + 1) + 1) /* "all", and the end */
#define FILTER_MAX BPF_MAXINSNS

struct filter {
    struct sock_filter code[FILTER_MAX];
    unsigned short n;
};

static void put(struct filter *filter, struct sock_filter instruction)
{
    filter->code[filter->n++] = instruction;
}

static void put_load(struct filter *filter, size_t offset)
{
    put(filter, (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                              (uint32_t) offset));
}

/* When the comparison does not hold, the next SKIP instructions do not run. */
static void put_unless(struct filter *filter, unsigned short comparison,
                       uint32_t with, uint8_t skip)
{
    put(filter, (struct sock_filter) BPF_JUMP(BPF_JMP | comparison | BPF_K,
                                              with, 0, skip));
}

static void put_answer(struct filter *filter, uint32_t answer)
{
    put(filter, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, answer));
}

static void put_row(struct filter *filter, const struct row *row)
{
    put_load(filter, offsetof(struct seccomp_data, nr));
    put_unless(filter, BPF_JEQ, (uint32_t) row->nr, row->arg ? 4 : 1);
    if (row->arg) {
        put_load(filter, offsetof(struct seccomp_data, args)
                             + sizeof(uint64_t) * (row->arg - 1U));
        put(filter, (struct sock_filter) BPF_STMT(BPF_ALU | BPF_AND | BPF_K,
                                                  row->mask));
        put_unless(filter, BPF_JEQ, row->value, 1);
    }
    put_answer(filter, SECCOMP_RET_ERRNO | (uint32_t) row->code);
}

/* What is in no row, for "all". */
static void put_unified(struct filter *filter)
{
    put_load(filter, offsetof(struct seccomp_data, nr));
    put_unless(filter, BPF_JGE, NR_UNIFIED, 1);
    put_answer(filter, SECCOMP_RET_ERRNO | ENOSYS);
}

static int filter_install(struct filter *filter)
{
    const struct sock_fprog program = {
        .len = filter->n,
        .filter = filter->code,
    };

    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
        return 0;
    /* Who is not root may have one that no set-id program escapes from. */
    if (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno
                                                                    : 0;
}

/* --- names ----------------------------------------------------------------- */

/* The part before the next comma, which names moves behind; NULL: no more. */
static const char *next_name(const char **names, size_t *n)
{
    const char *name = *names;

    if (!*name)
        return NULL;
    *n = strcspn(name, ",");
    *names = name + *n + (name[*n] == ',');
    return name;
}

/* Return: the rows that were put. */
static unsigned int put_named(struct filter *filter, const char *name,
                              size_t n)
{
    bool all = n == 3 && strncmp(name, "all", n) == 0;
    unsigned int found = all;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        bool named = strlen(rows[i].name) == n
                     && strncmp(rows[i].name, name, n) == 0;

        if (!all && !named)
            continue;
        put_row(filter, &rows[i]);
        found++;
    }
    if (all)
        put_unified(filter);
    return found;
}

/* Return: 0, or -EINVAL where a name is none, or too many are given. */
static int filter_make(struct filter *filter, const char *names)
{
    const char *name;
    size_t n;

    *filter = (struct filter) { .n = 0 };
    put_load(filter, offsetof(struct seccomp_data, arch));
    put(filter,
        (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
    put_answer(filter, SECCOMP_RET_ALLOW);
    while ((name = next_name(&names, &n)))
        if (filter->n + ROWS_MAX > FILTER_MAX || !put_named(filter, name, n))
            return -EINVAL;
    put_answer(filter, SECCOMP_RET_ALLOW);
    return 0;
}

static int list(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0)
            printf("%-24s Linux %-8s %s\n", rows[i].name, rows[i].since,
                   strerror(rows[i].code));
    return 0;
}

/* Each with words that come to nothing where they are not refused. */
static int check(void)
{
    int bad = 0;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        long word[6] = { -1, -1, -1, -1, -1, -1 };
        long r;

        if (rows[i].arg)
            word[rows[i].arg - 1] = rows[i].value;
        errno = 0;
        r = syscall(rows[i].nr, word[0], word[1], word[2], word[3], word[4],
                    word[5]);
        if (r == -1 && errno == rows[i].code)
            continue;
        printf("%s: %ld (%s)\n", rows[i].name, r, strerror(errno));
        bad = 1;
    }
    return bad;
}

static int run(const char *names, char **command)
{
    struct filter filter;
    int r = filter_make(&filter, names);

    if (r < 0) {
        fprintf(stderr, "without: not all known: %s\n", names);
        return STATUS_USAGE;
    }
    r = filter_install(&filter);
    if (r < 0) {
        fprintf(stderr, "without: no filter: %s\n", strerror(-r));
        return STATUS_NO_FILTER;
    }
    execvp(command[0], command);
    fprintf(stderr, "without: %s: %s\n", command[0], strerror(errno));
    return STATUS_NOT_RUN;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list();
    if (argc == 2 && strcmp(argv[1], "--check") == 0)
        return check();
    if (argc >= 4 && strcmp(argv[2], "--") == 0)
        return run(argv[1], argv + 3);
    fprintf(stderr, "usage: without CALL[,CALL...]|all -- COMMAND [ARG...]\n"
                    "       without --list|--check\n");
    return STATUS_USAGE;
}

#else

int main(void)
{
    fprintf(stderr, "without: no table for this processor\n");
    return STATUS_NO_FILTER;
}

#endif
