/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What every harness shares.  A harness is one function that is fed arbitrary
 * bytes: by libFuzzer (configure --enable-fuzzers), or with the files of its
 * corpus by replay.c.  What has to hold it says with Check's assertions, which
 * abort() here, for there is no runner of Check's.
 */
#ifndef VSRPC_TESTS_FUZZ_H
#define VSRPC_TESTS_FUZZ_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

/* Takes n bytes.  Return: 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#endif
