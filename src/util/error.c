/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Writes into the caller's object, so that nothing is allocated.  A new
 * message removes the old hint, which was about something else.
 */
#include <config.h>

#include "util/error.h"

#include <stdio.h>
#include <string.h>

static void __attribute__((format(printf, 3, 0)))
error_vset(struct error *err, int code, const char *format, va_list args)
{
    err->code = code;
    err->status = 0;
    err->hint[0] = '\0';
    vsnprintf(err->message, sizeof(err->message), format, args);
}

int error_set(struct error *err, int code, const char *format, ...)
{
    va_list args;

    if (!err)
        return code;
    va_start(args, format);
    error_vset(err, code, format, args);
    va_end(args);
    return code;
}

int error_errno(struct error *err, int code, const char *format, ...)
{
    va_list args;
    size_t used;

    if (!err)
        return code;
    va_start(args, format);
    error_vset(err, code, format, args);
    va_end(args);
    used = strlen(err->message);
    snprintf(err->message + used, sizeof(err->message) - used, ": %s",
             strerror(-code));
    return code;
}

void error_status(struct error *err, int status)
{
    if (err)
        err->status = status;
}

void error_hint(struct error *err, const char *format, ...)
{
    va_list args;

    if (!err)
        return;
    va_start(args, format);
    vsnprintf(err->hint, sizeof(err->hint), format, args);
    va_end(args);
}

void error_prefix(struct error *err, const char *format, ...)
{
    char old[sizeof(err->message)];
    va_list args;
    size_t used;

    if (!err)
        return;
    memcpy(old, err->message, sizeof(old));
    va_start(args, format);
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    used = strlen(err->message);
    snprintf(err->message + used, sizeof(err->message) - used, ": %s", old);
}

void error_clear(struct error *err)
{
    if (!err)
        return;
    err->code = 0;
    err->message[0] = '\0';
    err->hint[0] = '\0';
}
