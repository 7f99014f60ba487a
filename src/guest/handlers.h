/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What is behind each route. */
#ifndef VSRPC_GUEST_HANDLERS_H
#define VSRPC_GUEST_HANDLERS_H

#include <stddef.h>
#include <stdint.h>

#include "guest/request.h"
#include "proto/route.h"

struct handler {
    /* ROUTE_RAW only: the head is there, the body comes.  May answer. */
    void (*open)(struct request *request);
    /* ROUTE_RAW only: a piece of the body.  May answer. */
    void (*body)(struct request *request, const uint8_t *bytes, size_t n);
    /* The whole request is there, and was not answered yet. */
    void (*run)(struct request *request);
};

/* Return: the handler of a route, never NULL. */
const struct handler *handler_get(enum route_id id);

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
void content_put_body(struct request *request, const uint8_t *bytes,
                      size_t n);
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
