/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * call: any request.  Method and path are checked, because they go into the
 * request line as they were typed.
 */
#include <config.h>

#include "host/cmd/command.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "proto/jsonraw.h"
#include "proto/limits.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/fd.h"

/* The request line is written from these words: nothing may end it early. */
static int check_method(char *method, struct error *err)
{
    for (char *p = method; *p; p++) {
        if (!isalpha((unsigned char) *p))
            return error_set(err, -EINVAL, "call: '%s' is not a method",
                             method);
        *p = (char) toupper((unsigned char) *p);
    }
    if (!*method || strlen(method) >= HTTP_METHOD_MAX)
        return error_set(err, -EINVAL, "call: '%s' is not a method", method);
    return 0;
}

static int check_path(const char *path, struct error *err)
{
    for (const char *p = path; *p; p++) {
        if ((unsigned char) *p > 0x20 && (unsigned char) *p < 0x7F)
            continue;
        error_set(err, -EINVAL,
                  "call: the path has a byte that must be "
                  "percent-encoded");
        error_hint(err, "%%%02X instead of it", (unsigned char) *p);
        return -EINVAL;
    }
    return 0;
}

/* By a name standard input would be opened anew: what stands in for a missing one
 * can be read then, and a file begins at its beginning. */
static int read_body(const char *word, struct buf *input, struct error *err)
{
    int r;

    if (strcmp(word, "-") == 0 || strcmp(word, "@-") == 0)
        r = fd_slurp_on(STDIN_FILENO, input);
    else if (*word == '@')
        r = fd_slurp(word + 1, input);
    else
        r = buf_puts(input, word);
    return r < 0 ? error_errno(err, r, "body '%.100s'", word) : 0;
}

int cmd_call_prepare(struct command_call *call, struct error *err)
{
    int r = check_method(call->args[0], err);

    if (r == 0)
        r = check_path(call->args[1], err);
    if (r == 0 && call->n_args > 2)
        r = read_body(call->args[2], &call->input, err);
    return r;
}

/* "ping", "/ping" and "/api/v1/ping" are the same. */
static char *target_of(const char *path)
{
    char *target = NULL;

    if (strncmp(path, API_PREFIX "/", sizeof(API_PREFIX)) == 0)
        return strdup(path);
    if (asprintf(&target, API_PREFIX "%s%s", *path == '/' ? "" : "/", path)
        < 0)
        return NULL;
    return target;
}

/* All that an answer to HEAD has, as curl -I shows it. */
static int print_head(const struct http_head *head)
{
    int r = out_line("HTTP/1.1 %d", head->status);

    for (size_t i = 0; r == 0 && i < head->n_fields; i++)
        r = out_line("%s: %s", head->fields[i].name, head->fields[i].value);
    return r;
}

/* It is shown as it came; with --json only what is wrong with it is. */
static int print_body(const struct command_call *call, bool bad,
                      const struct buf *body)
{
    return bad && call->out.json
               ? 0
               : out_bytes(STDOUT_FILENO, buf_data(body), body->len);
}

/* As it came, but for blanks: json-c would change large numbers. */
static int print_envelope(const struct command_call *call,
                          struct answer *answer)
{
    AUTO_JSON struct json_object *shown = NULL;

    jsonraw_squeeze(&answer->reply.body);
    shown = jsonraw_value(&answer->reply.body);
    return command_report_as(call, answer, shown);
}

static int print(const struct command_call *call, int r, struct answer *answer,
                 struct error *err)
{
    bool head = strcmp(call->args[0], "HEAD") == 0;
    /* All JSON that an agent has is in envelopes, but for a part of a file. */
    bool bad = answer->reply.json && !head && answer->reply.http != 206;

    if (r < 0)
        return command_report(call, r, answer, err);
    if (answer->envelope.root)
        return print_envelope(call, answer);
    r = head ? print_head(answer->reply.head)
             : print_body(call, bad, &answer->reply.body);
    if (r < 0)
        return command_output_status(r);
    if (bad) {
        answer_unreadable(err);
        return command_fail(call, err);
    }
    return answer->reply.http < 300 ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

/* Return: the route; ROUTE_COUNT for none of ours, which is a handler's. */
static enum route_id route_of(const char *method, const char *target)
{
    char allow[ROUTE_ALLOW_MAX];
    const struct route *route;
    const char *rest;

    return target && route_match(method, target, &route, &rest, allow) == 0
                   && route->id != ROUTE_CUSTOM
               ? route->id
               : ROUTE_COUNT;
}

int cmd_call(struct command_call *call)
{
    AUTO_FREE char *target = target_of(call->args[1]);
    enum route_id route = route_of(call->args[0], target);
    struct client_request request = {
        .method = call->args[0],
        .target = target,
        .content_type = call->n_args > 2 ? "application/json" : NULL,
        .body = buf_data(&call->input),
        .body_len = call->input.len,
        /* a handler has a time of its own, in the guest */
        .read_ms = route == ROUTE_COUNT ? TIMEOUT_ALIVE : TIMEOUT_UNSET,
        .raw = true,
        /* a POST that changes nothing: its parameters are many */
        .again = route == ROUTE_FILE_DOWNLOAD,
    };
    struct error err = ERROR_INIT;
    struct answer answer;
    int r = -ENOMEM;

    answer_init(&answer);
    if (target)
        r = client_send_request(call->client, &request, &answer, &err);
    else
        error_errno(&err, r, "call");
    client_disconnect(call->client); /* the reader of our output may be slow */
    r = print(call, r, &answer, &err);
    answer_free(&answer);
    return r;
}
