/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Requests about jobs.  Words that are not UTF-8 are sent as base64.  Of the
 * status a table gives each member's bounds, and words may have few
 * characters, because they go into paths and to a terminal.
 */
#include <config.h>

#include "host/job/job.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "proto/limits.h"
#include "proto/param.h"
#include "proto/route.h"
#include "proto/signame.h"
#include "proto/status.h"
#include "util/cleanup.h"
#include "util/crypto.h"
#include "util/num.h"

/* Beyond its wait an answer may be late (ms) by a slow start: a working folder
 * on a server that is asleep, say.  A command that has a time of its own gets
 * this much more, to be ended in. */
#define START_MS (60 * 1000)
#define END_MS (10 * 1000)

/* --- the request ---------------------------------------------------------- */

/* JSON is UTF-8; words need not be. */
static struct json_object *word(const char *text, bool encoded)
{
    struct json_object *value = NULL;
    struct buf coded;

    if (!encoded)
        return json_object_new_string(text);
    buf_init(&coded, 2 * strlen(text) + 8);
    if (base64_encode(&coded, text, strlen(text)) == 0 && buf_cstr(&coded))
        value = json_object_new_string(buf_cstr(&coded));
    buf_free(&coded);
    return value;
}

static bool is_text(char *const *words)
{
    for (; *words; words++)
        if (!utf8_valid(*words, strlen(*words)))
            return false;
    return true;
}

static void add_argv(struct json_object *body, char *const *argv)
{
    struct json_object *list = json_object_new_array();
    bool encoded = !is_text(argv);

    for (; *argv; argv++)
        json_append(list, word(*argv, encoded));
    json_add(body, "argv", list);
    if (encoded)
        json_add_encoding(body, "argv");
}

static void add_env(struct json_object *body, const struct strlist *env)
{
    struct json_object *object = json_object_new_object();
    bool encoded = !is_text(env->items);

    for (size_t i = 0; i < env->n; i++) {
        const char *equals = strchr(env->items[i], '=');
        AUTO_FREE char *name = strndup(env->items[i],
                                       (size_t) (equals - env->items[i]));

        json_add(object, name ? name : "", word(equals + 1, encoded));
    }
    json_add(body, "env", object);
    if (encoded)
        json_add_encoding(body, "env");
}

static void add_seconds(struct json_object *body, int64_t ms)
{
    if (ms % 1000 == 0)
        json_add_int(body, "timeout", ms / 1000);
    else
        json_add(body, "timeout", json_object_new_double((double) ms / 1000));
}

/* "NAME:GROUP"; an empty name is the agent's to refuse, and is not root. */
static void add_user(struct json_object *body, const char *user)
{
    size_t n = strcspn(user, ":");

    json_add(body, "user", json_object_new_string_len(user, (int) n));
    if (user[n])
        json_add_string(body, "group", user + n + 1);
}

static void add_tty(struct json_object *body, const struct job_spec *spec)
{
    struct json_object *tty = json_object_new_object();

    json_add_int(tty, "rows", spec->rows);
    json_add_int(tty, "columns", spec->columns);
    if (spec->term)
        json_add_string(tty, "term", spec->term);
    json_add(body, "tty", tty);
}

static void add_command(struct json_object *body, const struct job_spec *spec)
{
    if (spec->command)
        json_add_string(body, "command", spec->command);
    else if (spec->argv)
        add_argv(body, spec->argv);
    if (spec->shell)
        json_add_bool(body, "shell", true);
    if (spec->working_dir)
        json_add_string(body, "working_dir", spec->working_dir);
    if (spec->env && spec->env->n)
        add_env(body, spec->env);
    if (spec->user)
        add_user(body, spec->user);
    if (spec->umask)
        json_add_string(body, "umask", spec->umask);
}

/* Return: the body, or NULL without memory. */
static struct json_object *spec_body(const struct job_spec *spec,
                                     int64_t wait_ms)
{
    struct json_object *body = json_object_new_object();

    if (!body)
        return NULL;
    add_command(body, spec);
    if (spec->timeout)
        add_seconds(body, spec->timeout);
    if (spec->input)
        json_add_bool(body, "stdin", true);
    if (spec->detach)
        json_add_bool(body, "detach", true);
    if (spec->output_limit)
        json_add_int(body, "output_limit", spec->output_limit);
    if (spec->tty)
        add_tty(body, spec);
    if (wait_ms)
        json_add_int(body, "wait_ms", wait_ms);
    return body;
}

static int send_body(struct client *client, struct client_request *request,
                     struct json_object *body, struct answer *answer,
                     struct error *err)
{
    int r;

    if (body) {
        request->content_type = "application/json";
        request->body = json_whole(body) ? json_text(body, &request->body_len)
                                         : NULL;
        if (!request->body)
            return error_errno(err, -ENOMEM, "request");
    }
    r = client_send_request(client, request, answer, err);
    return r ? r : answer_error(client, answer, err);
}

/* How long the answer to a start may take (ms). */
static int64_t start_ms(const struct job_spec *spec, int64_t wait_ms)
{
    int64_t ms = wait_ms + START_MS;
    int64_t own = spec->timeout + END_MS;

    return spec->timeout && own < ms ? own : ms;
}

int job_create(struct client *client, const struct job_spec *spec,
               int64_t wait_ms, int (*woken)(void *context, struct error *err),
               void *context, struct answer *answer, struct job_status *status,
               struct error *err)
{
    AUTO_JSON struct json_object *body = spec_body(spec, wait_ms);
    struct client_request request = {
        .method = "POST",
        .target = API_PREFIX "/jobs",
        .read_ms = start_ms(spec, wait_ms),
        .if_unknown = "outcome unknown: the command may have run",
        .if_not_done = "the command was not started",
        .woken = woken,
        .context = context,
    };
    int r;

    if (!body)
        return error_errno(err, -ENOMEM, "request");
    r = send_body(client, &request, body, answer, err);
    if (r == 0)
        r = job_status_read(answer->envelope.data, status, err);
    return r;
}

int job_request(struct client *client, const char *method, const char *id,
                const char *rest, struct json_object *body,
                struct answer *answer, struct error *err)
{
    char target[sizeof(API_PREFIX "/jobs/") + JOB_ID_MAX + 32];
    struct client_request request = { .method = method,
                                      .target = target,
                                      .read_ms = TIMEOUT_UNSET,
                                      .again = !body };

    snprintf(target, sizeof(target), API_PREFIX "/jobs/%s%s", id, rest);
    return send_body(client, &request, body, answer, err);
}

/* --- what the agent says -------------------------------------------------- */

/* Members that are numbers or flags, and where they go. */
static const struct {
    const char *name;
    size_t at;
    bool is_bool;
    enum param_need need;
    int64_t max;
} members[] = {
#define NUMBER(name, member, need, max)                             \
    {                                                               \
        name, offsetof(struct job_status, member), false, need, max \
    }
#define FLAG(name, member, need)                                 \
    {                                                            \
        name, offsetof(struct job_status, member), true, need, 0 \
    }
    NUMBER("output", output, PARAM_REQUIRED, JOB_OFFSET_MAX),
    NUMBER("output_start", output_start, PARAM_REQUIRED, JOB_OFFSET_MAX),
    NUMBER("stdin_received", stdin_received, PARAM_REQUIRED, JOB_OFFSET_MAX),
    NUMBER("stdin_room", stdin_room, PARAM_REQUIRED, JOB_INPUT_MAX),
    FLAG("stdin_open", stdin_open, PARAM_REQUIRED),
    FLAG("stdout_closed", closed[0], PARAM_OPTIONAL),
    FLAG("stderr_closed", closed[1], PARAM_OPTIONAL),
    NUMBER("duration_ms", duration_ms, PARAM_REQUIRED, INT64_MAX),
    NUMBER("exit_code", exit_code, PARAM_OPTIONAL, UINT8_MAX),
    FLAG("detached", detached, PARAM_OPTIONAL),
    FLAG("tty", tty, PARAM_OPTIONAL),
    FLAG("timed_out", timed_out, PARAM_OPTIONAL),
    FLAG("truncated", truncated, PARAM_OPTIONAL),
    FLAG("orphans", orphans, PARAM_OPTIONAL),
    FLAG("ended", was_ended, PARAM_OPTIONAL),
};

static int read_members(struct json_object *object, struct job_status *status,
                        struct error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(members); i++) {
        void *slot = (char *) status + members[i].at;

        r = members[i].is_bool
                ? param_bool(object, members[i].name, members[i].need, slot,
                             err)
                : param_int(object, members[i].name, members[i].need, 0,
                            members[i].max, slot, err);
    }
    return r;
}

/* The words go into a path, and to a terminal. */
static bool is_word(const char *text, size_t max)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-");

    return n > 0 && n <= max && !text[n];
}

/* For people: what nobody is called, or is too long, is left out. */
static void take_name(char to[JOB_NAME_MAX], const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    snprintf(to, JOB_NAME_MAX, "%s", name[n] || n >= JOB_NAME_MAX ? "" : name);
}

/* Does it run and has ended, or was it killed and has another exit code? */
static bool contradicts(const struct job_status *status, bool runs)
{
    int number = *status->signal ? signame_find(status->signal) : 0;

    return (status->ended && status->exit_code < 0)
           || (runs && (status->exit_code >= 0 || *status->signal))
           || (number > 0 && status->exit_code != 128 + number)
           || status->output_start > status->output;
}

static int read_words(struct json_object *object, struct job_status *status,
                      bool *runs, struct error *err)
{
    const char *id = NULL;
    const char *state = NULL;
    const char *name = "";
    const char *user = "";
    const char *rule = "";
    int r = param_string(object, "id", PARAM_REQUIRED, &id, err);

    if (r == 0)
        r = param_string(object, "state", PARAM_REQUIRED, &state, err);
    if (r == 0)
        r = param_string(object, "signal", PARAM_OPTIONAL, &name, err);
    if (r == 0)
        r = param_string(object, "user", PARAM_OPTIONAL, &user, err);
    if (r == 0)
        r = param_string(object, "user_rule", PARAM_OPTIONAL, &rule, err);
    if (r == 0
        && (!is_word(id, JOB_ID_MAX)
            || (*name && !is_word(name, JOB_SIGNAL_MAX - 1))))
        r = error_set(err, -EBADMSG, "a word of it has other characters");
    if (r)
        return r;
    snprintf(status->id, sizeof(status->id), "%s", id);
    snprintf(status->signal, sizeof(status->signal), "%s", name);
    take_name(status->user, user);
    take_name(status->user_rule, rule);
    status->ended = strcmp(state, "ended") == 0;
    *runs = strcmp(state, "running") == 0;
    return 0;
}

int job_status_read(struct json_object *object, struct job_status *status,
                    struct error *err)
{
    struct job_status fresh = { .exit_code = -1 };
    bool runs = false;
    int r = read_words(object, &fresh, &runs, err);

    if (r == 0)
        r = read_members(object, &fresh, err);
    if (r == 0 && contradicts(&fresh, runs))
        r = error_set(err, -EBADMSG, "its members contradict each other");
    if (r) {
        error_prefix(err, "the agent's status of a job makes no sense");
        return err ? (err->code = -EBADMSG) : -EBADMSG;
    }
    *status = fresh;
    return 0;
}

int job_status_expect(const struct job_status *status, const char *id,
                      struct error *err)
{
    if (strcmp(status->id, id) == 0)
        return 0;
    return error_set(err, -EPROTO, "the agent's answer is about another job");
}

int job_status_parse(const char *text, size_t n, struct job_status *status,
                     struct error *err)
{
    AUTO_JSON struct json_object *object = NULL;
    int r = json_parse(text, n, &object, err);

    if (r < 0) {
        error_prefix(err, "the agent's status of a job");
        return r;
    }
    return job_status_read(object, status, err);
}

/* --- signals -------------------------------------------------------------- */

int job_signal_number(const char *text)
{
    char name[JOB_SIGNAL_MAX];
    int64_t number;
    size_t n = 0;

    if (num_parse(text, 1, 64, &number) == 0)
        return (int) number;
    for (; text[n] && n < sizeof(name) - 1; n++)
        name[n] = (char) toupper((unsigned char) text[n]);
    name[n] = '\0';
    number = text[n] ? 0 : signame_find(name);
    return number ? (int) number : -EINVAL;
}
