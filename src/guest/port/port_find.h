/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* Finding a virtio port, and being told when it appears. */
#ifndef VSRPC_GUEST_PORT_PORT_FIND_H
#define VSRPC_GUEST_PORT_PORT_FIND_H

/*
 * Opens a port by its path; where udev made no link, by the path's last
 * component among the names under /sys/class/virtio-ports
 * (Documentation/ABI/…: each port has an attribute "name").
 *
 * Return: a descriptor, not blocking; -ENOENT; -EBUSY when another process
 * has it open; other negative errno.
 */
int port_find(const char *path);

/* An inotify descriptor.  Return: it, or -1. */
int port_watch_open(void);

/* Watches /dev and the folder of the path, whichever exist by now. */
void port_watch_add(int fd, const char *path);

/* Reads the events away; that there were some is all that matters. */
void port_watch_drain(int fd);

#endif
