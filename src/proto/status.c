/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The table of codes.  It is searched and not indexed, because there are gaps
 * between the codes.
 */
#include <config.h>

#include "proto/status.h"

#include "util/cleanup.h"

static const struct status table[] = {
    { STATUS_SUCCESS, "SUCCESS", 200, EXIT_STATUS_OK, "success" },
    { STATUS_CMD_EXEC_FAILED, "CMD_EXEC_FAILED", 200, EXIT_STATUS_DENIED,
      "Command execution failed" },
    { STATUS_CMD_TIMEOUT, "CMD_TIMEOUT", 200, EXIT_STATUS_TIMEOUT,
      "Command timed out" },
    { STATUS_CMD_NOT_FOUND, "CMD_NOT_FOUND", 200, EXIT_STATUS_NOT_FOUND,
      "Command not found" },
    { STATUS_FILE_OPERATION_FAILED, "FILE_OPERATION_FAILED", 200,
      EXIT_STATUS_FAILED, "File operation failed" },
    { STATUS_INVALID_PARAMS, "INVALID_PARAMS", 400, EXIT_STATUS_FAILED,
      "Invalid parameters" },
    { STATUS_JSON_PARSE_ERROR, "JSON_PARSE_ERROR", 400, EXIT_STATUS_FAILED,
      "Request body is not valid JSON" },
    { STATUS_MISSING_REQUIRED, "MISSING_REQUIRED", 400, EXIT_STATUS_FAILED,
      "Required parameter missing" },
    { STATUS_PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", 413, EXIT_STATUS_FAILED,
      "Request body too large" },
    { STATUS_METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", 405, EXIT_STATUS_FAILED,
      "Method not allowed" },
    { STATUS_BAD_HTTP, "BAD_HTTP", 400, EXIT_STATUS_FAILED,
      "Malformed HTTP request" },
    { STATUS_ENDPOINT_NOT_FOUND, "ENDPOINT_NOT_FOUND", 404, EXIT_STATUS_FAILED,
      "Endpoint not found" },
    { STATUS_FILE_NOT_FOUND, "FILE_NOT_FOUND", 404, EXIT_STATUS_FAILED,
      "File not found" },
    { STATUS_JOB_NOT_FOUND, "JOB_NOT_FOUND", 404, EXIT_STATUS_FAILED,
      "Job not found" },
    { STATUS_SERVICE_NOT_FOUND, "SERVICE_NOT_FOUND", 404, EXIT_STATUS_FAILED,
      "Service not found" },
    { STATUS_REQUEST_GONE, "REQUEST_GONE", 410, EXIT_STATUS_UNKNOWN,
      "Request no longer remembered" },
    { STATUS_PERMISSION_DENIED, "PERMISSION_DENIED", 403, EXIT_STATUS_DENIED,
      "Permission denied" },
    { STATUS_AUTH_FAILED, "AUTH_FAILED", 401, EXIT_STATUS_DENIED,
      "Authentication failed" },
    { STATUS_SESSION_EXPIRED, "SESSION_EXPIRED", 409, EXIT_STATUS_TRANSPORT,
      "Session expired" },
    { STATUS_PRECONDITION_FAILED, "PRECONDITION_FAILED", 412,
      EXIT_STATUS_FAILED, "Precondition failed" },
    { STATUS_INTERNAL_ERROR, "INTERNAL_ERROR", 500, EXIT_STATUS_TRANSPORT,
      "Internal error" },
    { STATUS_SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", 503,
      EXIT_STATUS_TRANSPORT, "Service unavailable" },
    { STATUS_CONNECTION_LOST, "CONNECTION_LOST", 0, EXIT_STATUS_TRANSPORT,
      "Connection lost" },
    { STATUS_READ_TIMEOUT, "READ_TIMEOUT", 0, EXIT_STATUS_TRANSPORT,
      "Read timed out" },
    { STATUS_OUTCOME_UNKNOWN, "OUTCOME_UNKNOWN", 0, EXIT_STATUS_UNKNOWN,
      "Outcome unknown" },
    { STATUS_DOMAIN_NOT_FOUND, "DOMAIN_NOT_FOUND", 0, EXIT_STATUS_TRANSPORT,
      "Domain not found" },
    { STATUS_DOMAIN_NOT_RUNNING, "DOMAIN_NOT_RUNNING", 0,
      EXIT_STATUS_TRANSPORT, "Domain not running" },
    { STATUS_DOMAIN_PAUSED, "DOMAIN_PAUSED", 0, EXIT_STATUS_TRANSPORT,
      "Domain paused" },
    { STATUS_NO_CHANNEL, "NO_CHANNEL", 0, EXIT_STATUS_TRANSPORT,
      "No channel for an agent" },
    { STATUS_SEVERAL_CHANNELS, "SEVERAL_CHANNELS", 0, EXIT_STATUS_TRANSPORT,
      "Several channels, and none is chosen" },
    { STATUS_NO_SOCKET, "NO_SOCKET", 0, EXIT_STATUS_TRANSPORT,
      "The channel's socket is not there" },
    { STATUS_NO_PERMISSION, "NO_PERMISSION", 0, EXIT_STATUS_TRANSPORT,
      "No permission on the host" },
    { STATUS_AGENT_NOT_RUNNING, "AGENT_NOT_RUNNING", 0, EXIT_STATUS_TRANSPORT,
      "The agent does not run" },
    { STATUS_AGENT_SILENT, "AGENT_SILENT", 0, EXIT_STATUS_TRANSPORT,
      "The agent does not answer" },
    { STATUS_CHANNEL_BUSY, "CHANNEL_BUSY", 0, EXIT_STATUS_TRANSPORT,
      "Another client has the channel" },
    { STATUS_LIBVIRT_FAILED, "LIBVIRT_FAILED", 0, EXIT_STATUS_TRANSPORT,
      "libvirt does not answer" },
    { STATUS_BAD_ANSWER, "BAD_ANSWER", 0, EXIT_STATUS_TRANSPORT,
      "The answer makes no sense" },
    { STATUS_INTERRUPTED, "INTERRUPTED", 0, EXIT_STATUS_TRANSPORT,
      "Interrupted" },
    { STATUS_LOCAL_FAILED, "LOCAL_FAILED", 0, EXIT_STATUS_TRANSPORT,
      "Failed on the host" },
};

static const struct status *status_find(int code)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if ((int) table[i].code == code)
            return &table[i];
    return NULL;
}

const struct status *status_get(int code)
{
    const struct status *row = status_find(code);

    return row ? row : status_find(STATUS_INTERNAL_ERROR);
}

const struct status *status_table(size_t *n)
{
    *n = ARRAY_SIZE(table);
    return table;
}
