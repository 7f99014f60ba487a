/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/inlet.h"

#include <errno.h>
#include <unistd.h>

#define READ_STEP (64 * 1024)
#define TYPED_STEP 256 /* of what a person types, or pastes */

void inlet_init(struct inlet *inlet, int fd)
{
    *inlet = (struct inlet) { .fd = fd, .escape = ESCAPE_INIT };
}

int inlet_watch(struct inlet *inlet, struct wake *wake, bool wanted)
{
    int r;

    if (inlet->always)
        return 0;
    r = wake_set(wake, WAKE_INPUT, wanted ? inlet->fd : -1);
    inlet->always = r == -EPERM;
    return r == -EPERM ? 0 : r;
}

/* Return: as read(2), with negative errno. */
static ssize_t fill_plain(const struct inlet *inlet, struct buf *into)
{
    size_t room = buf_room(into) < READ_STEP ? buf_room(into) : READ_STEP;
    uint8_t *where;
    ssize_t n;

    if (buf_reserve(into, room, &where) < 0)
        return -EAGAIN;
    n = read(inlet->fd, where, room);
    if (n > 0)
        buf_commit(into, (size_t) n);
    return n < 0 ? -errno : n;
}

/* As fill_plain(); *left: the way out was among it. */
static ssize_t fill_typed(struct inlet *inlet, struct buf *into, bool *left)
{
    char typed[TYPED_STEP];
    uint8_t *where;
    ssize_t n;

    if (buf_reserve(into, sizeof(typed) + 1, &where) < 0)
        return -EAGAIN;
    n = read(inlet->fd, typed, sizeof(typed));
    if (n > 0)
        buf_commit(into, escape_filter(&inlet->escape, typed, (size_t) n,
                                       (char *) where, left));
    return n < 0 ? -errno : n;
}

static size_t room_needed(const struct inlet *inlet)
{
    return inlet->typed ? TYPED_STEP + 1 : 1;
}

enum inlet_end inlet_fill(struct inlet *inlet, struct buf *into)
{
    bool left = false;
    ssize_t n = 1;

    while (n > 0 && !left && inlet->fd >= 0
           && (inlet->always || inlet->ready)
           && buf_room(into) >= room_needed(inlet)) {
        inlet->ready = false; /* for one read */
        n = inlet->typed ? fill_typed(inlet, into, &left)
                         : fill_plain(inlet, into);
    }
    inlet->ready = false;
    if (!left && (n > 0 || n == -EAGAIN || n == -EINTR))
        return INLET_OPEN;
    inlet->fd = -1;
    return inlet->typed ? INLET_LEFT : INLET_EOF;
}
