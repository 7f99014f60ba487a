/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The table of handlers by route.  It is not in proto/route.c, which the host
 * uses, too.
 */
#include <config.h>

#include "guest/handle/handlers.h"

const struct handler handlers[ROUTE_COUNT] = {
    [ROUTE_PING] = { .run = ping_run },
    [ROUTE_SYNC] = { .query = &sync_query, .run = sync_run },
    [ROUTE_CAPABILITIES] = { .run = capabilities_run },
    [ROUTE_SYSTEM_INFO] = { .run = system_info_run },
    [ROUTE_SYSTEM_STATUS] = { .run = system_status_run },
    [ROUTE_SHELL_EXEC] = { .run = exec_run },
    [ROUTE_FILE_UPLOAD] = { .run = file_upload_run },
    [ROUTE_FILE_DOWNLOAD] = { .run = file_download_run },
    [ROUTE_FILE_INFO] = { .query = &file_info_query, .run = file_info_run },
    [ROUTE_CONTENT_GET] = { .query = &content_get_query,
                            .run = content_get_run },
    [ROUTE_CONTENT_HEAD] = { .query = &content_get_query,
                             .run = content_get_run },
    [ROUTE_CONTENT_PUT] = { .query = &content_put_query,
                            .open = content_put_open,
                            .body = content_put_body,
                            .run = content_put_run },
    [ROUTE_FILE_DIGEST] = { .query = &file_digest_query,
                            .run = file_digest_run },
    [ROUTE_TRANSFER_GET] = { .run = transfer_get_run },
    [ROUTE_TRANSFER_FINISH] = { .query = &transfer_finish_query,
                                .run = transfer_finish_run },
    [ROUTE_TRANSFER_DELETE] = { .run = transfer_delete_run },
    [ROUTE_FILE_LIST] = { .query = &file_list_query, .run = file_list_run },
    [ROUTE_FILE_DIRECTORY] = { .query = &file_directory_query,
                               .run = file_directory_run },
    [ROUTE_FILE_SYMLINK] = { .query = &file_symlink_query,
                             .run = file_symlink_run },
    [ROUTE_FILE_REMOVE] = { .query = &file_remove_query,
                            .run = file_remove_run },
    [ROUTE_FILE_ATTRIBUTES] = { .query = &file_attributes_query,
                                .run = file_attributes_run },
    [ROUTE_FILE_SYNC] = { .query = &file_sync_query, .run = file_sync_run },
    [ROUTE_SERVICE_CONTROL] = { .run = service_control_run },
    [ROUTE_CUSTOM] = { .run = custom_run },
    [ROUTE_REQUEST_GET] = { .run = request_get_run },
    [ROUTE_REQUEST_DELETE] = { .run = request_delete_run },
    [ROUTE_JOB_START] = { .run = job_start_run },
    [ROUTE_JOB_LIST] = { .run = job_list_run },
    [ROUTE_JOB_GET] = { .run = job_get_run },
    [ROUTE_JOB_DELETE] = { .run = job_delete_run },
    [ROUTE_JOB_OUTPUT] = { .query = &job_turn_query, .run = job_output_run },
    [ROUTE_JOB_STDIN] = { .query = &job_turn_query,
                          .open = job_stdin_open,
                          .body = job_stdin_body,
                          .run = job_stdin_run },
    [ROUTE_JOB_SIGNAL] = { .run = job_signal_run },
    [ROUTE_JOB_RESIZE] = { .run = job_resize_run },
};
