/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Drives the state machine of proto/handshake.h with one function for each
 * state: connect and sync, listen, wait.
 */
#include <config.h>

#include "host/link/handshake.h"

#include <errno.h>

#include "proto/limits.h"
#include "proto/status.h"
#include "util/clock.h"
#include "util/fd.h"

/* One read while looking for the answer to a sync, which is small. */
#define SYNC_STEP (16 * 1024)

/* One run of the machine of proto/handshake.h. */
struct driver {
    struct rpc *rpc;
    const struct rpc_dialer *dialer;
    struct error *err;
    struct handshake handshake;
};

/* What a transport gave back instead of bytes.  Return: 0 when only its time
 * is over, and another connection may do better. */
static int driver_lost(struct driver *driver, int64_t code)
{
    if (code == -ECANCELED || code == -ENOMEM)
        return error_errno(driver->err, (int) code, "sync");
    if (code != -ETIMEDOUT && !handshake_refused(&driver->handshake)) {
        driver->rpc->broken = driver->handshake.broken
                              + driver->handshake.attempts;
        return error_set(driver->err, -ECONNRESET,
                         "the connection broke before the agent answered");
    }
    handshake_lost(&driver->handshake, clock_ms());
    return 0;
}

/* Somebody is there, and says nothing that can be told from what somebody else
 * was answered. */
static int driver_nameless(const struct driver *driver)
{
    error_set(driver->err, -EPROTO,
              "the server in the guest answers without the X-Request-ID of "
              "the request, so that nobody knows whose answer it is");
    error_hint(driver->err,
               "in the guest: vsrpc-agent instead of that server");
    error_status(driver->err, STATUS_BAD_ANSWER);
    return -EPROTO;
}

static int driver_send(struct driver *driver, const struct buf *request)
{
    struct transport *transport = driver->rpc->transport;
    size_t done = 0;

    while (done < request->len) {
        int64_t wrote = transport->ops->write(
            transport, buf_data(request) + done, request->len - done,
            driver->handshake.until);

        if (wrote <= 0)
            return driver_lost(driver, wrote);
        done += (size_t) wrote;
    }
    return 0;
}

static int driver_connect(struct driver *driver)
{
    const struct rpc_dialer *dialer = driver->dialer;
    struct handshake *handshake = &driver->handshake;
    struct rpc *rpc = driver->rpc;
    char id[RPC_ID_SIZE];
    struct buf request;
    int r = rpc_new_id(id);

    if (r < 0)
        return error_errno(driver->err, r, "random numbers");
    r = dialer->dial(dialer->context, handshake->limit, &rpc->transport,
                     driver->err);
    if (r < 0)
        return r;
    rpc->transport->wake_fd = rpc->wake_fd;
    buf_init(&request, HTTP_HEAD_MAX);
    r = handshake_connected(handshake, id, clock_ms(), clock_wall(), &request);
    r = r < 0 ? error_errno(driver->err, r, "sync")
              : driver_send(driver, &request);
    buf_free(&request);
    return r;
}

static int driver_listen(struct driver *driver)
{
    struct transport *transport = driver->rpc->transport;
    uint8_t step[SYNC_STEP];
    int64_t got = transport->ops->read(transport, step, sizeof(step),
                                       driver->handshake.until);
    int r;

    if (got <= 0)
        return driver_lost(driver, got);
    r = handshake_feed(&driver->handshake, step, (size_t) got, clock_ms());
    return r < 0 ? error_errno(driver->err, r, "sync") : 0;
}

static int driver_wait(struct driver *driver)
{
    struct handshake *handshake = &driver->handshake;

    rpc_close(driver->rpc);
    if (fd_wait_or(-1, 0, driver->rpc->wake_fd, handshake->until)
        == -ECANCELED)
        return error_set(driver->err, -ECANCELED, "interrupted");
    handshake_tick(handshake, clock_ms());
    return 0;
}

int rpc_dial(struct rpc *rpc, const struct rpc_dialer *dialer,
             int64_t connect_ms, struct error *err)
{
    int r = dialer->dial(dialer->context, deadline_in(connect_ms),
                         &rpc->transport, err);

    if (r == 0)
        rpc->transport->wake_fd = rpc->wake_fd;
    return r;
}

int rpc_open(struct rpc *rpc, const struct rpc_dialer *dialer,
             int64_t connect_ms, struct error *err)
{
    static int (*const steps[])(struct driver *) = {
        [HANDSHAKE_CONNECT] = driver_connect,
        [HANDSHAKE_SYNC] = driver_listen,
        [HANDSHAKE_WAIT] = driver_wait,
    };
    struct driver driver = { .rpc = rpc, .dialer = dialer, .err = err };
    struct handshake *handshake = &driver.handshake;
    int r = 0;

    handshake_init(handshake, deadline_in(connect_ms));
    handshake->pace = dialer->pace;
    handshake->broken = rpc->broken;
    while (r == 0 && handshake->state != HANDSHAKE_READY
           && handshake->state != HANDSHAKE_GIVE_UP)
        r = steps[handshake->state](&driver);
    if (r == 0 && handshake->state == HANDSHAKE_GIVE_UP)
        r = handshake->nameless
                ? driver_nameless(&driver)
                : error_set(err, -EHOSTDOWN, "the agent does not answer");
    if (r < 0) {
        rpc_close(rpc);
    } else {
        rpc->peer = handshake->peer;
        rpc->broken = 0;
    }
    if (r == 0 && rpc->peer.plain) {
        rpc_close(rpc);
        r = rpc_dial(rpc, dialer, connect_ms, err);
    }
    handshake_free(handshake);
    return r;
}
