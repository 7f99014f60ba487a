/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "host/pump.h"

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

int pump_init(struct pump *pump, struct client *client, int input,
              struct error *err)
{
    int r;

    *pump = (struct pump) { .client = client,
                            .deadline = DEADLINE_NEVER,
                            .wake = WAKE_INIT };
    inlet_init(&pump->inlet, input);
    outlet_init(&pump->outlet);
    r = interrupt_begin(&client->interrupt);
    if (r == 0)
        r = wake_open(&pump->wake);
    if (r == 0)
        r = wake_set(&pump->wake, WAKE_SIGNAL, client->interrupt.fd);
    if (r < 0)
        return error_errno(err, r, "signals");
    rpc_set_wake(&client->rpc, client->interrupt.fd);
    return 0;
}

void pump_free(struct pump *pump)
{
    talk_free(&pump->talk);
    outlet_free(&pump->outlet);
    wake_close(&pump->wake);
    rpc_set_wake(&pump->client->rpc, -1);
    interrupt_end(&pump->client->interrupt);
}

int pump_killed(const struct pump *pump)
{
    const struct job_status *status = &pump->talk.status;

    return status->ended && *status->signal
                   && status->exit_code == EXIT_STATUS_SIGNAL + pump->last
               ? pump->last
               : 0;
}

/* --- signals -------------------------------------------------------------- */

static bool is_connected(const struct pump *pump)
{
    return pump->client->rpc.transport != NULL;
}

/* The terminal's owner has gone, or wants to go. */
static void hang_up(struct pump *pump)
{
    pump->hung_up = true;
    pump->leaving = true;
}

/* A shell on a terminal does not hear TERM, and who sends that means us. */
static bool is_farewell(const struct pump *pump, int number)
{
    return pump->terminal && (number == SIGTERM || number == SIGHUP);
}

static void signal_taken(struct pump *pump, int number)
{
    int64_t now = clock_ms();

    if (number == pump->last && now - pump->last_at < SAME_SIGNAL_MS)
        return;
    pump->last = number;
    pump->last_at = now;
    pump->signals++;
    if (is_farewell(pump, number))
        hang_up(pump);
    else if (pump->signals > SIGNALS_POLITE + 1
        || (pump->signals > 1 && !is_connected(pump)))
        pump->leaving = true;
    else
        talk_signal(&pump->talk, pump->signals > SIGNALS_POLITE ? SIGKILL
                                                                : number);
    if (pump->signals == SIGNALS_POLITE)
        out_message(pump->client->setup.out,
                    "the command goes on; once more kills it");
}

static void pump_signals(struct pump *pump)
{
    int number = interrupt_take(&pump->client->interrupt);

    if (number)
        signal_taken(pump, number);
}

/* Ends the wait of the start; nobody will read what comes for this one. */
static int urge(struct pump *pump, struct error *err)
{
    char id[RPC_ID_SIZE];
    struct rpc_request request = {
        .method = "GET",
        .target = API_PREFIX "/ping",
        .id = id,
        .write_ms = pump->client->setup.config->write_timeout,
    };
    bool sent;

    return rpc_new_id(id) < 0
               ? 0
               : rpc_post(&pump->client->rpc, &request, &sent, err);
}

int pump_urge(void *context, struct error *err)
{
    struct pump *pump = context;
    int64_t now = clock_ms();

    if (!pump->early) {
        pump->early = interrupt_take(&pump->client->interrupt);
        pump->last_at = now;
        return urge(pump, err);
    }
    /* It is not answered, and somebody is impatient: it is taken back. */
    if (now - pump->last_at >= SAME_SIGNAL_MS)
        return error_set(err, -ECANCELED, "interrupted");
    interrupt_take(&pump->client->interrupt);
    return 0;
}

/* --- input ---------------------------------------------------------------- */

/* Nobody reads it any more, or it is to be waited for. */
static int input_watch(struct pump *pump)
{
    return inlet_watch(&pump->inlet, &pump->wake,
                       pump->talk.status.stdin_open
                           && talk_input_room(&pump->talk) > 0);
}

static void input_fill(struct pump *pump)
{
    enum inlet_end end = INLET_OPEN;

    if (pump->talk.status.stdin_open && pump->inlet.fd >= 0)
        end = inlet_fill(&pump->inlet, &pump->talk.input);
    if (end == INLET_OPEN)
        return;
    wake_set(&pump->wake, WAKE_INPUT, -1);
    pump->talk.input_eof = true;
    if (end == INLET_LEFT)
        hang_up(pump);
}

/* --- output --------------------------------------------------------------- */

static int output_catch(struct pump_catch *catch, int stream,
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

static int output(void *context, int stream, const uint8_t *bytes, size_t n,
                  struct error *err)
{
    struct pump *pump = context;
    int r = pump->catch ? output_catch(pump->catch, stream, bytes, n)
                        : outlet_put(&pump->outlet, stream, bytes, n);

    return r < 0 ? error_errno(err, r, "output") : 0;
}

static bool output_stuck(const struct pump *pump)
{
    return outlet_blocked(&pump->outlet) >= 0;
}

/* --- others who want the channel ------------------------------------------ */

static int64_t progress(const struct pump *pump)
{
    return pump->talk.output_at + pump->talk.input_at;
}

/* Something to do, or time is over. */
static void rest(struct pump *pump)
{
    int ms = REST_MS << (pump->idle < 4 ? pump->idle : 4);

    if (progress(pump) != pump->progress)
        pump->idle = 0;
    else
        pump->idle++;
    pump->progress = progress(pump);
    if (pump->idle > 0)
        wake_wait(&pump->wake, ms < REST_MAX_MS ? ms : REST_MAX_MS);
}

static int resume(struct pump *pump, struct error *err)
{
    int r;

    wake_set(&pump->wake, WAKE_LOCK, -1);
    rpc_set_wake(&pump->client->rpc, pump->client->interrupt.fd);
    do {
        r = talk_resume(&pump->talk, output_stuck(pump) ? TALK_MUTE : 0, err);
        pump_signals(pump);
    } while (r == -ECANCELED && !pump->leaving);
    pump->turns = 0;
    pump->away = false;
    return r;
}

static int give_way(struct pump *pump, struct error *err)
{
    pump->away = false;
    wake_set(&pump->wake, WAKE_LOCK, -1);
    client_give_way(pump->client);
    if (is_connected(pump))
        return 0;
    rest(pump);
    return resume(pump, err);
}

static bool is_wanted(const struct pump *pump)
{
    return is_connected(pump) && lock_wanted(&pump->client->lock);
}

/* --- turns ---------------------------------------------------------------- */

static int lost(struct pump *pump, struct error *err)
{
    out_note(pump->client->setup.out, "%s; connecting again", err->message);
    if (progress(pump) != pump->progress)
        pump->lost = 0;
    pump->progress = progress(pump);
    if (pump->lost++ >= LOST_MAX)
        return err->code < 0 ? err->code : -ECONNRESET;
    error_clear(err);
    return resume(pump, err);
}

/* What the next request is for; -1: none just now. */
static int next_flags(const struct pump *pump, bool wanted)
{
    const struct talk *talk = &pump->talk;
    bool tell = talk_pending(talk);
    int mute = output_stuck(pump) ? TALK_MUTE : 0;

    if (!talk_may_post(talk))
        return -1;
    if (wanted && (pump->turns > 0 || !tell))
        return TALK_AWAY | mute;
    if (talk->n_posts == 0)
        return tell || !mute ? TALK_WAIT | mute : -1;
    return tell ? TALK_WAIT | mute : -1;
}

static int post(struct pump *pump, unsigned int flags, struct error *err)
{
    struct talk *talk = &pump->talk;
    int r = talk_post(talk, flags, err);

    if (r == -ECANCELED)
        pump_signals(pump);
    if (r < 0)
        return r == -ENOMEM ? r : lost(pump, err);
    if (talk->posts[talk->n_posts - 1].turn)
        pump->away = flags & TALK_AWAY;
    return 0;
}

/* Sends what there is to send. */
static int post_all(struct pump *pump, struct error *err)
{
    int r = 0;

    while (r == 0) {
        bool wanted = is_wanted(pump);
        int flags;

        if (wanted && pump->away && pump->talk.n_posts == 0)
            return give_way(pump, err);
        if (!wanted && pump->talk.n_posts == 0)
            pump->away = false; /* the next turn takes it back */
        flags = pump->away ? -1 : next_flags(pump, wanted);
        if (flags < 0)
            break;
        rpc_set_wake(&pump->client->rpc, pump->client->interrupt.fd);
        r = post(pump, (unsigned int) flags, err);
    }
    return r;
}

/* What is to be looked at while we wait. */
static int watch(struct pump *pump)
{
    int r = input_watch(pump);

    if (r == 0)
        r = wake_set(&pump->wake, WAKE_OUTPUT, outlet_blocked(&pump->outlet));
    wake_set(&pump->wake, WAKE_WINDOW,
             pump->terminal ? pump->terminal->window : -1);
    wake_set(&pump->wake, WAKE_LOCK, lock_watch(&pump->client->lock));
    return r == -EPERM ? 0 : r;
}

static void window_changed(struct pump *pump)
{
    char info[128];

    while (read(pump->terminal->window, info, sizeof(info)) > 0)
        ;
    terminal_size(&pump->talk.rows, &pump->talk.columns);
}

/* Whatever has woken us up. */
static void woken(struct pump *pump)
{
    unsigned int ready = wake_wait(&pump->wake, 0);

    if (ready & 1U << WAKE_SIGNAL)
        pump_signals(pump);
    if (ready & 1U << WAKE_WINDOW)
        window_changed(pump);
    if (ready & 1U << WAKE_LOCK)
        lock_watched(&pump->client->lock);
    pump->inlet.ready = ready & 1U << WAKE_INPUT;
}

/* While two requests are on their way nothing but a signal is of use. */
static int take(struct pump *pump, struct error *err)
{
    struct talk *talk = &pump->talk;
    int r;

    rpc_set_wake(&pump->client->rpc, talk_may_post(talk)
                                         ? pump->wake.fd
                                         : pump->client->interrupt.fd);
    r = talk_take(talk, err);
    if (r == -ECANCELED) {
        woken(pump);
        return 0;
    }
    if (r > 0)
        return lost(pump, err);
    pump->turns++;
    return r;
}

/* Our own reader is slow, and there is nothing to say. */
static void idle(struct pump *pump)
{
    wake_wait(&pump->wake, deadline_left(pump->deadline));
    woken(pump);
}

static int step(struct pump *pump, struct error *err)
{
    int r = outlet_flush(&pump->outlet);

    if (r < 0)
        return error_errno(err, r, "output");
    input_fill(pump);
    r = post_all(pump, err);
    if (r < 0 || pump->leaving || talk_over(&pump->talk))
        return r;
    r = watch(pump);
    if (r < 0)
        return error_errno(err, r, "input");
    if (pump->talk.n_posts > 0)
        r = take(pump, err);
    else if (output_stuck(pump))
        idle(pump);
    return r;
}

/* Waits for who reads our output, with the channel free for others. */
static int finish(struct pump *pump, struct error *err)
{
    int before = pump->signals;
    int r = outlet_flush(&pump->outlet);

    client_disconnect(pump->client);
    while (r == 0 && output_stuck(pump)) {
        r = watch(pump);
        if (r < 0)
            break;
        idle(pump);
        if (pump->signals > before)
            return error_set(err, -ECANCELED,
                             "interrupted: the command had ended");
        r = outlet_flush(&pump->outlet);
    }
    return r < 0 ? error_errno(err, r, "output") : 0;
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

/* The last that the job hears of us; what it says to that is of no interest. */
static void send_off(struct pump *pump, int number)
{
    struct talk *talk = &pump->talk;

    talk->output = drop_output;
    talk->n_signals = 0;
    talk_signal(talk, number);
    rpc_set_wake(&pump->client->rpc, pump->client->interrupt.fd);
    if (!is_connected(pump) || !talk_may_post(talk)
        || talk_post(talk, 0, NULL) < 0)
        return;
    while (talk->n_posts > 0 && talk_take(talk, NULL) == 0)
        ;
}

static int leave(struct pump *pump, struct error *err)
{
    if (pump->hung_up)
        send_off(pump, SIGHUP);
    return error_set(err, -ECANCELED, "%s; the agent ends the command within "
                     "5 s", pump->hung_up ? "left" : "interrupted");
}

int pump_run(struct pump *pump, const struct job_status *status,
             struct error *err)
{
    int r;

    talk_init(&pump->talk, pump->client, status);
    pump->talk.output = output;
    pump->talk.context = pump;
    if (pump->inlet.fd < 0)
        pump->talk.input_eof = true;
    pump->inlet.typed = pump->terminal != NULL;
    r = input_watch(pump); /* a file needs no waiting for */
    if (pump->early)
        signal_taken(pump, pump->early);
    pump_signals(pump);
    while (r == 0 && !talk_over(&pump->talk) && !pump->leaving) {
        if (deadline_left(pump->deadline) == 0)
            return error_set(err, -ETIMEDOUT, "timed out");
        r = step(pump, err);
    }
    if (r == -EPIPE) /* as the program would have heard it */
        send_off(pump, SIGPIPE);
    else if (pump->leaving)
        return leave(pump, err);
    return r < 0 ? r : finish(pump, err);
}
