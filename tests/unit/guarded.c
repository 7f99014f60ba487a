/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/guarded.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guarded guarded_copy(const void *bytes, size_t n)
{
    size_t page = (size_t) sysconf(_SC_PAGESIZE);
    size_t room = (n + page - 1) / page * page;
    struct guarded guarded = { .map_size = room + page };

    guarded.map = mmap(NULL, guarded.map_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(guarded.map, MAP_FAILED);
    ck_assert_int_eq(mprotect((uint8_t *) guarded.map + room, page, PROT_NONE),
                     0);
    guarded.bytes = (uint8_t *) guarded.map + room - n;
    if (n)
        memcpy(guarded.bytes, bytes, n);
    return guarded;
}

void guarded_free(struct guarded *guarded)
{
    munmap(guarded->map, guarded->map_size);
}
