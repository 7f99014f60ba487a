/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What every unit test program shares: main(), which prints TAP, and files.
 */
#ifndef VSRPC_TESTS_UNIT_H
#define VSRPC_TESTS_UNIT_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

#include "unit/guarded.h"
#include "util/cleanup.h"

/* Each test program defines this: its name and its cases. */
extern const char unit_name[];
void unit_cases(TCase *tcase);

/* A string literal and its length, NUL bytes inside included. */
#define BYTES(literal) (literal), sizeof(literal) - 1

/* A new folder for one test's files; the caller frees the name and removes
 * the folder with unit_rmdir(). */
char *unit_tmpdir(void);
void unit_rmdir(char *path);

/* As unit_rmdir(), with all folders inside. */
void unit_rmtree(char *path);

/* "DIR/NAME", to be freed. */
char *unit_path(const char *folder, const char *name);

/* Writes and reads a whole small file; the test fails when it cannot.  The
 * text that is read is to be freed. */
void unit_write_file(const char *path, const char *text);
char *unit_read_file(const char *path);

#endif
