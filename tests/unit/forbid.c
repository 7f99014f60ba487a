/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/forbid.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "util/cleanup.h"

/* Where the low half of a 64 bit argument is. */
#define LOW_HALF (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)

bool forbid(int number, int argument, unsigned int bits, unsigned int how)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int) number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 (unsigned int) (offsetof(struct seccomp_data, args)
                                 + 8 * (size_t) argument + LOW_HALF)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, how),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { ARRAY_SIZE(filter), filter };

    if (!bits) /* always: skip the look at an argument */
        filter[1].jt = 2;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
           && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

bool forbid_unnamed(int way)
{
    return way == 0
           || forbid(SYS_openat, 2, TMPFILE_BIT,
                     SECCOMP_RET_ERRNO | EOPNOTSUPP);
}
