/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Pseudo terminals (pty(7)).  What the program writes is read from the master,
 * which gives EIO when nobody has the terminal any more.
 */
#ifndef VSRPC_GUEST_PROC_PTY_H
#define VSRPC_GUEST_PROC_PTY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pty_size {
    uint16_t rows;
    uint16_t columns;
};

/*
 * Makes a terminal of a size, which belongs to a user.  Both descriptors are
 * closed by execve(2), and the master does not block.
 *
 * Return: 0, or negative errno with nothing open.
 */
int pty_open(const struct pty_size *size, uid_t owner, int *master,
             int *slave);

/* Changes the size; its programs are told.  Return: 0 or negative errno. */
int pty_resize(int master, const struct pty_size *size);

/* Of a new process that leads its session: the terminal is its controlling
 * one.  Return: 0, or -1 with errno. */
int pty_take(int slave);

/* Return: the process group in the foreground; 0: none. */
pid_t pty_foreground(int master);

/* As if the end of the input were typed, unless the program reads single
 * keys.  inside: the last line is not complete. */
void pty_end_input(int master, bool inside);

#endif
