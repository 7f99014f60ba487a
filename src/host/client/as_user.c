/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * One place for all routes of files, so that none is asked as root by
 * mistake.  An agent that does not know the parameter would ignore it: what it
 * can do is asked for first, once for each command.
 */
#include <config.h>

#include "host/client/as_user.h"

#include <errno.h>
#include <string.h>

#include "host/client/answer.h"
#include "proto/route.h"
#include "proto/status.h"
#include "proto/uri.h"

/* What the agent said is about another request than the caller's, which was
 * not made.  Return: -EPROTONOSUPPORT. */
static int not_sent(int status, struct error *err)
{
    if (err)
        err->code = -EPROTONOSUPPORT;
    error_status(err, status);
    return -EPROTONOSUPPORT;
}

static int ask(struct client *client, struct error *err)
{
    static const struct client_request request = {
        .method = "GET",
        .target = API_PREFIX "/capabilities",
        .read_ms = TIMEOUT_UNSET,
    };
    struct answer answer;
    int r;

    answer_init(&answer);
    r = client_send_request(client, &request, &answer, err);
    if (r == 0)
        r = answer_error(client, &answer, err);
    if (r == 0 && !answer_is_able(&answer, ABILITY_USERS))
        r = answer_unable(client, STATUS_INVALID_PARAMS, ABILITY_USERS, "user",
                          err);
    client->user_known = r == 0;
    answer_free(&answer);
    return r > 0 ? not_sent(r, err) : r;
}

int as_user_name(struct client *client, struct client_request *request,
                 struct buf *target, struct error *err)
{
    static const char files[] = API_PREFIX "/file/";
    const char *user = client->setup.user;
    int r;

    if (!user || strncmp(request->target, files, sizeof(files) - 1) != 0)
        return 0;
    r = client->user_known ? 0 : ask(client, err);
    if (r)
        return r;
    r = buf_printf(target, "%s%cuser=", request->target,
                   strchr(request->target, '?') ? '&' : '?');
    if (r == 0)
        r = uri_encode(target, user);
    request->target = buf_cstr(target);
    return r == 0 && request->target
               ? 0
               : error_errno(err, r < 0 ? r : -ENOMEM, "user '%.100s'", user);
}
