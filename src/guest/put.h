/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What clients are told of the files that they send. */
#ifndef VSRPC_GUEST_PUT_H
#define VSRPC_GUEST_PUT_H

#include "guest/request.h"
#include "guest/transfer.h"
#include "guest/upload.h"

/* Answers what became of a file, as upload_done has it. */
void put_answer(struct request *request, struct upload *upload, int result,
                const struct error *err);

/* Answers how far a transfer is. */
void put_answer_part(struct request *request, const struct transfer *transfer);

/*
 * Answers that the content is not the one announced, and drops it.  The body
 * of a client that was killed may have been completed by the bytes of the next
 * one: only its own word for what it was sending can tell.
 */
void put_refuse(struct request *request, struct upload **upload);

#endif
