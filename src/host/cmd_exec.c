/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* exec: run a command in the guest and be like it. */
#include <config.h>

#include "host/command.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "proto/limits.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/crypto.h"

/* The protocol is JSON: what is not UTF-8 cannot be said in it. */
int cmd_exec_prepare(struct command_call *call, struct error *err)
{
    for (int i = 0; i < call->n_args; i++)
        if (!utf8_valid(call->args[i], strlen(call->args[i])))
            return error_set(err, -EINVAL, "exec: operand %d is not UTF-8",
                             i + 1);
    for (size_t i = 0; i < call->values.env.n; i++)
        if (!utf8_valid(call->values.env.items[i],
                        strlen(call->values.env.items[i])))
            return error_set(err, -EINVAL, "exec: a variable is not UTF-8");
    return 0;
}

static int stream_base64(int fd, const char *text, size_t n)
{
    struct buf bytes;
    int r;

    buf_init(&bytes, RESPONSE_MAX);
    r = base64_decode(&bytes, text, n);
    if (r == 0)
        r = out_bytes(fd, buf_data(&bytes), bytes.len);
    buf_free(&bytes);
    return r;
}

/* Prints data.NAME, byte for byte.  Return: 0, -EBADMSG, as out_bytes(). */
static int stream(struct json_object *data, const char *name,
                  const char *marker, int fd, struct error *err)
{
    const char *text = NULL;
    const char *encoding = NULL;
    size_t n = 0;
    int r;

    if (param_bytes(data, name, PARAM_OPTIONAL, &text, &n, err)
        || param_string(data, marker, PARAM_OPTIONAL, &encoding, err)) {
        error_prefix(err, "the agent's answer makes no sense");
        return err->code = -EBADMSG;
    }
    if (!text)
        return 0;
    r = encoding ? stream_base64(fd, text, n) : out_bytes(fd, text, n);
    if (r == -EINVAL)
        return error_set(err, -EBADMSG,
                         "the agent's answer makes no sense: '%s' is not "
                         "base64",
                         name);
    return r < 0 ? error_errno(err, r, "output") : 0;
}

static bool was_truncated(const struct command_call *call,
                          const struct answer *answer)
{
    struct json_object *data = answer->envelope.data;
    bool truncated = false;

    if (param_bool(data, "truncated", PARAM_OPTIONAL, &truncated, NULL) < 0
        || !truncated)
        return false;
    /* A first answer has its output, cut or not. */
    if (answer->reply.replayed && !json_object_object_get(data, "stdout"))
        out_message(&call->out, "the command ran once; its output got lost "
                                "with the connection");
    else
        out_message(&call->out, "output is not complete: the agent cut it at "
                                "its max_output_size");
    return true;
}

/* The exit status when no command ran: 1 would be taken for the command's. */
static int not_run(int status)
{
    return status == EXIT_STATUS_FAILED ? EXIT_STATUS_TRANSPORT : status;
}

/* The exit status of a command that has ended. */
static int ended(const struct command_call *call, struct json_object *data)
{
    struct error err = ERROR_INIT;
    int64_t exit_code = 0;

    if (param_int(data, "exit_code", PARAM_REQUIRED, 0, 255, &exit_code,
                  &err)) {
        error_prefix(&err, "the agent's answer makes no sense");
        err.code = -EBADMSG;
        return command_fail(call, &err);
    }
    return (int) exit_code;
}

static int timed_out(const struct command_call *call, int64_t timeout,
                     struct error *err)
{
    error_set(err, STATUS_CMD_TIMEOUT, "timed out after %g s",
              (double) timeout / 1000);
    error_hint(err, "--timeout SECONDS for a longer run");
    if (call->client->target->name)
        error_prefix(err, "domain '%s'", call->client->target->name);
    out_error(err);
    return EXIT_STATUS_TIMEOUT;
}

/* Was a string refused because of what only a shell understands? */
static bool is_for_shell(const struct command_call *call,
                         const struct answer *answer)
{
    return answer->envelope.code == STATUS_PERMISSION_DENIED
           && call->n_args == 1 && !call->dashes
           && strpbrk(call->args[0], "|&;`$<>\n\r");
}

static void advise_shell(const struct command_call *call, struct error *err)
{
    const char *name = call->client->target->name;

    error_hint(err,
               PROGRAM " %s exec -- sh -c '…' (where the guest's policy allows "
                       "a shell)",
               name ? name : "--socket PATH");
}

/* Is what the guest's command did. */
static int become(const struct command_call *call, int64_t timeout,
                  const struct answer *answer)
{
    struct json_object *data = answer->envelope.data;
    struct error err = ERROR_INIT;
    bool cut;
    int r;

    r = stream(data, "stdout", "stdout_encoding", STDOUT_FILENO, &err);
    if (r == 0)
        r = stream(data, "stderr", "stderr_encoding", STDERR_FILENO, &err);
    if (r < 0)
        return command_fail(call, &err);
    cut = was_truncated(call, answer);
    if (answer->envelope.code == STATUS_SUCCESS) {
        r = ended(call, data);
        /* Half of an output must not pass for success. */
        return r == EXIT_STATUS_OK && cut ? EXIT_STATUS_TRANSPORT : r;
    }
    if (answer->envelope.code == STATUS_CMD_TIMEOUT)
        return timed_out(call, timeout, &err);
    answer_error(call->client, answer, &err);
    if (is_for_shell(call, answer))
        advise_shell(call, &err);
    return not_run(command_fail(call, &err));
}

/* With --json the envelope is printed; the exit status is the same. */
static int report(const struct command_call *call, int r,
                  const struct answer *answer, const struct error *err)
{
    int status = command_report(call, r, answer, err);

    if (r < 0 || status != EXIT_STATUS_OK)
        return not_run(status);
    return ended(call, answer->envelope.data);
}

int cmd_exec(struct command_call *call)
{
    bool string = call->n_args == 1 && !call->dashes;
    struct exec_request exec = {
        .command = string ? call->args[0] : NULL,
        .argv = call->args,
        .working_dir = call->values.cwd,
        .env = &call->values.env,
        .timeout = call->values.timeout == TIMEOUT_UNSET
                       ? client_timeout(call->client)
                       : call->values.timeout,
    };
    struct error err = ERROR_INIT;
    struct answer answer;
    int r;

    answer_init(&answer);
    r = client_exec_command(call->client, &exec, &answer, &err);
    client_disconnect(call->client); /* the reader of our output may be slow */
    if (call->out.json)
        r = report(call, r, &answer, &err);
    else if (r < 0)
        r = command_fail(call, &err);
    else
        r = become(call, exec.timeout, &answer);
    answer_free(&answer);
    return r;
}
