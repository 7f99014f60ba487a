/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* ping, info, status, capabilities, stat: one GET, printed. */
#include <config.h>

#include "host/cmd/command.h"

#include <errno.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "proto/route.h"
#include "proto/uri.h"
#include "util/cleanup.h"

/* Does what all of them do with a function of the client API. */
static int show(struct command_call *call,
                int (*get)(struct client *, struct answer *, struct error *))
{
    struct error err = ERROR_INIT;
    struct answer answer;
    int status;

    answer_init(&answer);
    status = command_report(call, get(call->client, &answer, &err), &answer,
                            &err);
    answer_free(&answer);
    return status;
}

static int show_target(struct command_call *call, const char *target,
                       int64_t read_ms)
{
    struct client_request request = { .method = "GET",
                                      .target = target,
                                      .read_ms = read_ms };
    struct error err = ERROR_INIT;
    struct answer answer;
    int status;

    answer_init(&answer);
    status = command_report(
        call, client_send_request(call->client, &request, &answer, &err),
        &answer, &err);
    answer_free(&answer);
    return status;
}

int cmd_ping(struct command_call *call)
{
    return show(call, client_ping);
}

int cmd_info(struct command_call *call)
{
    return show(call, client_get_system_info);
}

int cmd_status(struct command_call *call)
{
    return show_target(call, API_PREFIX "/system/status", TIMEOUT_UNSET);
}

int cmd_capabilities(struct command_call *call)
{
    return show_target(call, API_PREFIX "/capabilities", TIMEOUT_UNSET);
}

int cmd_stat(struct command_call *call)
{
    struct error err = ERROR_INIT;
    struct buf target;
    int r;

    buf_init(&target, HTTP_TARGET_MAX);
    r = buf_puts(&target, API_PREFIX "/file/info?path=");
    if (r == 0)
        r = uri_encode(&target, call->args[0]);
    if (r == 0 && !buf_cstr(&target))
        r = -ENOMEM;
    if (r < 0) {
        error_errno(&err, r, "path");
        r = command_fail(call, &err);
    } else {
        r = show_target(call, (const char *) buf_data(&target), TIMEOUT_ALIVE);
    }
    buf_free(&target);
    return r;
}
