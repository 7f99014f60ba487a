/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Figures and line.  The rate is that of the last 4 s, from a ring of samples.
 * The terminal is opened once more with O_NONBLOCK, which on the shared
 * descriptor would hit the shell, too.
 */
#include <config.h>

#include "host/term/progress.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host/term/shorten.h"
#include "util/buf.h"
#include "util/cleanup.h"

#define QUIET_MS 500 /* a copy of that length needs no line */
#define DRAW_MS 100
#define SAMPLES 16    /* so many, so far apart: */
#define SAMPLE_MS 250 /* the rate is that of four seconds */
#define COLUMNS_DEFAULT 80
#define COLUMNS_MAX 512
#define NAME_MIN 4 /* columns; of less of it nobody knows which it is */
#define FIGURES_MAX 128
#define HOURS_MAX 99 /* who wants to know that it takes weeks? */

struct sample {
    int64_t at, moved;
};

struct progress {
    int fd;
    int own_fd; /* the same terminal, not blocking; -1: there is none */
    int64_t (*clock_ms)(void);
    int64_t began, drawn_at;
    int64_t total, files; /* what there will be */
    int64_t done, files_done;
    int64_t moved; /* of done: what really went through */
    bool known;    /* total is one */
    bool never;    /* … and never will be */
    bool begun, ended;
    int drawn; /* columns that are to be erased */
    char *name;
    struct sample samples[SAMPLES]; /* a ring */
    size_t n_samples;               /* ever taken */
};

/*
 * O_NONBLOCK on the descriptor itself would hit everybody who shares it: the
 * shell, above all.  So the terminal is opened once more.
 */
static int open_again(int fd)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

struct progress *progress_new(bool wanted, int fd, int64_t (*clock_ms)(void))
{
    struct progress *progress;

    if (!wanted || !isatty(fd))
        return NULL;
    progress = calloc(1, sizeof(*progress));
    if (!progress)
        return NULL;
    progress->fd = fd;
    progress->own_fd = open_again(fd);
    progress->clock_ms = clock_ms;
    return progress;
}

void progress_free(struct progress *progress)
{
    if (!progress)
        return;
    if (progress->own_fd >= 0)
        close(progress->own_fd);
    free(progress->name);
    free(progress);
}

/* --- the figures --------------------------------------------------------- */

/* "98.2 MiB"; cut off, not rounded, so that nothing is done before it is. */
static int put_size(struct buf *text, int64_t bytes)
{
    static const char units[] = "KMGTPE";
    int64_t size = 1024;
    size_t unit = 0;
    int tenth;

    if (bytes < size)
        return buf_printf(text, "%" PRId64 " B", bytes);
    for (; bytes / size >= 1024; unit++)
        size *= 1024;
    tenth = (int) ((double) (bytes % size) * 10 / (double) size);
    return buf_printf(text, "%" PRId64 ".%d %ciB", bytes / size,
                      tenth > 9 ? 9 : tenth, units[unit]);
}

/* Of the last seconds.  Return: bytes per second, -1 when nobody knows. */
static int64_t rate_of(const struct progress *progress, int64_t now)
{
    size_t n = progress->n_samples;
    const struct sample *oldest =
        &progress->samples[n < SAMPLES ? 0 : n % SAMPLES];

    if (now <= oldest->at)
        return -1;
    return (int64_t) ((double) (progress->moved - oldest->moved) * 1000
                      / (double) (now - oldest->at));
}

static void take_sample(struct progress *progress, int64_t now)
{
    size_t n = progress->n_samples;
    struct sample *last = &progress->samples[(n + SAMPLES - 1) % SAMPLES];

    if (n > 0 && now < last->at + SAMPLE_MS)
        return;
    progress->samples[n % SAMPLES] = (struct sample) { now, progress->moved };
    progress->n_samples++;
}

/* What is left at this rate: "0:12", "1:02:03". */
static int put_left(struct buf *text, const struct progress *progress,
                    int64_t rate)
{
    int64_t left = progress->total - progress->done;
    int64_t seconds;

    if (left <= 0)
        return buf_puts(text, "  0:00");
    if (rate <= 0 || left / rate >= HOURS_MAX * 3600)
        return buf_puts(text, "  -:--");
    seconds = (left - 1) / rate + 1;
    if (seconds < 3600)
        return buf_printf(text, "  %" PRId64 ":%02" PRId64, seconds / 60,
                          seconds % 60);
    return buf_printf(text, "  %" PRId64 ":%02" PRId64 ":%02" PRId64,
                      seconds / 3600, seconds / 60 % 60, seconds % 60);
}

/* Nothing but empty files is counted in files. */
static int percent_of(const struct progress *progress)
{
    bool bytes = progress->total > 0;
    double all = (double) (bytes ? progress->total : progress->files);
    double done = (double) (bytes ? progress->done : progress->files_done);

    if (done >= all)
        return 100;
    return done <= 0 ? 0 : (int) (done * 100 / all);
}

static int put_figures(struct buf *text, const struct progress *progress,
                       int64_t now)
{
    int64_t rate = rate_of(progress, now);
    int r = 0;

    if (progress->files > 1)
        r = buf_printf(text, "%" PRId64 "/%" PRId64 " files",
                       progress->files_done, progress->files);
    if (r == 0 && progress->known)
        r = buf_printf(text, "  %3d%%", percent_of(progress));
    if (r == 0)
        r = buf_puts(text, "  ");
    if (r == 0)
        r = put_size(text, progress->done > 0 ? progress->done : 0);
    if (r == 0)
        r = buf_puts(text, "  ");
    if (r == 0)
        r = put_size(text, rate > 0 ? rate : 0);
    if (r == 0)
        r = buf_puts(text, "/s");
    return r < 0 || !progress->known ? r : put_left(text, progress, rate);
}

/* --- the line ------------------------------------------------------------ */

/* The last column stays free: behind it some terminals begin another line. */
static int columns_of(const struct progress *progress)
{
    struct winsize size = { 0 };
    int columns = COLUMNS_DEFAULT;

    if (ioctl(progress->fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
        columns = size.ws_col;
    return (columns > COLUMNS_MAX ? COLUMNS_MAX : columns) - 1;
}

/* The name, if there is room for some of it, behind some blanks.  Return:
 * columns, or negative errno. */
static int put_name(struct buf *line, const struct progress *progress,
                    const char *blanks, int room)
{
    int n = (int) strlen(blanks);
    int r;

    if (!progress->name || room < n + NAME_MIN)
        return 0;
    r = buf_puts(line, blanks);
    if (r == 0)
        r = shorten_name(line, progress->name, room - n);
    return r < 0 ? r : n + r;
}

/* A single file's name comes first, that of one of many last.  Return: the
 * columns that the line takes, or negative errno. */
static int put_line(struct buf *line, const struct progress *progress,
                    int64_t now)
{
    struct buf figures;
    bool many = progress->files > 1;
    int columns = columns_of(progress);
    int used = 0;
    int name = 0;
    int r;

    buf_init(&figures, FIGURES_MAX);
    r = put_figures(&figures, progress, now);
    if (r == 0)
        used = (int) figures.len < columns ? (int) figures.len : columns;
    if (r == 0 && !many)
        r = name = put_name(line, progress, "", columns - used);
    if (r >= 0)
        r = buf_append(line, buf_data(&figures), (size_t) used);
    if (r == 0 && many)
        r = name = put_name(line, progress, "  ", columns - used);
    buf_free(&figures);
    return r < 0 ? r : used + name;
}

/*
 * Without the second descriptor, only while the terminal says that it takes
 * something.  What becomes of it does not matter: it is drawn again soon.
 */
static void put_out(const struct progress *progress, const struct buf *text)
{
    struct pollfd ready = { .fd = progress->fd, .events = POLLOUT };
    bool own = progress->own_fd >= 0;

    if (!own && poll(&ready, 1, 0) != 1)
        return;
    if (write(own ? progress->own_fd : progress->fd, buf_data(text), text->len)
        < 0)
        return;
}

/* Blanks over what was drawn: any terminal knows these. */
static int put_erasure(struct buf *text, const struct progress *progress)
{
    int columns = columns_of(progress);

    if (progress->drawn < columns)
        columns = progress->drawn;
    return buf_printf(text, "\r%*s\r", columns, "");
}

/* In the background it would come between what is done in front of it. */
static bool in_front(const struct progress *progress)
{
    pid_t group = tcgetpgrp(progress->fd);

    return group < 0 || group == getpgrp();
}

static void draw(struct progress *progress, int64_t now)
{
    struct buf text;
    int r;

    /* An escaped byte takes four columns, a character at most four bytes. */
    buf_init(&text, (size_t) 8 * COLUMNS_MAX);
    r = put_erasure(&text, progress);
    if (r == 0)
        r = put_line(&text, progress, now);
    if (r >= 0) {
        put_out(progress, &text);
        progress->drawn = r;
    }
    buf_free(&text);
}

/* Something is new. */
static void progress_turn(struct progress *progress)
{
    int64_t now = progress->clock_ms();

    if (!progress->begun) {
        progress->begun = true;
        progress->began = progress->drawn_at = now;
    }
    take_sample(progress, now);
    if (progress->ended || now < progress->began + QUIET_MS
        || now < progress->drawn_at + DRAW_MS || !in_front(progress))
        return;
    progress->drawn_at = now;
    draw(progress, now);
}

/* --- what is told -------------------------------------------------------- */

void progress_total(struct progress *progress, int64_t bytes, int64_t files)
{
    if (!progress)
        return;
    progress->total = progress->files = 0;
    progress->known = progress->never = false;
    progress_add_total(progress, bytes, files);
}

void progress_add_total(struct progress *progress, int64_t bytes,
                        int64_t files)
{
    if (!progress)
        return;
    progress->never = progress->never || bytes < 0;
    progress->known = !progress->never;
    progress->total += bytes > 0 ? bytes : 0;
    progress->files += files;
    progress_turn(progress);
}

void progress_file(struct progress *progress, const char *name)
{
    if (!progress)
        return;
    free(progress->name);
    progress->name = strdup(name); /* without memory it has no name */
    progress_turn(progress);
}

void progress_bytes(struct progress *progress, int64_t n)
{
    if (!progress)
        return;
    progress->done += n;
    progress->moved += n;
    progress_turn(progress);
}

void progress_file_done(struct progress *progress)
{
    if (!progress)
        return;
    progress->files_done++;
    progress_turn(progress);
}

void progress_skip(struct progress *progress, int64_t n)
{
    if (!progress)
        return;
    progress->done += n;
    progress_turn(progress);
}

void progress_clear(struct progress *progress)
{
    struct buf text;

    if (!progress || !progress->drawn)
        return;
    buf_init(&text, COLUMNS_MAX + 2);
    if (put_erasure(&text, progress) == 0) {
        put_out(progress, &text);
        progress->drawn = 0;
    }
    buf_free(&text);
}

void progress_end(struct progress *progress)
{
    if (!progress)
        return;
    progress_clear(progress);
    progress->ended = true;
}
