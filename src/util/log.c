/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Lines for each sink, and rotation: FILE becomes FILE.1, and so on.  Control
 * characters become '?', also C1 in UTF-8, which some terminals obey.  A line
 * that cannot be written is dropped, because a full disk must not stop the
 * program; while there is no file, they are told on standard error.
 */
#include <config.h>

#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"
#include "util/text.h"

#define LINE_MAX_BYTES 2048 /* a longer message is cut: logs are for reading */

static const struct {
    const char *name;
    enum log_level level;
    int priority; /* syslog(3), for the journal */
} levels[] = {
    { "ERROR", LOG_LEVEL_ERROR, 3 },  { "WARNING", LOG_LEVEL_WARNING, 4 },
    { "INFO", LOG_LEVEL_INFO, 6 },    { "DEBUG", LOG_LEVEL_DEBUG, 7 },
    { "WARN", LOG_LEVEL_WARNING, 4 },
};

int log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        if (strcasecmp(name, levels[i].name) == 0) {
            *level = levels[i].level;
            return 0;
        }
    }
    return -EINVAL;
}

/* Opens (or makes) the file.  0640: it shows what commands were run. */
static int log_file_open(struct log *log)
{
    struct stat st;

    log->fd = open(log->path,
                   O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                   0640);
    if (log->fd < 0)
        return -errno;
    log->size = fstat(log->fd, &st) == 0 ? (int64_t) st.st_size : 0;
    return 0;
}

static enum log_sink log_sink_of(const char *target)
{
    if (strcmp(target, "none") == 0)
        return LOG_SINK_NONE;
    if (strcmp(target, "stderr") == 0)
        return LOG_SINK_STDERR;
    if (strcmp(target, "journal") == 0)
        return LOG_SINK_JOURNAL;
    return LOG_SINK_FILE;
}

int log_open(struct log *log, const char *program, const char *target,
             enum log_level level, int64_t max_size, int backups,
             struct error *err)
{
    int r;

    *log = (struct log) { .sink = log_sink_of(target),
                          .level = level,
                          .program = program,
                          .fd = -1,
                          .max_size = max_size,
                          .backups = backups };
    if (log->sink != LOG_SINK_FILE)
        return 0;
    log->path = strdup(target);
    r = log->path ? log_file_open(log) : -ENOMEM;
    if (!log->path)
        log->sink = LOG_SINK_STDERR;
    return r < 0 ? error_errno(err, r, "log file '%s'", target) : 0;
}

/* The name of backup i; i 0 is the file itself. */
static void log_backup_name(const struct log *log, int i, char *name, size_t n)
{
    if (i == 0)
        snprintf(name, n, "%s", log->path);
    else
        snprintf(name, n, "%s.%d", log->path, i);
}

/* FILE.4 to FILE.5, …, FILE to FILE.1, then a new FILE. */
static void log_rotate(struct log *log)
{
    char from[4096];
    char to[4096];

    fd_close(&log->fd);
    for (int i = log->backups; i > 0; i--) {
        log_backup_name(log, i - 1, from, sizeof(from));
        log_backup_name(log, i, to, sizeof(to));
        rename(from, to);
    }
    if (log->backups == 0)
        unlink(log->path);
    log_file_open(log);
}

static size_t log_stamp(char *line, size_t n, const char *level)
{
    time_t now = time(NULL);
    struct tm local;

    localtime_r(&now, &local);
    strftime(line, n, "%Y-%m-%dT%H:%M:%S%z", &local);
    n -= strlen(line);
    snprintf(line + strlen(line), n, " [%s] ", level);
    return strlen(line);
}

/* The prefix that the sink wants in front of a message. */
static size_t log_prefix(const struct log *log, enum log_level level,
                         char *line, size_t n)
{
    switch (log->sink) {
    case LOG_SINK_FILE:
        return log_stamp(line, n, levels[level].name);
    case LOG_SINK_JOURNAL:
        return (size_t) snprintf(line, n, "<%d>", levels[level].priority);
    default:
        return (size_t) snprintf(line, n, "[%s] ", levels[level].name);
    }
}

static void log_emit(struct log *log, const char *line, size_t n)
{
    if (log->sink == LOG_SINK_FILE && log->fd < 0)
        log_file_open(log);
    if (log->fd >= 0 && log->max_size > 0
        && log->size + (int64_t) n > log->max_size)
        log_rotate(log);
    /* A full disk must not stop the program; the line is lost. */
    if (log->fd < 0)
        fd_write_all(STDERR_FILENO, line, n);
    else if (fd_write_all(log->fd, line, n) == 0)
        log->size += (int64_t) n;
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;
    size_t used;

    if (log->sink == LOG_SINK_NONE || level > log->level)
        return;
    used = log_prefix(log, level, line, sizeof(line));
    va_start(args, format);
    vsnprintf(line + used, sizeof(line) - used - 1, format, args);
    va_end(args);
    text_make_harmless(line + used);
    used = strlen(line);
    line[used++] = '\n';
    log_emit(log, line, used);
}

void log_close(struct log *log)
{
    fd_close(&log->fd);
    free(log->path);
    log->path = NULL;
    log->sink = LOG_SINK_NONE;
}
