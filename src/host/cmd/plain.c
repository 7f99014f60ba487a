/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * One request to shell/exec as the specification has it: words become a string
 * that a shell would split into the same ones.  There is no request id that
 * anybody remembers, so that it is never sent twice.
 */
#include <config.h>

#include "host/cmd/plain.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "proto/param.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/cleanup.h"

#define COMMAND_MAX (1024L * 1024)

/* Beyond the command's own time, for the answer about that. */
#define MARGIN_MS (10 * 1000)

/* May there be something to read on standard input?  A terminal is left
 * alone: who sits there sees that it is not read. */
static bool has_input(const struct job_spec *spec)
{
    struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
    struct stat st;

    if (!spec->input || fstat(STDIN_FILENO, &st) < 0 || S_ISCHR(st.st_mode))
        return false;
    if (S_ISREG(st.st_mode))
        return lseek(STDIN_FILENO, 0, SEEK_CUR) < st.st_size;
    /* Nobody writes to it any more, and nothing is left. */
    return poll(&fd, 1, 0) != 1 || !(fd.revents & POLLHUP)
           || fd.revents & POLLIN;
}

/* What there is no way to ask for. */
static int check(const struct job_spec *spec, struct error *err)
{
    const struct {
        bool wanted;
        const char *what, *hint;
    } rows[] = {
        { spec->tty, "a terminal", "exec without --tty" },
        { !spec->command && !spec->argv, "a login shell", "exec COMMAND" },
        { has_input(spec), "standard input",
          "exec --no-stdin, or upload it as a file" },
        { spec->user != NULL, "--user", "exec without it" },
        { spec->umask != NULL, "--umask", "exec without it" },
        { spec->output_limit > 0, "--output-limit", "exec without it" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!rows[i].wanted)
            continue;
        error_set(err, -EOPNOTSUPP,
                  "the server in the guest knows only the specification, "
                  "whose shell/exec has not: %s",
                  rows[i].what);
        error_hint(err, "%s; or vsrpc-agent in the guest", rows[i].hint);
        return -EOPNOTSUPP;
    }
    return 0;
}

static int add_word(struct buf *text, const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_@%+=:,./-";
    int r = text->len > 0 ? buf_puts(text, " ") : 0;

    if (r == 0 && *word && !word[strspn(word, safe)])
        return buf_puts(text, word);
    if (r == 0)
        r = buf_puts(text, "'");
    for (; r == 0 && *word; word++)
        r = *word == '\'' ? buf_puts(text, "'\\''")
                          : buf_append(text, word, 1);
    return r == 0 ? buf_puts(text, "'") : r;
}

static int add_env(struct json_object *body, const struct strlist *env)
{
    struct json_object *object = json_object_new_object();
    int r = 0;

    for (size_t i = 0; r == 0 && i < env->n; i++) {
        const char *equals = strchr(env->items[i], '=');
        AUTO_FREE char *name = strndup(env->items[i],
                                       (size_t) (equals - env->items[i]));

        r = name ? json_add_string(object, name, equals + 1) : -ENOMEM;
    }
    json_add(body, "env", object);
    return r;
}

/* Return: the request's body; NULL without memory. */
static struct json_object *body_of(const struct job_spec *spec, int64_t ms)
{
    AUTO_JSON struct json_object *body = json_object_new_object();
    struct buf command;
    int r = 0;

    buf_init(&command, COMMAND_MAX);
    if (spec->command)
        r = buf_puts(&command, spec->command);
    for (size_t i = 0; r == 0 && !spec->command && spec->argv[i]; i++)
        r = add_word(&command, spec->argv[i]);
    if (r == 0)
        r = json_add_string(body, "command", buf_cstr(&command));
    if (r == 0)
        r = json_add_int(body, "timeout", (ms + 999) / 1000);
    if (r == 0 && spec->working_dir)
        r = json_add_string(body, "working_dir", spec->working_dir);
    if (r == 0 && spec->env && spec->env->n)
        r = add_env(body, spec->env);
    buf_free(&command);
    return r == 0 && json_whole(body) ? steal_ptr(&body) : NULL;
}

static int ask(const struct command_call *call, const struct job_spec *spec,
               struct answer *answer, struct error *err)
{
    int64_t ms = spec->timeout ? spec->timeout : call->config->read_timeout;
    AUTO_JSON struct json_object *body = body_of(spec, ms);
    struct client_request request = {
        .method = "POST",
        .target = API_PREFIX "/shell/exec",
        .content_type = "application/json",
        .read_ms = ms + MARGIN_MS,
        .if_unknown = "outcome unknown: the command may have run",
        .if_not_done = "the command was not started",
    };

    if (body)
        request.body = json_text(body, &request.body_len);
    return request.body
               ? client_send_request(call->client, &request, answer, err)
               : error_errno(err, -ENOMEM, "request");
}

static int print(struct json_object *data, const char *name, int fd)
{
    const char *text;
    size_t n;

    if (param_bytes(data, name, PARAM_REQUIRED, &text, &n, NULL))
        return 0;
    return out_bytes(fd, text, n);
}

/* What a command printed, also when the rest of the answer is of no use. */
static int print_both(const struct command_call *call,
                      const struct answer *answer)
{
    struct json_object *data = answer->envelope.data;
    int r;

    if (call->out.json)
        return 0;
    r = print(data, "stdout", STDOUT_FILENO);
    print(data, "stderr", STDERR_FILENO);
    return r;
}

/* How a command ended; or why there was none. */
static int tell(const struct command_call *call, const struct answer *answer)
{
    int code = answer->envelope.code;
    struct error err = ERROR_INIT;
    int64_t exit_code = 0;
    int r = 0;

    param_int(answer->envelope.data, "exit_code", PARAM_OPTIONAL, 0, UINT8_MAX,
              &exit_code, NULL);
    answer_error(call->client, answer, &err);
    if (code == STATUS_CMD_TIMEOUT)
        error_hint(&err, "--timeout SECONDS for a longer run");
    if (call->out.json)
        r = command_not_run(command_report(call, 0, answer, &err));
    else if (err.code)
        r = command_not_run(command_fail(call, &err));
    return exit_code > 0 && code != STATUS_CMD_TIMEOUT ? (int) exit_code : r;
}

int plain_exec(const struct command_call *call, const struct job_spec *spec)
{
    struct error err = ERROR_INIT;
    struct answer answer;
    int printed;
    int r;

    answer_init(&answer);
    r = check(spec, &err);
    if (r == 0)
        r = ask(call, spec, &answer, &err);
    client_disconnect(call->client);
    printed = print_both(call, &answer);
    if (r < 0)
        r = command_not_run(command_fail(call, &err));
    else if (printed < 0)
        r = command_output_status(printed);
    else
        r = tell(call, &answer);
    answer_free(&answer);
    return r;
}
