/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Memory that ends at a page nobody may touch. */
#ifndef VSRPC_TESTS_GUARDED_H
#define VSRPC_TESTS_GUARDED_H

#include <stddef.h>
#include <stdint.h>

/* A copy of n bytes that ends right before an inaccessible page. */
struct guarded {
    uint8_t *bytes;
    void *map;
    size_t map_size;
};

/* Makes the copy; the test fails when there is no memory. */
struct guarded guarded_copy(const void *bytes, size_t n);
void guarded_free(struct guarded *guarded);

#endif
