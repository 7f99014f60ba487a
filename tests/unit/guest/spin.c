/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/guest/spin.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "unit/unit.h"
#include "util/clock.h"

#define TURN_MS 2

static void turn_over(void *arg)
{
    struct loop *loop = arg;

    loop->stop = true;
}

/* One poll() at least, and no longer than a turn. */
static void turn(struct loop *loop)
{
    struct loop_timer timer = { .expired = turn_over, .arg = loop };

    loop_timer_start(loop, &timer, TURN_MS);
    loop->stop = false;
    ck_assert_int_eq(loop_run(loop), 0);
    loop_timer_stop(loop, &timer);
}

bool spin_until(struct loop *loop, bool (*there)(void *arg), void *arg)
{
    int64_t deadline = deadline_in(SPIN_MAX_MS);

    while (!there(arg)) {
        if (deadline_left(deadline) == 0)
            return false;
        turn(loop);
    }
    return true;
}

void spin_for(struct loop *loop, int ms)
{
    int64_t deadline = deadline_in(ms);

    while (deadline_left(deadline) > 0)
        turn(loop);
}

bool spin_childless(void *unused)
{
    siginfo_t info;

    (void) unused;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0
           && errno == ECHILD;
}

/* proc(5), /proc/PID/stat: state and process group. */
static bool lives_in(const char *name, pid_t group)
{
    char path[300];
    char state = 'Z';
    int of = 0;
    FILE *stream;

    snprintf(path, sizeof(path), "/proc/%s/stat", name);
    stream = fopen(path, "re");
    if (!stream)
        return false;
    if (fscanf(stream, "%*d (%*[^)]) %c %*d %d", &state, &of) != 2)
        state = 'Z';
    fclose(stream);
    return of == group && state != 'Z' && state != 'X';
}

bool spin_group_gone(pid_t group)
{
    DIR *proc = opendir("/proc");
    bool gone = true;

    ck_assert_ptr_nonnull(proc);
    for (struct dirent *entry; gone && (entry = readdir(proc));)
        if (atoi(entry->d_name) > 0 && lives_in(entry->d_name, group))
            gone = false;
    closedir(proc);
    return gone;
}
