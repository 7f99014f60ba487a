/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * What the host reads of a job: four lines, the status, the offset and the
 * segments of the output, and the output itself.  A status that is taken is what
 * job.h says, and the pieces are exactly the bytes that came.
 */
#include <config.h>

#include <errno.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "host/job/joblog.h"

static void check_status(const struct job_status *status)
{
    ck_assert(status->id[0] && !strpbrk(status->id, "/? \n\033"));
    ck_assert(status->output_start >= 0
              && status->output_start <= status->output
              && status->output <= JOB_OFFSET_MAX);
    ck_assert(status->stdin_received >= 0 && status->stdin_room >= 0);
    ck_assert(status->exit_code <= 255);
    ck_assert(!status->ended || status->exit_code >= 0);
    ck_assert(status->signal[0] == '\0'
              || job_signal_number(status->signal) != 0);
}

static void check_pieces(struct joblog *log, const struct buf *body)
{
    const uint8_t *piece;
    size_t taken = 0;
    size_t n;

    for (int stream; (stream = joblog_next(log, &piece, &n)); taken += n) {
        ck_assert(stream == 1 || stream == 2);
        ck_assert(piece == buf_data(body) + taken && n > 0);
    }
    ck_assert_uint_eq(taken, body->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const names[] = { "X-Job-Status", "X-Output-Offset",
                                         "X-Output-Segments" };
    char *text = strndup((const char *) bytes, n);
    char *cursor = text;
    struct http_head head = { .n_fields = 3 };
    struct rpc_reply reply = { .head = &head };
    struct joblog log;
    int r;

    for (size_t i = 0; i < 3; i++) {
        const char *value = strsep(&cursor, "\n");

        head.fields[i] = (struct http_field) { names[i], value ? value : "" };
    }
    buf_init(&reply.body, n + 1);
    ck_assert_int_eq(buf_puts(&reply.body, cursor ? cursor : ""), 0);
    r = joblog_read(&reply, 0, &log, NULL);
    ck_assert(r == 0 || r == -EPROTO);
    if (r == 0) {
        check_status(&log.status);
        check_pieces(&log, &reply.body);
    }
    buf_free(&reply.body);
    free(text);
    return 0;
}
