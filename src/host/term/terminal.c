/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * termios(3), and SIGWINCH as a signalfd, blocked only in raw mode.  Changing
 * the mode does not flush what was typed ahead, which is for the guest.
 */
#include <config.h>

#include "host/term/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "util/fd.h"

/* Held back only while somebody asks for it: by default it does nothing. */
static void window_block(int how)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(how, &set, NULL);
}

static int window_watch(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    window_block(SIG_BLOCK);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int terminal_raw(struct terminal *terminal, struct error *err)
{
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &terminal->before) < 0)
        return error_errno(err, -errno, "terminal");
    raw = terminal->before;
    cfmakeraw(&raw);
    /* Not flushed: what was typed ahead is for the guest. */
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
        return error_errno(err, -errno, "terminal");
    terminal->fd = STDIN_FILENO;
    terminal->window = window_watch();
    return 0;
}

void terminal_restore(struct terminal *terminal)
{
    if (terminal->fd < 0)
        return;
    tcsetattr(terminal->fd, TCSADRAIN, &terminal->before);
    terminal->fd = -1;
    fd_close(&terminal->window);
    window_block(SIG_UNBLOCK);
}

void terminal_size(int *rows, int *columns)
{
    static const int fds[] = { STDIN_FILENO, STDOUT_FILENO };
    struct winsize size = { 0 };

    for (size_t i = 0; i < sizeof(fds) / sizeof(int) && !size.ws_row; i++)
        (void) ioctl(fds[i], TIOCGWINSZ, &size);
    *rows = size.ws_row ? size.ws_row : 24;
    *columns = size.ws_col ? size.ws_col : 80;
}
