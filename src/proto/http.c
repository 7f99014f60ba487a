/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Parses heads in place: separators become NULs, and no memory is allocated.
 * A table has the fields that decide how a message is read; each is checked as
 * it comes, and all of them together at the end.
 */
#include <config.h>

#include "proto/http.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/cleanup.h"
#include "util/num.h"

#define VALUE_MAX 8192 /* of one field that we write */

static int fault_set(struct http_fault *fault, int http, const char *detail)
{
    fault->http = http;
    fault->detail = detail;
    return -EBADMSG;
}

/* tchar of RFC 9110 section 5.6.2. */
static bool is_token_byte(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (!is_token_byte((unsigned char) *text))
            return false;
    return true;
}

bool http_field_named(const char *line)
{
    size_t n = 0;

    while (is_token_byte((unsigned char) line[n]))
        n++;
    return n > 0 && line[n] == ':';
}

/* Cuts the line that starts at *cursor and moves the cursor behind its CRLF.
 * Return: the line as a string, or NULL on a stray CR, LF or NUL. */
static char *line_take(char **cursor, char *end)
{
    char *line = *cursor;
    char *p = line;

    while (p < end && *p != '\r' && *p != '\n' && *p != '\0')
        p++;
    if (end - p < 2 || p[0] != '\r' || p[1] != '\n')
        return NULL;
    *p = '\0';
    *cursor = p + 2;
    return line;
}

/* field-value: visible bytes, blank, tab, and bytes above 127 but the reset
 * marker (RFC 9110 section 5.5). */
static bool is_field_value(const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char) *text;

        if ((c < 0x20 && c != '\t') || c == 0x7F || c == RESET_BYTE)
            return false;
    }
    return true;
}

static char *trim(char *text)
{
    size_t n;

    text += strspn(text, " \t");
    n = strlen(text);
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        text[--n] = '\0';
    return text;
}

static int field_content_length(struct http_head *head, const char *value,
                                struct http_fault *fault)
{
    if (head->content_length >= 0)
        return fault_set(fault, 400, "more than one Content-Length");
    if (num_parse(value, 0, INT64_MAX, &head->content_length) < 0) {
        head->content_length = -1;
        return fault_set(fault, 400, "Content-Length is not a number");
    }
    return 0;
}

static int field_transfer_encoding(struct http_head *head, const char *value,
                                   struct http_fault *fault)
{
    if (head->chunked)
        return fault_set(fault, 400, "more than one Transfer-Encoding");
    if (strcasecmp(value, "chunked") != 0)
        return fault_set(fault, 501, "Transfer-Encoding is not 'chunked'");
    head->chunked = true;
    return 0;
}

static int field_expect(struct http_head *head, const char *value,
                        struct http_fault *fault)
{
    if (strcasecmp(value, "100-continue") != 0)
        return fault_set(fault, 417, "Expect is not '100-continue'");
    head->expect_continue = true;
    return 0;
}

/* Fields that say how the message is read. */
static const struct {
    const char *name;
    int (*take)(struct http_head *, const char *, struct http_fault *);
} framing[] = {
    { "Content-Length", field_content_length },
    { "Transfer-Encoding", field_transfer_encoding },
    { "Expect", field_expect },
};

static int field_parse(char *line, struct http_head *head,
                       struct http_fault *fault)
{
    char *colon = strchr(line, ':');
    char *value;

    if (!colon)
        return fault_set(fault, 400, "header line without a colon");
    *colon = '\0';
    if (!is_token(line)) /* also folding and a blank before the colon */
        return fault_set(fault, 400, "malformed header name");
    value = trim(colon + 1);
    if (!is_field_value(value))
        return fault_set(fault, 400, "control character in a header value");
    if (head->n_fields == HTTP_FIELDS_MAX)
        return fault_set(fault, 431, "too many header fields");
    head->fields[head->n_fields++] = (struct http_field) { line, value };
    for (size_t i = 0; i < ARRAY_SIZE(framing); i++)
        if (strcasecmp(line, framing[i].name) == 0)
            return framing[i].take(head, value, fault);
    return 0;
}

/* Absolute form (RFC 9112 section 3.2.2) is brought to origin form. */
static char *target_origin(char *target)
{
    static const char scheme[] = "http://";

    if (strncasecmp(target, scheme, sizeof(scheme) - 1) != 0)
        return target;
    target = strpbrk(target + sizeof(scheme) - 1, "/?");
    return target;
}

/* HTTP-version of RFC 9112 section 2.3. */
static bool is_version(const char *text)
{
    static const char digits[] = "0123456789";

    return strncmp(text, "HTTP/", 5) == 0 && strspn(text + 5, digits) == 1
           && text[6] == '.' && strspn(text + 7, digits) == 1 && !text[8];
}

static int request_line_parse(char *line, struct http_head *head,
                              struct http_fault *fault)
{
    char *target = strchr(line, ' ');
    char *version = target ? strchr(target + 1, ' ') : NULL;

    if (!version)
        return fault_set(fault, 400, "malformed request line");
    *target++ = '\0';
    *version++ = '\0';
    if (!is_token(line))
        return fault_set(fault, 400, "malformed method");
    if (strlen(line) > HTTP_METHOD_MAX)
        return fault_set(fault, 501, "unknown method");
    if (!is_version(version))
        return fault_set(fault, 400, "malformed HTTP version");
    if (strcmp(version, "HTTP/1.1") != 0)
        return fault_set(fault, 505, "only HTTP/1.1 is spoken here");
    if (strlen(target) > HTTP_TARGET_MAX)
        return fault_set(fault, 414, "request target too long");
    for (const char *p = target; *p; p++)
        if ((unsigned char) *p <= 0x20 || (unsigned char) *p >= 0x7F
            || *p == '#') /* a fragment never leaves its client */
            return fault_set(fault, 400, "malformed request target");
    target = target_origin(target);
    if (!target || *target != '/')
        return fault_set(fault, 400, "request target is not a path");
    head->method = line;
    head->target = target;
    return 0;
}

static int status_line_parse(const char *line, struct http_head *head,
                             struct http_fault *fault)
{
    static const char version[] = "HTTP/1.1 ";
    const char *code = line + sizeof(version) - 1;
    int status = 0;

    if (strncmp(line, version, sizeof(version) - 1) != 0)
        return fault_set(fault, 400, "malformed status line");
    for (int i = 0; i < 3; i++) {
        if (code[i] < '0' || code[i] > '9')
            return fault_set(fault, 400, "malformed status code");
        status = status * 10 + (code[i] - '0');
    }
    if (code[3] != ' ' || status < 100 || status > 599
        || !is_field_value(code + 4))
        return fault_set(fault, 400, "malformed status line");
    head->status = status;
    return 0;
}

/* Fields with one value that we act on: of two that differ only one could hold,
 * and which, nobody said. */
static const char *const single[] = {
    "Content-Range",     "Content-Digest", "Content-Type", "ETag",
    "If-Match",          "If-None-Match",  "If-Range",     "Range",
    "Retry-After",       "X-Auth-Token",   "X-Boot-ID",    "X-Content-SHA256",
    "X-Heartbeat",       "X-Job-Status",   "X-Nonce",      "X-Output-Offset",
    "X-Output-Segments", "X-Request-Age",  "X-Request-ID", "X-Session",
    "X-Timestamp",
};

static bool is_twice(const struct http_head *head, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < head->n_fields; i++)
        n += strcasecmp(head->fields[i].name, name) == 0;
    return n > 1;
}

/* What only holds for the fields together. */
static int head_check(enum http_role role, const struct http_head *head,
                      struct http_fault *fault)
{
    size_t hosts = 0;

    if (head->chunked && head->content_length >= 0)
        return fault_set(fault, 400,
                         "both Content-Length and Transfer-Encoding");
    for (size_t i = 0; i < ARRAY_SIZE(single); i++)
        if (is_twice(head, single[i]))
            return fault_set(fault, 400, "a field with one value, twice");
    if (role == HTTP_RESPONSE)
        return 0;
    for (size_t i = 0; i < head->n_fields; i++)
        hosts += strcasecmp(head->fields[i].name, "Host") == 0;
    if (hosts != 1)
        return fault_set(fault, 400, "exactly one Host field is required");
    return 0;
}

int http_head_parse(enum http_role role, char *bytes, size_t n,
                    struct http_head *head, struct http_fault *fault)
{
    char *cursor = bytes;
    char *end = bytes + n;
    char *line = line_take(&cursor, end);
    int r;

    *head = (struct http_head) { .content_length = -1 };
    if (!line)
        return fault_set(fault, 400, "malformed line end");
    r = role == HTTP_REQUEST ? request_line_parse(line, head, fault)
                             : status_line_parse(line, head, fault);
    while (r == 0) {
        line = line_take(&cursor, end);
        if (!line)
            return fault_set(fault, 400, "malformed line end");
        if (!*line)
            return head_check(role, head, fault);
        r = field_parse(line, head, fault);
    }
    return r;
}

const char *http_field_get(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->n_fields; i++)
        if (strcasecmp(head->fields[i].name, name) == 0)
            return head->fields[i].value;
    return NULL;
}

static size_t string_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* Puts a string where *at is and moves that behind it. */
static char *string_put(char **at, const char *text)
{
    size_t n = string_size(text);
    char *copy = *at;

    if (!text)
        return NULL;
    memcpy(copy, text, n);
    *at += n;
    return copy;
}

struct http_head *http_head_copy(const struct http_head *head)
{
    size_t n = string_size(head->method) + string_size(head->target);
    struct http_head *copy;
    char *at;

    for (size_t i = 0; i < head->n_fields; i++)
        n += string_size(head->fields[i].name)
             + string_size(head->fields[i].value);
    copy = malloc(sizeof(*copy) + n);
    if (!copy)
        return NULL;
    *copy = *head;
    at = (char *) (copy + 1);
    copy->method = string_put(&at, head->method);
    copy->target = string_put(&at, head->target);
    for (size_t i = 0; i < head->n_fields; i++) {
        copy->fields[i].name = string_put(&at, head->fields[i].name);
        copy->fields[i].value = string_put(&at, head->fields[i].value);
    }
    return copy;
}

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    { 100, "Continue" },
    { 102, "Processing" },
    { 200, "OK" },
    { 201, "Created" },
    { 206, "Partial Content" },
    { 304, "Not Modified" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 416, "Range Not Satisfiable" },
    { 417, "Expectation Failed" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 503, "Service Unavailable" },
    { 505, "HTTP Version Not Supported" },
};

const char *http_reason(int status)
{
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

int http_write_request(struct buf *out, const char *method, const char *target)
{
    return buf_printf(out, "%s %s HTTP/1.1\r\nHost: virtio-rpc\r\n", method,
                      target);
}

int http_write_status(struct buf *out, int status)
{
    return buf_printf(out, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
}

int http_write_field(struct buf *out, const char *name, const char *format,
                     ...)
{
    char value[VALUE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    for (char *p = value; *p; p++) {
        unsigned char c = (unsigned char) *p;

        if ((c < 0x20 && c != '\t') || c == 0x7F || c == RESET_BYTE)
            *p = '?';
    }
    return buf_printf(out, "%s: %s\r\n", name, value);
}

int http_write_end(struct buf *out)
{
    return buf_puts(out, "\r\n");
}
