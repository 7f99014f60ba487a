/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Opens a channel and carries its bytes in libvirt's event loop, with one
 * buffer for each direction, filled again when it is empty.  A busy channel
 * cannot be polled for, so that opening it is tried every 20 ms.
 */
#include <config.h>

#include "host/domain/virt_stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/domain/virt_priv.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fd.h"

/* What libvirt carries in one message. */
#define CHUNK (256 * 1024)

/* A channel that another stream has cannot be polled for; this is how often
 * we look again (ms). */
#define BUSY_LOOK_MS 20

/* A remote libvirt that is silent for 5 * (3 + 1) s is gone.  Not asked for
 * on this machine: there the end of libvirtd is seen at once, and a guest that
 * takes nothing makes libvirtd deaf for signs of life. */
#define KEEPALIVE_S 5
#define KEEPALIVE_COUNT 3

struct virt_stream {
    virConnectPtr connection;
    virStreamPtr stream;
    bool watched; /* the stream has its callback */
    bool open;    /* to be aborted at the end */
    bool over;    /* one of both ends has ended */
    int fd;
    int watch;      /* of fd; -1: none */
    size_t up_at;   /* bytes of up that libvirt has taken … */
    size_t up_len;  /* … of so many */
    size_t down_at; /* the same for the other way */
    size_t down_len;
    char up[CHUNK];   /* from fd to the channel */
    char down[CHUNK]; /* and back */
};

/* --- opening -------------------------------------------------------------- */

static const struct {
    int code;
    int error;
} refusals[] = {
    /* "Active channel stream exists": the words are translated, and nothing
     * else has this code there */
    { VIR_ERR_OPERATION_FAILED, -EBUSY },
    { VIR_ERR_OPERATION_INVALID, -ESHUTDOWN },
    { VIR_ERR_NO_DOMAIN, -ESRCH },
    { VIR_ERR_NO_SUPPORT, -EOPNOTSUPP },
};

static int stream_code(void)
{
    const virError *last = virGetLastError();

    if (virt_denied())
        return -EACCES;
    for (size_t i = 0; last && i < ARRAY_SIZE(refusals); i++)
        if (refusals[i].code == last->code)
            return refusals[i].error;
    /* QEMU's queue is full of others who wait for the same channel. */
    if (last && last->code == VIR_ERR_SYSTEM_ERROR && last->int1 == EAGAIN)
        return -EBUSY;
    return -EIO;
}

/* To be told before anything else is said to libvirt: a call that succeeds,
 * even one that frees something, forgets why the last one failed. */
static int stream_refused(const struct virt_channel *channel,
                          struct error *err)
{
    int code = stream_code();

    if (code == -EBUSY) {
        error_set(err, code,
                  "channel '%s': busy: another client has it open through "
                  "libvirt",
                  channel->channel);
        error_hint(err, "end that client (virsh console, another host's "
                        "vsrpc-virsh); if there is none, one was killed: "
                        "restart libvirtd");
        return code;
    }
    error_set(err, code, "channel '%s' through libvirt: %s", channel->channel,
              virt_words());
    if (code == -EACCES)
        error_hint(err, "run as root, or add yourself to group 'libvirt'");
    return code;
}

/* One try.  Return: 0, -EBUSY, others as virt_stream_open(). */
static int stream_try(struct virt_stream *stream,
                      const struct virt_channel *channel, struct error *err)
{
    virDomainPtr domain = virDomainLookupByUUIDString(stream->connection,
                                                      channel->uuid);
    int r = 0;

    if (!domain)
        return stream_refused(channel, err);
    stream->stream = virStreamNew(stream->connection, VIR_STREAM_NONBLOCK);
    if (!stream->stream
        || virDomainOpenChannel(domain, channel->channel, stream->stream, 0)
               < 0)
        r = stream_refused(channel, err);
    virDomainFree(domain);
    if (r == 0) {
        stream->open = true;
    } else if (stream->stream) {
        virStreamFree(stream->stream);
        stream->stream = NULL;
    }
    return r;
}

static int stream_enter(struct virt_stream *stream,
                        const struct virt_channel *channel, int fd,
                        int64_t deadline, struct error *err)
{
    for (;;) {
        int r;

        error_clear(err); /* of the try before */
        r = stream_try(stream, channel, err);
        if (r != -EBUSY || deadline_left(deadline) == 0)
            return r;
        /* Nobody writes before we have said that it is open. */
        if (fd_wait(fd, POLLIN,
                    deadline_min(deadline, deadline_in(BUSY_LOOK_MS)))
            == 0)
            return error_set(err, -ECANCELED, "nobody waits any more");
    }
}

/* The connection itself ended: libvirtd was restarted, the network is gone. */
static void on_close(virConnectPtr connection, int reason, void *context)
{
    struct virt_stream *stream = context;

    (void) connection;
    (void) reason;
    stream->over = true;
}

int virt_stream_open(const struct virt_channel *channel, int fd,
                     int64_t deadline, struct virt_stream **stream,
                     struct error *err)
{
    struct virt_stream *opened = calloc(1, sizeof(*opened));
    int r;

    if (!opened)
        return error_errno(err, -ENOMEM, "libvirt");
    opened->fd = fd;
    opened->watch = -1;
    /* Before the connection, or that one does without events. */
    r = virEventRegisterDefaultImpl() < 0
            ? error_set(err, -EIO, "libvirt: %s", virt_words())
            : virt_connect(channel->uri, false, &opened->connection, err);
    if (r == 0) {
        virConnectRegisterCloseCallback(opened->connection, on_close, opened,
                                        NULL);
        /* Not supported is as good as not needed. */
        if (channel->remote)
            virConnectSetKeepAlive(opened->connection, KEEPALIVE_S,
                                   KEEPALIVE_COUNT);
        r = stream_enter(opened, channel, fd, deadline, err);
    }
    if (r < 0) {
        virt_stream_close(opened);
        return r;
    }
    *stream = opened;
    return 0;
}

/* --- carrying ------------------------------------------------------------- */

/* What each side is watched for: one's readable only while the buffer towards
 * the other is empty. */
static void relay_watch(const struct virt_stream *stream)
{
    int fd_events = VIR_EVENT_HANDLE_HANGUP | VIR_EVENT_HANDLE_ERROR;
    int stream_events = VIR_STREAM_EVENT_HANGUP | VIR_STREAM_EVENT_ERROR;

    if (stream->up_len)
        stream_events |= VIR_STREAM_EVENT_WRITABLE;
    else
        fd_events |= VIR_EVENT_HANDLE_READABLE;
    if (stream->down_len)
        fd_events |= VIR_EVENT_HANDLE_WRITABLE;
    else
        stream_events |= VIR_STREAM_EVENT_READABLE;
    virEventUpdateHandle(stream->watch, fd_events);
    virStreamEventUpdateCallback(stream->stream, stream_events);
}

/* Gives what is there to the channel.  Return: false when it takes no more
 * for now. */
static bool relay_send(struct virt_stream *stream)
{
    while (stream->up_at < stream->up_len && !stream->over) {
        int n = virStreamSend(stream->stream, stream->up + stream->up_at,
                              stream->up_len - stream->up_at);

        if (n == -2)
            return false;
        if (n < 0)
            stream->over = true;
        else
            stream->up_at += (size_t) n;
    }
    stream->up_at = 0;
    stream->up_len = 0;
    return !stream->over;
}

static void relay_up(struct virt_stream *stream)
{
    while (relay_send(stream)) {
        ssize_t got = recv(stream->fd, stream->up, CHUNK, MSG_DONTWAIT);

        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0)
            stream->over = true;
        else
            stream->up_len = (size_t) got;
    }
}

static bool relay_give(struct virt_stream *stream)
{
    while (stream->down_at < stream->down_len && !stream->over) {
        ssize_t n = send(stream->fd, stream->down + stream->down_at,
                         stream->down_len - stream->down_at,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0 && errno != EINTR)
            stream->over = true;
        else if (n > 0)
            stream->down_at += (size_t) n;
    }
    stream->down_at = 0;
    stream->down_len = 0;
    return !stream->over;
}

static void relay_down(struct virt_stream *stream)
{
    while (relay_give(stream)) {
        int got = virStreamRecv(stream->stream, stream->down, CHUNK);

        if (got == -2)
            return;
        if (got <= 0)
            stream->over = true;
        else
            stream->down_len = (size_t) got;
    }
}

static void on_fd(int watch, int fd, int events, void *context)
{
    struct virt_stream *stream = context;

    (void) watch;
    (void) fd;
    if (events & VIR_EVENT_HANDLE_WRITABLE)
        relay_down(stream);
    /* An end is read as one. */
    if (events & ~VIR_EVENT_HANDLE_WRITABLE)
        relay_up(stream);
    relay_watch(stream);
}

static void on_stream(virStreamPtr handle, int events, void *context)
{
    struct virt_stream *stream = context;

    (void) handle;
    if (events & VIR_STREAM_EVENT_WRITABLE)
        relay_up(stream);
    if (events & ~VIR_STREAM_EVENT_WRITABLE)
        relay_down(stream);
    relay_watch(stream);
}

void virt_stream_relay(struct virt_stream *stream, int fd)
{
    stream->fd = fd;
    stream->watched = virStreamEventAddCallback(stream->stream,
                                                VIR_STREAM_EVENT_READABLE,
                                                on_stream, stream, NULL)
                      == 0;
    stream->watch = virEventAddHandle(fd, VIR_EVENT_HANDLE_READABLE, on_fd,
                                      stream, NULL);
    if (!stream->watched || stream->watch < 0)
        return;
    while (!stream->over && virEventRunDefaultImpl() == 0)
        ;
}

void virt_stream_close(struct virt_stream *stream)
{
    if (stream->watch >= 0)
        virEventRemoveHandle(stream->watch);
    if (stream->watched)
        virStreamEventRemoveCallback(stream->stream);
    if (stream->open)
        virStreamAbort(stream->stream);
    if (stream->stream)
        virStreamFree(stream->stream);
    if (stream->connection) {
        virConnectUnregisterCloseCallback(stream->connection, on_close);
        virConnectClose(stream->connection);
    }
    free(stream);
}
