/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What is behind each route. */
#ifndef VSRPC_GUEST_HANDLE_HANDLERS_H
#define VSRPC_GUEST_HANDLE_HANDLERS_H

#include <stddef.h>
#include <stdint.h>

#include "guest/request/request.h"
#include "proto/route.h"

extern const struct handler handlers[ROUTE_COUNT];

extern const struct query_form content_get_query;
extern const struct query_form content_put_query;
extern const struct query_form file_attributes_query;
extern const struct query_form file_digest_query;
extern const struct query_form file_directory_query;
extern const struct query_form file_info_query;
extern const struct query_form file_list_query;
extern const struct query_form file_remove_query;
extern const struct query_form file_symlink_query;
extern const struct query_form file_sync_query;
extern const struct query_form job_turn_query;
extern const struct query_form sync_query;
extern const struct query_form transfer_finish_query;

void ping_run(struct request *request);
void sync_run(struct request *request);
void capabilities_run(struct request *request);
void system_info_run(struct request *request);
void system_status_run(struct request *request);
void exec_run(struct request *request);
void file_upload_run(struct request *request);
void file_download_run(struct request *request);
void file_info_run(struct request *request);
void content_get_run(struct request *request);
void content_put_open(struct request *request);
void content_put_body(struct request *request, const uint8_t *bytes, size_t n);
void content_put_run(struct request *request);
void file_digest_run(struct request *request);
void transfer_get_run(struct request *request);
void transfer_finish_run(struct request *request);
void transfer_delete_run(struct request *request);
void file_list_run(struct request *request);
void file_directory_run(struct request *request);
void file_symlink_run(struct request *request);
void file_remove_run(struct request *request);
void file_attributes_run(struct request *request);
void file_sync_run(struct request *request);
void service_control_run(struct request *request);
void custom_run(struct request *request);
void request_get_run(struct request *request);
void request_delete_run(struct request *request);
void job_start_run(struct request *request);
void job_list_run(struct request *request);
void job_get_run(struct request *request);
void job_delete_run(struct request *request);
void job_output_run(struct request *request);
void job_stdin_open(struct request *request);
void job_stdin_body(struct request *request, const uint8_t *bytes, size_t n);
void job_stdin_run(struct request *request);
void job_signal_run(struct request *request);
void job_resize_run(struct request *request);

#endif
