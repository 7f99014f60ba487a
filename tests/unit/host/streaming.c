/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "unit/host/streaming.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit/unit.h"
#include "util/crypto.h"
#include "util/fd.h"

struct config config;
struct target target;
struct client client;
struct job_stream stream;
struct error err;
struct heard heard;
struct buf got;
int far = -1;
int output_result;

static struct out quiet = { .quiet = true };
static struct log nowhere = { .fd = -1 };
static struct target_source source;

static int output(void *context, int fd, const uint8_t *bytes, size_t n,
                  struct error *error)
{
    ck_assert_ptr_eq(context, &stream);
    ck_assert_uint_gt(n, 0);
    buf_printf(&got, "%d:%.*s|", fd, (int) n, (const char *) bytes);
    return output_result ? error_set(error, output_result, "no output") : 0;
}

static void connect_link(void)
{
    client.rpc.transport = &link_pair(&far, 65536, 1 << 20)->base;
    snprintf(client.rpc.peer.instance, RPC_WORD_MAX, "instance-1");
    snprintf(client.rpc.peer.boot_id, RPC_WORD_MAX, "boot-1");
    snprintf(client.rpc.peer.session, RPC_WORD_MAX, "session-1");
}

void talking_begin(void)
{
    static const struct job_status status = {
        .id = "ab12cd34",
        .stdin_open = true,
        .stdin_room = 100,
    };
    const struct client_setup with = { .config = &config,
                                       .source = &source,
                                       .out = &quiet,
                                       .log = &nowhere,
                                       .timeout = TIMEOUT_UNSET };

    config = (struct config) { .connect_timeout = 20000,
                               .read_timeout = 20000,
                               .write_timeout = 20000 };
    client_init(&client, &with, &target);
    connect_link();
    job_stream_init(&stream, &client, &status);
    stream.output = output;
    stream.context = &stream;
    buf_init(&got, 1 << 20);
    error_clear(&err);
}

void talking_end(void)
{
    job_stream_free(&stream);
    client_free(&client);
    buf_free(&got);
    heard_free(&heard);
    fd_close(&far);
}

/* --- what the host does ---------------------------------------------------- */

void type(const char *bytes)
{
    ck_assert_uint_le(strlen(bytes), job_stream_input_room(&stream));
    ck_assert_int_eq(buf_puts(&stream.input, bytes), 0);
}

void is_heard(const char *method, const char *wanted)
{
    ck_assert_str_eq(heard.method, method);
    ck_assert_str_eq(heard.target, wanted);
}

void post(unsigned int flags, const char *method, const char *wanted)
{
    heard_free(&heard);
    ck_assert_msg(job_stream_post(&stream, flags, &err) == 0, "%s",
                  err.message);
    far_hear(far, &heard);
    ck_assert(far_is_quiet(far));
    is_heard(method, wanted);
}

static void input_target(char wanted[512], int64_t offset, const char *bytes,
                         int64_t output_at, const char *rest)
{
    char md5[DIGEST_HEX_MAX];
    bool eof = strncmp(rest, "&eof=1", 6) == 0;

    digest_bytes(DIGEST_MD5, bytes, strlen(bytes), md5);
    snprintf(wanted, 512,
             JOB "/stdin?offset=%" PRId64 "&output=%" PRId64 "%s%s%s%s",
             offset, output_at, eof ? "&eof=1" : "", *bytes ? "&md5=" : "",
             *bytes ? md5 : "", rest + (eof ? 6 : 0));
}

void is_heard_input(int64_t offset, const char *bytes, int64_t output_at,
                    const char *rest)
{
    char wanted[512];

    input_target(wanted, offset, bytes, output_at, rest);
    is_heard("POST", wanted);
    ck_assert_str_eq(heard_field(&heard, "Content-Type"),
                     "application/octet-stream");
    ck_assert_uint_eq(heard.body_len, strlen(bytes));
    ck_assert_mem_eq(heard.body, bytes, strlen(bytes));
}

void post_input(unsigned int flags, int64_t offset, const char *bytes,
                int64_t output_at, const char *rest)
{
    char wanted[512];

    input_target(wanted, offset, bytes, output_at, rest);
    post(flags, "POST", wanted);
    is_heard_input(offset, bytes, output_at, rest);
}

void take(int result)
{
    int r = job_stream_take(&stream, &err);

    ck_assert_msg(r == result, "%d: %s", r, err.message);
}

void printed(const char *text)
{
    ck_assert_str_eq(got.len ? buf_cstr(&got) : "", text);
    buf_clear(&got);
}

/* --- what the agent says --------------------------------------------------- */

void status_text(const struct says *says, char text[STATUS_TEXT_MAX])
{
    bool ended = says->more && strstr(says->more, "exit_code");

    snprintf(text, STATUS_TEXT_MAX,
             "{\"id\":\"%s\",\"state\":\"%s\",\"output\":%" PRId64
             ",\"output_start\":0,\"stdin_received\":%" PRId64
             ",\"stdin_room\":%" PRId64
             ",\"stdin_open\":%s,\"duration_ms\":1%s}",
             says->id ? says->id : "ab12cd34", ended ? "ended" : "running",
             says->end, says->received, says->room,
             says->closed ? "false" : "true", says->more ? says->more : "");
}

void say_turn_to(const char *id, const struct says *says, int64_t offset,
                 const char *segments, const char *bytes)
{
    char fields[2048];
    char status[STATUS_TEXT_MAX];

    status_text(says, status);
    snprintf(fields, sizeof(fields),
             "Content-Type: application/octet-stream\r\nX-Job-Status: %s\r\n"
             "X-Output-Offset: %" PRId64 "\r\n%s%s%s",
             status, offset, segments ? "X-Output-Segments: " : "",
             segments ? segments : "", segments ? "\r\n" : "");
    far_answer(far, id, 200, fields, bytes, strlen(bytes));
}

void say_turn(const struct says *says, int64_t offset, const char *segments,
              const char *bytes)
{
    say_turn_to(heard.id, says, offset, segments, bytes);
}

void say_json(int http, int code, const char *data)
{
    char body[1024];

    snprintf(body, sizeof(body),
             "{\"version\":\"1.0\",\"code\":%d,\"message\":\"words\","
             "\"data\":%s,\"timestamp\":1}",
             code, data);
    far_answer(far, heard.id, http, "Content-Type: application/json\r\n", body,
               strlen(body));
}

void say_status(const struct says *says)
{
    char status[STATUS_TEXT_MAX];

    status_text(says, status);
    say_json(200, 0, status);
}
