/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "guest/handlers.h"

static const struct handler table[ROUTE_COUNT] = {
    [ROUTE_PING] = { .run = ping_run },
    [ROUTE_SYNC] = { .run = sync_run },
    [ROUTE_CAPABILITIES] = { .run = capabilities_run },
    [ROUTE_SYSTEM_INFO] = { .run = system_info_run },
    [ROUTE_SYSTEM_STATUS] = { .run = system_status_run },
    [ROUTE_SHELL_EXEC] = { .run = exec_run },
    [ROUTE_FILE_UPLOAD] = { .run = file_upload_run },
    [ROUTE_FILE_DOWNLOAD] = { .run = file_download_run },
    [ROUTE_FILE_INFO] = { .run = file_info_run },
    [ROUTE_CONTENT_GET] = { .run = content_get_run },
    [ROUTE_CONTENT_HEAD] = { .run = content_get_run },
    [ROUTE_CONTENT_PUT] = { .open = content_put_open,
                            .body = content_put_body,
                            .run = content_put_run },
    [ROUTE_FILE_DIGEST] = { .run = file_digest_run },
    [ROUTE_TRANSFER_GET] = { .run = transfer_get_run },
    [ROUTE_TRANSFER_FINISH] = { .run = transfer_finish_run },
    [ROUTE_TRANSFER_DELETE] = { .run = transfer_delete_run },
    [ROUTE_FILE_LIST] = { .run = file_list_run },
    [ROUTE_FILE_DIRECTORY] = { .run = file_directory_run },
    [ROUTE_FILE_SYMLINK] = { .run = file_symlink_run },
    [ROUTE_FILE_REMOVE] = { .run = file_remove_run },
    [ROUTE_FILE_ATTRIBUTES] = { .run = file_attributes_run },
    [ROUTE_FILE_SYNC] = { .run = file_sync_run },
    [ROUTE_SERVICE_CONTROL] = { .run = service_control_run },
    [ROUTE_CUSTOM] = { .run = custom_run },
    [ROUTE_REQUEST_GET] = { .run = request_get_run },
    [ROUTE_REQUEST_DELETE] = { .run = request_delete_run },
    [ROUTE_JOB_START] = { .run = job_start_run },
    [ROUTE_JOB_LIST] = { .run = job_list_run },
    [ROUTE_JOB_GET] = { .run = job_get_run },
    [ROUTE_JOB_DELETE] = { .run = job_delete_run },
    [ROUTE_JOB_OUTPUT] = { .run = job_output_run },
    [ROUTE_JOB_STDIN] = { .open = job_stdin_open,
                          .body = job_stdin_body,
                          .run = job_stdin_run },
    [ROUTE_JOB_SIGNAL] = { .run = job_signal_run },
    [ROUTE_JOB_RESIZE] = { .run = job_resize_run },
};

const struct handler *handler_get(enum route_id id)
{
    return &table[id];
}
