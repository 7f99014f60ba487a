/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the handlers of jobs share. */
#ifndef VSRPC_GUEST_HANDLE_JOBS_H
#define VSRPC_GUEST_HANDLE_JOBS_H

#include "guest/job/job.h"
#include "guest/request/request.h"

/* Return: the job that the path names; NULL when that has been answered. */
struct job *job_of(struct request *request);

#endif
