/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Terminals by posix_openpt(3) and ioctl(2).  IUTF8 is set as the programs'
 * locale needs it; the end of the input is the terminal's VEOF character, and
 * is only sent in canonical mode.
 */
#include <config.h>

#include "guest/proc/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "util/cleanup.h"

#define NAME_MAX_PTY 64 /* "/dev/pts/" and a number */

static int master_open(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static int slave_open(int master)
{
    char name[NAME_MAX_PTY];
    int fd;

    if (grantpt(master) < 0 || unlockpt(master) < 0
        || ptsname_r(master, name, sizeof(name)) != 0)
        return errno ? -errno : -EIO;
    fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The one setting that differs from the kernel's: a backspace takes a whole
 * character, because the programs' locale is UTF-8. */
static void set_utf8(int slave)
{
    struct termios settings;

    if (tcgetattr(slave, &settings) < 0)
        return;
    settings.c_iflag |= IUTF8;
    tcsetattr(slave, TCSANOW, &settings);
}

int pty_open(const struct pty_size *size, uid_t owner, int *master, int *slave)
{
    AUTO_CLOSE int ours = master_open();
    AUTO_CLOSE int theirs = ours < 0 ? -1 : slave_open(ours);
    int r;

    if (ours < 0)
        return ours;
    if (theirs < 0)
        return theirs;
    /* Whose it is may open it again, as /dev/tty or by its name. */
    if (owner != geteuid() && fchown(theirs, owner, (gid_t) -1) < 0)
        return -errno;
    r = pty_resize(ours, size);
    if (r < 0)
        return r;
    set_utf8(theirs);
    *master = steal_fd(&ours);
    *slave = steal_fd(&theirs);
    return 0;
}

int pty_resize(int master, const struct pty_size *size)
{
    const struct winsize window = { .ws_row = size->rows,
                                    .ws_col = size->columns };

    return ioctl(master, TIOCSWINSZ, &window) < 0 ? -errno : 0;
}

int pty_take(int slave)
{
    return ioctl(slave, TIOCSCTTY, 0);
}

pid_t pty_foreground(int master)
{
    pid_t group = tcgetpgrp(master);

    return group > 0 ? group : 0;
}

/* The character gives the program what has been typed; that is the end of the
 * input when nothing has. */
void pty_end_input(int master, bool inside)
{
    struct termios settings;
    char ends[2];
    ssize_t n = inside ? 2 : 1;

    if (tcgetattr(master, &settings) < 0 || !(settings.c_lflag & ICANON))
        return;
    memset(ends, settings.c_cc[VEOF], sizeof(ends));
    if (write(master, ends, (size_t) n) != n)
        return; /* nobody reads */
}
