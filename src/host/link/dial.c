/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Chooses between the socket and libvirt's stream.  A stream is not opened
 * while another client has the socket: libvirtd would wait for it and hold the
 * domain, so that nobody gets even a list of domains.
 */
#include <config.h>

#include "host/link/dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/link/holder.h"
#include "host/link/sock.h"
#include "host/link/stream.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* Between two looks at who is connected (ms): a few system calls. */
#define TURN_LOOK_MS 20

static const char *const kinds[] = {
    [TRANSPORT_AUTO] = "auto",
    [TRANSPORT_SOCKET] = "socket",
    [TRANSPORT_STREAM] = "stream",
};

int dial_kind_parse(const char *word, enum target_transport *kind,
                    struct error *err)
{
    *kind = TRANSPORT_AUTO;
    if (!word)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strcmp(kinds[i], word) == 0) {
            *kind = (enum target_transport) i;
            return 0;
        }
    }
    return error_set(err, -EINVAL,
                     "transport '%s': not auto, socket or stream", word);
}

/* One target's way through the roads. */
struct dial {
    const struct target_source *source;
    struct target *target;
    int64_t deadline;
    struct transport **transport;
    struct dialed *dialed;
    struct error *err;
};

static int dial_socket(const struct dial *dial)
{
    const struct target *target = dial->target;

    if (!target->socket) {
        error_set(dial->err, -ENXIO,
                  "domain '%s': channel '%s' has no socket on this machine",
                  target->name, target->channel);
        error_hint(dial->err, "--transport stream");
        return -ENXIO;
    }
    *dial->dialed = (struct dialed) { .stream = false };
    return sock_connect(target->socket, dial->deadline, dial->transport,
                        dial->err);
}

static bool is_taken(const char *path)
{
    struct holder holder;

    return holder_find(path, -1, &holder) == HOLDER_OTHER
           && !holder_is_libvirt(&holder);
}

/*
 * Waits until nobody but libvirt's daemon is connected to the socket.
 *
 * The daemon would connect, too, and wait for a place in a queue that is full
 * of others.  It holds the domain meanwhile: whoever wants to know anything
 * of it, even in a list of all, hangs until that client leaves.
 */
static int dial_wait_turn(const struct dial *dial)
{
    const struct target *target = dial->target;

    if (!target->socket || target->remote)
        return 0;
    while (is_taken(target->socket)) {
        if (deadline_left(dial->deadline) == 0)
            return error_set(dial->err, -ETIMEDOUT,
                             "domain '%s': channel '%s' is not free in time",
                             target->name, target->channel);
        clock_sleep_ms(TURN_LOOK_MS);
    }
    return 0;
}

static bool is_gone(int code)
{
    return code == -ESHUTDOWN || code == -ESRCH;
}

/* The domain was there when we looked at it last: a new look has better words
 * than libvirt for a stream.  Return: the code that goes with them. */
static int dial_gone(const struct dial *dial, int code)
{
    struct error fresh = ERROR_INIT;
    int r = target_refresh(dial->source, dial->target, &fresh);

    if (!is_gone(r))
        return code;
    *dial->err = fresh;
    return r;
}

static int dial_stream(const struct dial *dial, const char *reason)
{
    const struct target *target = dial->target;
    const struct virt_channel channel = { .uri = dial->source->uri,
                                          .uuid = target->uuid,
                                          .channel = target->channel,
                                          .remote = target->remote };
    int r = dial_wait_turn(dial);

    if (r < 0)
        return r;
    *dial->dialed = (struct dialed) { .stream = true };
    snprintf(dial->dialed->reason, sizeof(dial->dialed->reason), "%s", reason);
    r = stream_connect(&channel, dial->deadline, dial->transport, dial->err);
    return is_gone(r) ? dial_gone(dial, r) : r;
}

/* The socket is not there: has the domain stopped, or restarted?  Return: as
 * dial_socket(), -ENOENT when neither is the reason. */
static int dial_moved(const struct dial *dial)
{
    AUTO_FREE char *old = strdup(dial->target->socket);
    struct error fresh = ERROR_INIT;
    int r = old ? target_refresh(dial->source, dial->target, &fresh) : -ENOMEM;

    if (is_gone(r)) {
        *dial->err = fresh;
        return r;
    }
    if (r < 0 || !dial->target->socket
        || strcmp(old, dial->target->socket) == 0)
        return -ENOENT;
    error_clear(dial->err);
    return dial_socket(dial);
}

/* What the stream has to say for itself, rather than for the socket. */
static bool is_its_own(int code)
{
    return code == -EBUSY || code == -ETIMEDOUT || is_gone(code);
}

/* The socket is closed to us, for the reason in err: the stream instead.  When
 * that fails, too, both reasons are told. */
static int dial_instead(struct dial *dial)
{
    struct error *err = dial->err;
    struct error closed = *err;
    struct error own = ERROR_INIT;
    int r;

    dial->err = &own;
    r = dial_stream(dial, closed.message);
    dial->err = err;
    if (r == 0) {
        error_clear(err);
    } else if (is_its_own(r)) {
        *err = own;
    } else if (r != -EOPNOTSUPP) {
        error_set(err, closed.code, "%s; instead: %s", closed.message,
                  own.message);
        error_hint(err, "%s", *own.hint ? own.hint : closed.hint);
    }
    return r == 0 || is_its_own(r) ? r : closed.code;
}

static int dial_auto(struct dial *dial)
{
    int r;

    if (dial->target->remote)
        return dial_stream(dial, "libvirt is on another machine");
    if (!dial->target->socket) {
        r = dial_stream(dial, "the channel has no socket here");
        return r == -EOPNOTSUPP ? dial_socket(dial) : r;
    }
    r = dial_socket(dial);
    if (r == -ENOENT)
        r = dial_moved(dial);
    return r == -EACCES || r == -ENOENT ? dial_instead(dial) : r;
}

int dial_target(const struct target_source *source, struct target *target,
                int64_t deadline, struct transport **transport,
                struct dialed *dialed, struct error *err)
{
    struct error own = ERROR_INIT; /* read on the way */
    struct dial dial = { .source = source,
                         .target = target,
                         .deadline = deadline,
                         .transport = transport,
                         .dialed = dialed,
                         .err = &own };
    int r;

    if (!target->name || source->transport == TRANSPORT_SOCKET)
        r = dial_socket(&dial);
    else if (source->transport == TRANSPORT_STREAM)
        r = dial_stream(&dial, "asked for");
    else
        r = dial_auto(&dial);
    if (r < 0 && err)
        *err = own;
    return r;
}
