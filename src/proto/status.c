/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
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
    { STATUS_METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", 405,
      EXIT_STATUS_FAILED, "Method not allowed" },
    { STATUS_BAD_HTTP, "BAD_HTTP", 400, EXIT_STATUS_FAILED,
      "Malformed HTTP request" },
    { STATUS_ENDPOINT_NOT_FOUND, "ENDPOINT_NOT_FOUND", 404,
      EXIT_STATUS_FAILED, "Endpoint not found" },
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
