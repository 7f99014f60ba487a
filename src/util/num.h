/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Strict numbers: the whole string is the number, no sign or blank that was
 * not asked for, and a range that the caller states.
 */
#ifndef VSRPC_UTIL_NUM_H
#define VSRPC_UTIL_NUM_H

#include <stdint.h>
#include <time.h>

/*
 * Reads decimal digits only.
 *
 * Return: 0, -EINVAL when it is not such a number, -ERANGE outside min..max.
 */
int num_parse(const char *text, int64_t min, int64_t max, int64_t *value);

/*
 * Reads a size in bytes: digits and an optional unit, any case, perhaps with
 * one blank between: B, K or KB or KiB (1024), M…, G…, T….  As the log
 * settings of the specification use it, every unit is a power of 1024.
 *
 * Return: 0, -EINVAL, -ERANGE outside min..max.
 */
int num_parse_size(const char *text, int64_t min, int64_t max, int64_t *value);

/* The value of a hexadecimal digit of any case, or -1. */
int num_hex_digit(char c);

/*
 * Reads a file mode in octal, "644" or "0644", at most 07777.
 *
 * Return: 0 or -EINVAL.
 */
int num_parse_mode(const char *text, unsigned int *mode);

/*
 * Reads a time in seconds since the epoch, perhaps with a fraction of up to
 * nine digits, which counts upwards: "1700000000.25"; "-1.75" is a quarter of
 * a second before 1970.
 *
 * Return: 0 or -EINVAL.
 */
int num_parse_time(const char *text, struct timespec *time);

#endif
