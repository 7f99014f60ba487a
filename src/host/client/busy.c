/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The hint is the user's own command line with a --timeout that is enough. */
#include <config.h>

#include "host/client/busy.h"
#include "util/quote.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static int64_t body_seconds(struct json_object *data)
{
    struct json_object *value = NULL;
    double seconds = 0;
    int64_t whole;

    if (json_object_object_get_ex(data, "retry_after", &value)
        && (json_object_is_type(value, json_type_double)
            || json_object_is_type(value, json_type_int)))
        seconds = json_object_get_double(value);
    if (!(seconds > 0)) /* NaN is not either */
        return -1;
    if (seconds >= INT32_MAX)
        return INT32_MAX;
    whole = (int64_t) seconds;
    return (double) whole < seconds ? whole + 1 : whole;
}

int64_t busy_seconds(const struct answer *answer)
{
    return answer->reply.retry_after >= 0
               ? answer->reply.retry_after
               : body_seconds(answer->envelope.data);
}

void busy_tell(struct client *client, const struct answer *answer, int64_t ms)
{
    const char *detail = envelope_detail(&answer->envelope);
    struct error words = ERROR_INIT;

    if (client->busy_told)
        return;
    client->busy_told = true;
    error_set(&words, -EBUSY, "waiting for the agent, %" PRId64 " s: %.200s",
              (ms + 999) / 1000, detail);
    client_blame(client, &words);
    out_message(client->setup.out, "%s", words.message);
}

/* The option itself, with its value behind it or in it.  Return: the words that
 * it has. */
static int timeout_words(char *const *words)
{
    static const char name[] = "--timeout";
    size_t n = sizeof(name) - 1;

    if (strncmp(words[0], name, n) != 0)
        return 0;
    if (words[0][n] == '=')
        return 1;
    return words[0][n] || !words[1] ? 0 : 2;
}

/* The same command once more.  Return: 0; negative errno when it is too long
 * for a hint, or there is none. */
static int line_build(const struct client_setup *setup, int64_t seconds,
                      struct buf *line)
{
    int r = buf_printf(line, PROGRAM " --timeout %" PRId64, seconds);

    if (!setup->line)
        return -ENOENT;
    for (int i = 1; r == 0 && setup->line[i];) {
        int skip = i < setup->operand ? timeout_words(setup->line + i) : 0;

        if (skip == 0) {
            r = buf_puts(line, " ");
            if (r == 0)
                r = quote_word(line, setup->line[i]);
        }
        i += skip ? skip : 1;
    }
    return r == 0 && !buf_cstr(line) ? -ENOMEM : r;
}

static void hint_timeout(const struct client_setup *setup, int64_t seconds,
                         struct error *err)
{
    struct buf line;

    buf_init(&line, sizeof(err->hint) - 1);
    if (line_build(setup, seconds, &line) == 0)
        error_hint(err, "%s", buf_cstr(&line));
    else
        error_hint(err, "--timeout %" PRId64 " for a longer wait", seconds);
    buf_free(&line);
}

void busy_explain(const struct client *client, const struct answer *answer,
                  struct error *err)
{
    char said[sizeof(err->message)];

    if (!err || answer->busy_s <= 0)
        return;
    memcpy(said, err->message, sizeof(said));
    if (answer->enough_s) {
        error_set(err, err->code,
                  "%s; the next request is let in after %" PRId64
                  " s, --timeout is %g s",
                  said, answer->busy_s, (double) client->setup.timeout / 1000);
        hint_timeout(&client->setup, answer->enough_s, err);
    } else {
        error_set(err, err->code,
                  "%s; the next request is let in after %" PRId64
                  " s, and no more than %d s are waited",
                  said, answer->busy_s, RETRY_BUSY_MS / 1000);
        error_hint(err, "again in %" PRId64 " s", answer->busy_s);
    }
}
