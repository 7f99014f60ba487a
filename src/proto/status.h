/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The one table of business codes: code, name, HTTP status, the words of the
 * envelope and the exit status of a process that reports it.  Nothing else in
 * the project knows two of them at once.  Source: the error codes of the
 * specification, and vsrpc-protocol(7) for what was added.
 */
#ifndef VSRPC_PROTO_STATUS_H
#define VSRPC_PROTO_STATUS_H

#include <stddef.h>

enum status_code {
    STATUS_SUCCESS = 0,
    STATUS_CMD_EXEC_FAILED = 1001,
    STATUS_CMD_TIMEOUT = 1002,
    STATUS_CMD_NOT_FOUND = 1003,
    STATUS_FILE_OPERATION_FAILED = 1004,
    STATUS_INVALID_PARAMS = 2001,
    STATUS_JSON_PARSE_ERROR = 2002,
    STATUS_MISSING_REQUIRED = 2003,
    STATUS_PAYLOAD_TOO_LARGE = 2004,
    STATUS_METHOD_NOT_ALLOWED = 2005,
    STATUS_BAD_HTTP = 2006,
    STATUS_ENDPOINT_NOT_FOUND = 3001,
    STATUS_FILE_NOT_FOUND = 3002,
    STATUS_JOB_NOT_FOUND = 3003,
    STATUS_SERVICE_NOT_FOUND = 3004,
    STATUS_REQUEST_GONE = 3005,
    STATUS_PERMISSION_DENIED = 4001,
    STATUS_AUTH_FAILED = 4002,
    STATUS_SESSION_EXPIRED = 4003,
    STATUS_PRECONDITION_FAILED = 4004,
    STATUS_INTERNAL_ERROR = 5001,
    STATUS_SERVICE_UNAVAILABLE = 5002,
    STATUS_CONNECTION_LOST = 6001,
    STATUS_READ_TIMEOUT = 6002,
    STATUS_OUTCOME_UNKNOWN = 6003,
    STATUS_DOMAIN_NOT_FOUND = 6004,
    STATUS_DOMAIN_NOT_RUNNING = 6005,
    STATUS_DOMAIN_PAUSED = 6006,
    STATUS_NO_CHANNEL = 6007,
    STATUS_SEVERAL_CHANNELS = 6008,
    STATUS_NO_SOCKET = 6009,
    STATUS_NO_PERMISSION = 6010,
    STATUS_AGENT_NOT_RUNNING = 6011,
    STATUS_AGENT_SILENT = 6012,
    STATUS_CHANNEL_BUSY = 6013,
    STATUS_LIBVIRT_FAILED = 6014,
    STATUS_BAD_ANSWER = 6015,
    STATUS_INTERRUPTED = 6016,
    STATUS_LOCAL_FAILED = 6017,
};

/* Exit statuses of vsrpc-virsh.  Those of exec are what docker, timeout(1)
 * and a shell use for the same things. */
enum exit_status {
    EXIT_STATUS_OK = 0,
    EXIT_STATUS_FAILED = 1,      /* the agent answered with an error */
    EXIT_STATUS_USAGE = 2,       /* the command line is wrong */
    EXIT_STATUS_UNKNOWN = 123,   /* it may have been carried out, or not */
    EXIT_STATUS_TIMEOUT = 124,   /* the command ran out of time */
    EXIT_STATUS_TRANSPORT = 125, /* vsrpc itself or the channel failed */
    EXIT_STATUS_DENIED = 126,    /* refused by policy, or not executable */
    EXIT_STATUS_NOT_FOUND = 127, /* no such command in the guest */
    EXIT_STATUS_SIGNAL = 128,    /* plus the signal's number */
};

struct status {
    enum status_code code;
    const char *name;    /* data.error_type */
    int http;            /* 0: never sent by an agent */
    int exit;            /* enum exit_status */
    const char *message; /* the envelope's "message" */
};

/*
 * Finds a code in the table.
 *
 * Return: its row, never NULL: an unknown code gets INTERNAL_ERROR's.
 */
const struct status *status_get(int code);

/* The whole table, for tests and manuals.  Return: the rows, *n of them. */
const struct status *status_table(size_t *n);

#endif
