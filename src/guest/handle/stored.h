/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What clients are told of the files that they send. */
#ifndef VSRPC_GUEST_HANDLE_STORED_H
#define VSRPC_GUEST_HANDLE_STORED_H

#include "guest/file/transfer.h"
#include "guest/file/upload.h"
#include "guest/request/request.h"

/* Answers what became of a file, as upload_done has it. */
void stored_answer(struct request *request, struct upload *upload, int result,
                   const struct error *err);

/* Answers how far a transfer is. */
void stored_answer_part(struct request *request,
                        const struct transfer *transfer);

/* Refuses to go on with a transfer as somebody else than it began as.  Return:
 * STATUS_INVALID_PARAMS. */
int stored_other_user(struct error *err);

/*
 * Answers that the content is not the one announced, and drops it.  The body
 * of a client that was killed may have been completed by the bytes of the next
 * one: only its own word for what it was sending can tell.
 */
void stored_refuse(struct request *request, struct upload **upload);

#endif
