/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* rpc_open(): connections and syncs, until one of them is answered. */
#include <config.h>

#include "host/rpc.h"

#include <errno.h>

#include "proto/limits.h"
#include "util/clock.h"
#include "util/fd.h"

/* One read while looking for the answer to a sync, which is small. */
#define SYNC_STEP (16 * 1024)

/* One run of the machine of proto/hello.h. */
struct opening {
    struct rpc *rpc;
    const struct rpc_dialer *dialer;
    struct error *err;
    struct hello hello;
};

/* What a transport gave back instead of bytes.  Return: 0 when another
 * connection may do better. */
static int opening_lost(struct opening *opening, int64_t code)
{
    if (code == -ECANCELED || code == -ENOMEM)
        return error_errno(opening->err, (int) code, "sync");
    hello_lost(&opening->hello, clock_ms());
    return 0;
}

static int opening_send(struct opening *opening, const struct buf *request)
{
    struct transport *transport = opening->rpc->transport;
    size_t done = 0;

    while (done < request->len) {
        int64_t wrote = transport->ops->write(
            transport, buf_data(request) + done, request->len - done,
            opening->hello.until);

        if (wrote <= 0)
            return opening_lost(opening, wrote);
        done += (size_t) wrote;
    }
    return 0;
}

static int opening_connect(struct opening *opening)
{
    const struct rpc_dialer *dialer = opening->dialer;
    struct hello *hello = &opening->hello;
    struct rpc *rpc = opening->rpc;
    char id[RPC_ID_SIZE];
    struct buf request;
    int r = rpc_new_id(id);

    if (r < 0)
        return error_errno(opening->err, r, "random numbers");
    r = dialer->dial(dialer->context, hello->limit, &rpc->transport,
                     opening->err);
    if (r < 0)
        return r;
    rpc->transport->wake_fd = rpc->wake_fd;
    buf_init(&request, HTTP_HEAD_MAX);
    r = hello_connected(hello, id, clock_ms(), clock_wall(), &request);
    r = r < 0 ? error_errno(opening->err, r, "sync")
              : opening_send(opening, &request);
    buf_free(&request);
    return r;
}

static int opening_listen(struct opening *opening)
{
    struct transport *transport = opening->rpc->transport;
    uint8_t step[SYNC_STEP];
    int64_t got = transport->ops->read(transport, step, sizeof(step),
                                       opening->hello.until);
    int r;

    if (got <= 0)
        return opening_lost(opening, got);
    r = hello_feed(&opening->hello, step, (size_t) got, clock_ms());
    return r < 0 ? error_errno(opening->err, r, "sync") : 0;
}

static int opening_wait(struct opening *opening)
{
    struct hello *hello = &opening->hello;

    rpc_close(opening->rpc);
    if (fd_wait_or(-1, 0, opening->rpc->wake_fd, hello->until) == -ECANCELED)
        return error_set(opening->err, -ECANCELED, "interrupted");
    hello_tick(hello, clock_ms());
    return 0;
}

int rpc_open(struct rpc *rpc, const struct rpc_dialer *dialer,
             int64_t connect_ms, struct error *err)
{
    static int (*const steps[])(struct opening *) = {
        [HELLO_CONNECT] = opening_connect,
        [HELLO_SYNC] = opening_listen,
        [HELLO_WAIT] = opening_wait,
    };
    struct opening opening = { .rpc = rpc, .dialer = dialer, .err = err };
    struct hello *hello = &opening.hello;
    int r = 0;

    hello_init(hello, deadline_in(connect_ms));
    while (r == 0 && hello->state != HELLO_READY
           && hello->state != HELLO_GIVE_UP)
        r = steps[hello->state](&opening);
    if (r == 0 && hello->state == HELLO_GIVE_UP)
        r = error_set(err, -EHOSTDOWN, "the agent does not answer");
    if (r < 0)
        rpc_close(rpc);
    else
        rpc->peer = hello->peer;
    hello_free(hello);
    return r;
}
