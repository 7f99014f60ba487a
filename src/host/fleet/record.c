/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The members are written in front of those of a line, which is not parsed: who
 * wrote it is one of us. */
#include <config.h>

#include "host/fleet/record.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/term/out.h"

#define RECORD_MAX (1L << 30) /* twice what --json gathers, with escapes */

void record_init(struct record *record, const char *name)
{
    record->name = name;
    buf_init(&record->lines, RECORD_MAX);
    buf_init(&record->output, RECORD_MAX);
}

void record_free(struct record *record)
{
    buf_free(&record->lines);
    buf_free(&record->output);
}

int record_feed(struct record *record, bool lines, const uint8_t *bytes,
                size_t n)
{
    return buf_append(lines ? &record->lines : &record->output, bytes, n);
}

int record_add(struct record *record, struct json_object *value)
{
    struct buf *lines = &record->lines;
    const uint8_t *end = lines->len > 0
                             ? memrchr(buf_data(lines), '\n', lines->len)
                             : NULL;
    size_t n = 0;
    const char *text = json_text(value, &n);
    int r = text ? 0 : -ENOMEM;

    lines->len = end ? (size_t) (end - buf_data(lines)) + 1 : 0;
    if (r == 0)
        r = buf_append(lines, text, n);
    return r < 0 ? r : buf_puts(lines, "\n");
}

/* Return: the members that each line has; NULL: no memory. */
static struct json_object *head_of(const struct record *record, int status)
{
    struct json_object *head = json_object_new_object();

    json_add_string(head, "domain", record->name);
    json_add_int(head, "exit_status", status);
    if (json_whole(head))
        return head;
    json_object_put(head);
    return NULL;
}

static int write_output(const struct record *record, int status)
{
    AUTO_JSON struct json_object *head = head_of(record, status);

    if (record->output.len > 0)
        json_add_bytes(head, "output", buf_data(&record->output),
                       record->output.len);
    return json_whole(head) ? out_json(STDOUT_FILENO, head) : -ENOMEM;
}

/* The members in front of those of an object of n bytes. */
static int write_line(const struct record *record, int status,
                      const uint8_t *bytes, size_t n)
{
    AUTO_JSON struct json_object *head = head_of(record, status);
    size_t length = 0;
    const char *text = head ? json_text(head, &length) : NULL;
    int r = text ? out_bytes(STDOUT_FILENO, text, length - 1) : -ENOMEM;

    if (r == 0)
        r = out_bytes(STDOUT_FILENO, ",", 1);
    if (r == 0)
        r = out_bytes(STDOUT_FILENO, bytes + 1, n - 1);
    return r;
}

int record_end(struct record *record, int status)
{
    const uint8_t *bytes = buf_data(&record->lines);
    size_t left = record->lines.len;
    bool silent = left == 0;
    int r = silent || record->output.len > 0 ? write_output(record, status)
                                             : 0;

    while (r == 0 && left > 0) {
        const uint8_t *end = memchr(bytes, '\n', left);
        size_t n = end ? (size_t) (end - bytes) + 1 : left;

        if (end && n > 3) /* cut short by its end it is no line */
            r = write_line(record, status, bytes, n);
        bytes += n;
        left -= n;
    }
    record_free(record);
    return r;
}
