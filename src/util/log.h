/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Logging with levels to a file that rotates by size, to standard error or to
 * the journal.
 *
 * "Journal" is standard error with the priority prefixes of sd-daemon(3):
 * under systemd that is the journal, and it needs no library.
 */
#ifndef VSRPC_UTIL_LOG_H
#define VSRPC_UTIL_LOG_H

#include <stdint.h>

#include "util/error.h"

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

enum log_sink {
    LOG_SINK_NONE,
    LOG_SINK_STDERR,
    LOG_SINK_JOURNAL,
    LOG_SINK_FILE,
};

struct log {
    enum log_sink sink;
    enum log_level level; /* messages above it are dropped */
    const char *program;  /* shown on standard error; not owned */
    char *path;           /* of the file; owned */
    int fd;               /* the open file, or -1 */
    int64_t size;         /* bytes in the file now */
    int64_t max_size;     /* rotate before it grows past this; 0: never */
    int backups;          /* FILE.1 … FILE.n are kept; 0: start anew */
};

/*
 * Opens a log.  target is a file's path, or one of the words "stderr",
 * "journal" and "none".  A log that is not open (sink none) may be written to.
 *
 * Return: 0, or negative errno when the file cannot be opened.  Even then it may
 * be written to, and is to be closed: each line tries again, and goes to standard
 * error until that is done.
 */
int log_open(struct log *log, const char *program, const char *target,
             enum log_level level, int64_t max_size, int backups,
             struct error *err);

/* Writes one line, with time and level.  Control characters in the text are
 * replaced, so that a peer cannot forge a line. */
void log_write(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Closes and frees; a closed log drops what is written to it. */
void log_close(struct log *log);

/*
 * Reads a level by name, any case: ERROR, WARNING (or WARN), INFO, DEBUG.
 *
 * Return: 0 or -EINVAL.
 */
int log_level_parse(const char *name, enum log_level *level);

#define log_error(log, ...) log_write(log, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_write(log, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(log, ...) log_write(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_write(log, LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
