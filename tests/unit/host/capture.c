/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/host/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit/unit.h"

static struct {
    FILE *file;
    int saved;
} captures[3];

void capture_start(int fd)
{
    fflush(NULL);
    captures[fd].file = tmpfile();
    ck_assert_ptr_nonnull(captures[fd].file);
    captures[fd].saved = dup(fd);
    ck_assert_int_ge(dup2(fileno(captures[fd].file), fd), 0);
}

char *capture_end(int fd, size_t *n)
{
    FILE *file = captures[fd].file;
    char *text;
    long size;

    ck_assert_int_ge(dup2(captures[fd].saved, fd), 0);
    close(captures[fd].saved);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    ck_assert_int_ge(size, 0);
    rewind(file);
    text = calloc(1, (size_t) size + 1);
    ck_assert_ptr_nonnull(text);
    *n = fread(text, 1, (size_t) size, file);
    ck_assert_uint_eq(*n, (size_t) size);
    fclose(file);
    return text;
}
