/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The relay's loop: output, input, requests, then waiting for whatever comes
 * first.  Two signals are passed on, the third kills the command, the fourth
 * ends the relay.  The channel is released when another command waits for it.
 */
#include <config.h>

#include "host/job/relay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/route.h"
#include "proto/status.h"
#include "util/clock.h"
#include "util/fd.h"

/* The same signal within this time (ms) is the same one: timeout(1) signals
 * its child and then the group. */
#define SAME_SIGNAL_MS 100

/* So many signals are passed on as they are.  The next one kills, and who
 * still presses Ctrl-C wants to leave. */
#define SIGNALS_POLITE 2

/* Whoever has nothing to do there comes back to a channel that others want
 * after 10, 20, 40 … ms; that is also how late output may come then. */
#define REST_MS 10
#define REST_MAX_MS 160

/* Connections in a row that broke without having brought anything. */
#define LOST_MAX 5

int relay_init(struct relay *relay, struct client *client, int input,
               struct error *err)
{
    int r;

    *relay = (struct relay) { .client = client,
                              .deadline = DEADLINE_NEVER,
                              .set = WAITSET_INIT };
    std_input_init(&relay->std_input, input);
    std_output_init(&relay->std_output);
    r = interrupt_begin(&client->interrupt);
    if (r == 0)
        r = waitset_open(&relay->set);
    if (r == 0)
        r = waitset_set(&relay->set, WAITSET_SIGNAL, client->interrupt.fd);
    if (r < 0)
        return error_errno(err, r, "signals");
    rpc_set_wake(&client->rpc, client->interrupt.fd);
    return 0;
}

void relay_free(struct relay *relay)
{
    job_stream_free(&relay->stream);
    std_output_free(&relay->std_output);
    waitset_close(&relay->set);
    rpc_set_wake(&relay->client->rpc, -1);
    interrupt_end(&relay->client->interrupt);
}

int relay_killed(const struct relay *relay)
{
    const struct job_status *status = &relay->stream.status;

    return status->ended && *status->signal
                   && status->exit_code == EXIT_STATUS_SIGNAL + relay->last
               ? relay->last
               : 0;
}

/* --- signals -------------------------------------------------------------- */

static bool is_connected(const struct relay *relay)
{
    return relay->client->rpc.transport != NULL;
}

/* The terminal's owner has gone, or wants to go. */
static void hang_up(struct relay *relay)
{
    relay->hung_up = true;
    relay->leaving = true;
}

/* A shell on a terminal does not hear TERM, and who sends that means us. */
static bool is_farewell(const struct relay *relay, int number)
{
    return relay->terminal && (number == SIGTERM || number == SIGHUP);
}

static void signal_taken(struct relay *relay, int number)
{
    int64_t now = clock_ms();

    if (number == relay->last && now - relay->last_at < SAME_SIGNAL_MS)
        return;
    relay->last = number;
    relay->last_at = now;
    relay->signals++;
    if (is_farewell(relay, number))
        hang_up(relay);
    else if (relay->signals > SIGNALS_POLITE + 1
             || (relay->signals > 1 && !is_connected(relay)))
        relay->leaving = true;
    else
        job_stream_signal(&relay->stream,
                          relay->signals > SIGNALS_POLITE ? SIGKILL : number);
    if (relay->signals == SIGNALS_POLITE)
        out_message(relay->client->setup.out,
                    "the command goes on; once more kills it");
}

static void relay_signals(struct relay *relay)
{
    int number = interrupt_take(&relay->client->interrupt);

    if (number)
        signal_taken(relay, number);
}

/* Ends the wait of the start; nobody will read what comes for this one. */
static int urge(struct relay *relay, struct error *err)
{
    char id[RPC_ID_SIZE];
    struct rpc_request request = {
        .method = "GET",
        .target = API_PREFIX "/ping",
        .id = id,
        .write_ms = relay->client->setup.config->write_timeout,
    };
    bool sent;

    return rpc_new_id(id) < 0
               ? 0
               : rpc_post(&relay->client->rpc, &request, &sent, err);
}

int relay_urge(void *context, struct error *err)
{
    struct relay *relay = context;
    int64_t now = clock_ms();

    if (!relay->early) {
        relay->early = interrupt_take(&relay->client->interrupt);
        relay->last_at = now;
        return urge(relay, err);
    }
    /* It is not answered, and somebody is impatient: it is taken back. */
    if (now - relay->last_at >= SAME_SIGNAL_MS)
        return error_set(err, -ECANCELED, "interrupted");
    interrupt_take(&relay->client->interrupt);
    return 0;
}

/* --- input ---------------------------------------------------------------- */

/* Nobody reads it any more, or it is to be waited for. */
static int input_watch(struct relay *relay)
{
    return std_input_watch(&relay->std_input, &relay->set,
                           relay->stream.status.stdin_open
                               && job_stream_input_room(&relay->stream) > 0);
}

static void input_fill(struct relay *relay)
{
    enum std_input_end end = STD_INPUT_OPEN;

    if (relay->stream.status.stdin_open && relay->std_input.fd >= 0)
        end = std_input_fill(&relay->std_input, &relay->stream.input);
    if (end == STD_INPUT_OPEN)
        return;
    waitset_set(&relay->set, WAITSET_INPUT, -1);
    relay->stream.input_eof = true;
    if (end == STD_INPUT_LEFT)
        hang_up(relay);
}

/* --- output --------------------------------------------------------------- */

static int output_catch(struct relay_catch *catch, int stream,
                        const uint8_t *bytes, size_t n)
{
    struct buf *into = &catch->streams[stream - 1];
    int r = buf_append(into, bytes, n);

    if (r == -EMSGSIZE) {
        catch->full = true;
        r = buf_append(into, bytes, buf_room(into));
    }
    return r;
}

static int output_failed(struct relay *relay, int r, struct error *err)
{
    relay->mute = true;
    return error_errno(err, r,
                       relay->std_output.failed == STDERR_FILENO
                           ? "standard error"
                           : "standard output");
}

static int output(void *context, int stream, const uint8_t *bytes, size_t n,
                  struct error *err)
{
    struct relay *relay = context;
    int r = 0;

    relay->complained = relay->complained || stream == STDERR_FILENO
                        || relay->terminal;
    r = relay->catch ? output_catch(relay->catch, stream, bytes, n)
                     : std_output_put(&relay->std_output, stream, bytes, n);

    return r < 0 ? output_failed(relay, r, err) : 0;
}

/* What the program has closed is closed here. */
static void streams_end(struct relay *relay)
{
    const struct job_stream *stream = &relay->stream;

    if (!relay->stream.status.stdin_open) {
        waitset_set(&relay->set, WAITSET_INPUT, -1);
        std_input_end(&relay->std_input);
    }
    if (!relay->catch)
        std_output_end(&relay->std_output,
                       job_stream_closed(stream, STDOUT_FILENO),
                       job_stream_closed(stream, STDERR_FILENO));
}

static bool output_stuck(const struct relay *relay)
{
    return std_output_blocked(&relay->std_output) >= 0;
}

/* --- others who want the channel ------------------------------------------ */

static int64_t progress(const struct relay *relay)
{
    return relay->stream.output_at + relay->stream.input_at;
}

/* Something to do, or time is over. */
static void rest(struct relay *relay)
{
    int ms = REST_MS << (relay->idle < 4 ? relay->idle : 4);

    if (progress(relay) != relay->progress)
        relay->idle = 0;
    else
        relay->idle++;
    relay->progress = progress(relay);
    if (relay->idle > 0)
        waitset_wait(&relay->set, ms < REST_MAX_MS ? ms : REST_MAX_MS);
}

static int resume(struct relay *relay, struct error *err)
{
    int r;

    waitset_set(&relay->set, WAITSET_LOCK, -1);
    rpc_set_wake(&relay->client->rpc, relay->client->interrupt.fd);
    do {
        r = job_stream_resume(&relay->stream,
                              output_stuck(relay) ? JOB_STREAM_MUTE : 0, err);
        relay_signals(relay);
    } while (r == -ECANCELED && !relay->leaving);
    relay->turns = 0;
    relay->away = false;
    return r;
}

static int give_way(struct relay *relay, struct error *err)
{
    relay->away = false;
    waitset_set(&relay->set, WAITSET_LOCK, -1);
    client_give_way(relay->client);
    if (is_connected(relay))
        return 0;
    rest(relay);
    return resume(relay, err);
}

static bool is_wanted(const struct relay *relay)
{
    return is_connected(relay) && lock_wanted(&relay->client->lock);
}

/* --- turns ---------------------------------------------------------------- */

static int lost(struct relay *relay, struct error *err)
{
    out_note(relay->client->setup.out, "%s; connecting again", err->message);
    if (progress(relay) != relay->progress)
        relay->lost = 0;
    relay->progress = progress(relay);
    if (relay->lost++ >= LOST_MAX)
        return err->code < 0 ? err->code : -ECONNRESET;
    error_clear(err);
    return resume(relay, err);
}

/* What the next request is for; -1: none just now. */
static int next_flags(const struct relay *relay, bool wanted)
{
    const struct job_stream *stream = &relay->stream;
    bool tell = job_stream_pending(stream);
    int mute = output_stuck(relay) ? JOB_STREAM_MUTE : 0;

    if (!job_stream_may_post(stream))
        return -1;
    if (wanted && (relay->turns > 0 || !tell))
        return JOB_STREAM_AWAY | mute;
    if (stream->n_posts == 0)
        return tell || !mute ? JOB_STREAM_WAIT | mute : -1;
    return tell ? JOB_STREAM_WAIT | mute : -1;
}

static int post(struct relay *relay, unsigned int flags, struct error *err)
{
    struct job_stream *stream = &relay->stream;
    int r = job_stream_post(stream, flags, err);

    if (r == -ECANCELED)
        relay_signals(relay);
    if (r < 0)
        return r == -ENOMEM ? r : lost(relay, err);
    if (stream->posts[stream->n_posts - 1].turn)
        relay->away = flags & JOB_STREAM_AWAY;
    return 0;
}

/* Sends what there is to send. */
static int post_all(struct relay *relay, struct error *err)
{
    int r = 0;

    while (r == 0) {
        bool wanted = is_wanted(relay);
        int flags;

        if (wanted && relay->away && relay->stream.n_posts == 0)
            return give_way(relay, err);
        if (!wanted && relay->stream.n_posts == 0)
            relay->away = false; /* the next turn takes it back */
        flags = relay->away ? -1 : next_flags(relay, wanted);
        if (flags < 0)
            break;
        rpc_set_wake(&relay->client->rpc, relay->client->interrupt.fd);
        r = post(relay, (unsigned int) flags, err);
    }
    return r;
}

/* What is to be looked at while we wait. */
static int watch(struct relay *relay)
{
    int r = input_watch(relay);

    if (r == 0)
        r = waitset_set(&relay->set, WAITSET_OUTPUT,
                        std_output_blocked(&relay->std_output));
    waitset_set(&relay->set, WAITSET_WINDOW,
                relay->terminal ? relay->terminal->window : -1);
    waitset_set(&relay->set, WAITSET_LOCK, lock_watch(&relay->client->lock));
    return r == -EPERM ? 0 : r;
}

static void window_changed(struct relay *relay)
{
    char info[128];

    while (read(relay->terminal->window, info, sizeof(info)) > 0)
        ;
    terminal_size(&relay->stream.rows, &relay->stream.columns);
}

/* Whatever has woken us up. */
static void woken(struct relay *relay)
{
    unsigned int ready = waitset_wait(&relay->set, 0);

    if (ready & 1U << WAITSET_SIGNAL)
        relay_signals(relay);
    if (ready & 1U << WAITSET_WINDOW)
        window_changed(relay);
    if (ready & 1U << WAITSET_LOCK)
        lock_watched(&relay->client->lock);
    relay->std_input.ready = ready & 1U << WAITSET_INPUT;
}

/* While two requests are on their way nothing but a signal is of use. */
static int take(struct relay *relay, struct error *err)
{
    struct job_stream *stream = &relay->stream;
    int r;

    rpc_set_wake(&relay->client->rpc, job_stream_may_post(stream)
                                          ? relay->set.fd
                                          : relay->client->interrupt.fd);
    r = job_stream_take(stream, err);
    if (r == -ECANCELED) {
        woken(relay);
        return 0;
    }
    if (r > 0)
        return lost(relay, err);
    relay->turns++;
    return r;
}

/* Our own reader is slow, and there is nothing to say. */
static void idle(struct relay *relay)
{
    waitset_wait(&relay->set, deadline_left(relay->deadline));
    woken(relay);
}

static int step(struct relay *relay, struct error *err)
{
    int r = std_output_flush(&relay->std_output);

    if (r < 0)
        return output_failed(relay, r, err);
    streams_end(relay);
    input_fill(relay);
    r = post_all(relay, err);
    if (r < 0 || relay->leaving || job_stream_over(&relay->stream))
        return r;
    r = watch(relay);
    if (r < 0)
        return error_errno(err, r, "input");
    if (relay->stream.n_posts > 0)
        r = take(relay, err);
    else if (output_stuck(relay))
        idle(relay);
    return r;
}

/* Waits for who reads our output, with the channel free for others. */
static int finish(struct relay *relay, struct error *err)
{
    int before = relay->signals;
    int r = std_output_flush(&relay->std_output);

    client_disconnect(relay->client);
    while (r == 0 && output_stuck(relay)) {
        r = watch(relay);
        if (r < 0)
            return error_errno(err, r, "output");
        idle(relay);
        if (relay->signals > before)
            return error_set(err, -ECANCELED,
                             "interrupted: the command had ended");
        r = std_output_flush(&relay->std_output);
    }
    return r < 0 ? output_failed(relay, r, err) : 0;
}

static int drop_output(void *context, int stream, const uint8_t *bytes,
                       size_t n, struct error *err)
{
    (void) context;
    (void) stream;
    (void) bytes;
    (void) n;
    (void) err;
    return 0;
}

/* The last that the job hears of us; what it says to that is of no
 * interest. */
static void send_off(struct relay *relay, int number)
{
    struct job_stream *stream = &relay->stream;

    stream->output = drop_output;
    stream->n_signals = 0;
    job_stream_signal(stream, number);
    rpc_set_wake(&relay->client->rpc, relay->client->interrupt.fd);
    if (!is_connected(relay) || !job_stream_may_post(stream)
        || job_stream_post(stream, 0, NULL) < 0)
        return;
    while (stream->n_posts > 0 && job_stream_take(stream, NULL) == 0)
        ;
}

static int leave(struct relay *relay, struct error *err)
{
    if (relay->hung_up)
        send_off(relay, SIGHUP);
    return error_set(err, -ECANCELED,
                     "%s; the agent ends the command within "
                     "5 s",
                     relay->hung_up ? "left" : "interrupted");
}

int relay_run(struct relay *relay, const struct job_status *status,
              struct error *err)
{
    int r;

    job_stream_init(&relay->stream, relay->client, status);
    relay->stream.output = output;
    relay->stream.context = relay;
    if (relay->std_input.fd < 0)
        relay->stream.input_eof = true;
    relay->std_input.typed = relay->terminal != NULL;
    r = input_watch(relay); /* a file needs no waiting for */
    if (relay->early)
        signal_taken(relay, relay->early);
    relay_signals(relay);
    while (r == 0 && !job_stream_over(&relay->stream) && !relay->leaving) {
        if (deadline_left(relay->deadline) == 0)
            return error_set(err, -ETIMEDOUT, "timed out");
        r = step(relay, err);
    }
    if (relay->mute) /* as the program would have heard it */
        send_off(relay, SIGPIPE);
    else if (relay->leaving)
        return leave(relay, err);
    return r < 0 ? r : finish(relay, err);
}
