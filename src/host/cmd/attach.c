/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * A command attached to its job: start, relay, exit status; with --json its
 * outputs are gathered in memory.  Without input the start waits up to 100 ms
 * for the end, so that a short command takes one request.
 */
#include <config.h>

#include "host/cmd/attach.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "host/client/answer.h"
#include "host/cmd/plain.h"
#include "host/job/relay.h"
#include "proto/limits.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* A job without input is waited for from the start, so that a short one is
 * one round trip; for no longer (ms), because nobody else gets the channel
 * meanwhile. */
#define START_WAIT_MS 100

/* Beyond the command's own timeout, for the agent to kill it (TERM, then
 * KILL), and for us to hear of it. */
#define MARGIN_MS (10 * 1000)

/* What --json gathers of each output unless --output-limit says more or less:
 * as much as the agent's own answer to shell/exec has. */
#define CATCH_MAX (32L * 1024 * 1024)

/* One call of a command that is attached to its job. */
struct attach {
    struct command_call *call;
    const struct job_spec *spec;
    struct terminal terminal;
    struct relay_catch catch;
    struct relay relay;
    struct answer answer; /* to the start */
    bool plain;           /* the server has no jobs; nothing was sent */
};

/* --- how it ended --------------------------------------------------------- */

static int tell_timeout(const struct command_call *call, int64_t timeout)
{
    struct error err = ERROR_INIT;

    error_set(&err, STATUS_CMD_TIMEOUT, "timed out after %g s",
              (double) timeout / 1000);
    error_hint(&err, "--timeout SECONDS for a longer run");
    if (call->client->target->name)
        error_prefix(&err, "domain '%s'", call->client->target->name);
    out_error(&err);
    return EXIT_STATUS_TIMEOUT;
}

int attach_ended(const struct command_call *call,
                 const struct job_status *status, int64_t output_limit,
                 int64_t timeout)
{
    if (status->orphans)
        out_note(&call->out, "what the command started goes on and has its "
                             "outputs still; they are not read any more");
    if (status->truncated)
        out_message(&call->out,
                    "output is not complete: it was cut at %" PRId64 " bytes",
                    output_limit);
    if (status->timed_out)
        return tell_timeout(call, timeout);
    if (status->was_ended && *status->signal)
        out_message(&call->out, "the agent ended the command: its client was "
                                "away for too long, or its job was removed");
    return (int) status->exit_code;
}

/* Nobody knows what became of it, and it was certainly there. */
static void make_uncertain(const struct attach *attach, struct error *err)
{
    size_t used = strlen(err->message);

    snprintf(err->message + used, sizeof(err->message) - used,
             "; outcome unknown: the command was running");
    err->code = STATUS_OUTCOME_UNKNOWN;
    client_blame(attach->call->client, err);
}

static int run_failed(struct attach *attach, int r, struct error *err)
{
    struct client *client = attach->call->client;

    if (r == -EPIPE)
        return command_output_status(r);
    if (attach->relay.mute)
        return command_fail(attach->call, err);
    if (r == -ECANCELED) {
        client->interrupted = attach->relay.last; /* 0: by the keyboard */
        client_blame(client, err);
    } else {
        make_uncertain(attach, err);
    }
    return command_fail(attach->call, err);
}

/* --- as JSON -------------------------------------------------------------- */

static struct json_object *result_data(struct attach *attach)
{
    const struct job_status *status = &attach->relay.stream.status;
    struct buf *streams = attach->catch.streams;
    struct json_object *data = json_object_new_object();

    json_add_int(data, "exit_code", status->exit_code);
    if (*status->signal)
        json_add_string(data, "signal", status->signal);
    if (*status->user_rule) {
        json_add_string(data, "user", status->user);
        json_add_string(data, "user_rule", status->user_rule);
    }
    json_add_int(data, "duration_ms", status->duration_ms);
    json_add_bytes(data, "stdout", buf_data(&streams[0]), streams[0].len);
    json_add_bytes(data, "stderr", buf_data(&streams[1]), streams[1].len);
    json_add_int(data, "output", status->output);
    json_add_int(data, "stdin", status->stdin_received);
    if (status->timed_out)
        json_add_string(data, "error_type",
                        status_get(STATUS_CMD_TIMEOUT)->name);
    json_add_bool(data, "timed_out", status->timed_out);
    json_add_bool(data, "truncated", status->truncated || attach->catch.full);
    json_add_bool(data, "orphans", status->orphans);
    if (attach->relay.std_input.error < 0)
        json_add_string(data, "stdin_error",
                        strerror(-attach->relay.std_input.error));
    return data;
}

static int print_result(struct attach *attach)
{
    AUTO_JSON struct json_object *data = result_data(attach);
    int code = attach->relay.stream.status.timed_out ? STATUS_CMD_TIMEOUT
                                                     : STATUS_SUCCESS;
    AUTO_JSON struct json_object *root = envelope_build(
        code, status_get(code)->message, data, clock_wall());

    return root ? out_json(attach->call->out.records, root) : -ENOMEM;
}

/* --- from start to end ---------------------------------------------------- */

/* Of what failed as somebody else than root nobody knows why, and it may be
 * that.  (Some exit with 1 and no word, as grep(1) that finds nothing.) */
static void tell_user(const struct attach *attach)
{
    const struct job_status *status = &attach->relay.stream.status;
    char *const *argv = attach->spec->argv;

    if (attach->call->out.json || !attach->relay.complained || !*status->user
        || !*status->user_rule || !status->exit_code || *status->signal)
        return;
    out_message(&attach->call->out,
                "%s ran as the user %s (%s of the guest); a rule for it in "
                "security.command_rules could let it run as root",
                argv ? argv[0] : "the program", status->user,
                status->user_rule);
}

/* Half of an output must not pass for success, unless that was asked for; nor
 * half of an input, of which the command cannot know. */
static int exit_status(struct attach *attach)
{
    int input = attach->relay.std_input.error;
    const struct job_status *status = &attach->relay.stream.status;
    bool asked = attach->spec->output_limit > 0;
    int r = attach_ended(attach->call, status,
                         asked ? attach->spec->output_limit : status->output,
                         attach->spec->timeout);

    tell_user(attach);
    attach->call->client->interrupted = relay_killed(&attach->relay);
    if (attach->catch.full)
        out_message(&attach->call->out,
                    "output is not complete: more than --json gathers");
    if (input < 0)
        out_message(&attach->call->out,
                    "standard input: %s; the command had %" PRId64
                    " bytes of it",
                    strerror(-input), status->stdin_received);
    if (attach->catch.full || (status->truncated && !asked) || input < 0)
        return r == EXIT_STATUS_OK ? EXIT_STATUS_TRANSPORT : r;
    return r;
}

/* Was a string refused because of what only a shell understands? */
static bool is_for_shell(const struct job_spec *spec, int code)
{
    return code == STATUS_PERMISSION_DENIED && spec->command && !spec->shell
           && strpbrk(spec->command, "|&;`$<>\n\r");
}

static int not_started(struct attach *attach, int r, struct error *err)
{
    const struct command_call *call = attach->call;
    const char *name = call->client->target->name;

    if (is_for_shell(attach->spec, r))
        error_hint(err,
                   PROGRAM " %s exec --shell '…' (where the guest's policy "
                           "allows a shell)",
                   name ? name : "--socket PATH");
    if (r > 0 && call->out.json)
        return command_not_run(command_report(call, 0, &attach->answer, err));
    return command_not_run(command_fail(call, err));
}

static int run(struct attach *attach, const struct job_status *status,
               struct error *err)
{
    struct relay *relay = &attach->relay;
    int64_t timeout = attach->spec->timeout;
    int r = 0;

    if (timeout)
        relay->deadline = deadline_in(timeout + MARGIN_MS);
    if (attach->spec->tty)
        r = terminal_raw(&attach->terminal, err);
    if (r == 0 && attach->spec->tty)
        relay->terminal = &attach->terminal;
    if (r == 0)
        r = relay_run(relay, status, err);
    terminal_restore(&attach->terminal);
    return r;
}

static int start_and_run(struct attach *attach)
{
    struct command_call *call = attach->call;
    const struct job_spec *spec = attach->spec;
    struct job_status status;
    struct error err = ERROR_INIT;
    int r = job_create(call->client, spec, spec->input ? 0 : START_WAIT_MS,
                       relay_urge, &attach->relay, &attach->answer, &status,
                       &err);

    attach->plain = r == -EOPNOTSUPP && call->client->rpc.peer.plain;
    if (attach->plain)
        return EXIT_STATUS_OK;
    if (r)
        return not_started(attach, r, &err);
    r = run(attach, &status, &err);
    client_disconnect(call->client); /* nobody has to wait for our end */
    if (r < 0)
        return run_failed(attach, r, &err);
    r = call->out.json ? print_result(attach) : 0;
    return r < 0 ? command_output_status(r) : exit_status(attach);
}

int attach_run(struct command_call *call, const struct job_spec *spec,
               int input)
{
    struct attach attach = { .call = call,
                             .spec = spec,
                             .terminal = TERMINAL_INIT };
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    struct error err = ERROR_INIT;
    int r;

    answer_init(&attach.answer);
    for (size_t i = 0; i < ARRAY_SIZE(attach.catch.streams); i++)
        buf_init(
            &attach.catch.streams[i],
            (size_t) (spec->output_limit ? spec->output_limit : CATCH_MAX));
    r = relay_init(&attach.relay, call->client, input, &err);
    if (call->out.json)
        attach.relay.catch = &attach.catch;
    r = r < 0 ? command_fail(call, &err) : start_and_run(&attach);
    relay_free(&attach.relay);
    for (size_t i = 0; i < ARRAY_SIZE(attach.catch.streams); i++)
        buf_free(&attach.catch.streams[i]);
    answer_free(&attach.answer);
    signal(SIGPIPE, before);
    return attach.plain ? plain_exec(call, spec) : r;
}
