/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the files of a job's stream (stream*.c) share.  Nobody else includes
 * this. */
#ifndef VSRPC_HOST_JOB_STREAM_PRIV_H
#define VSRPC_HOST_JOB_STREAM_PRIV_H

#include "host/job/stream.h"

/* Frees what a request that was answered, or given up, holds. */
void job_stream_post_free(struct job_stream_post *post);

/* Writes the target of a turn without input; for flags see enum
 * job_stream_flags. */
void job_stream_target_output(const struct job_stream *stream,
                              unsigned int flags,
                              struct job_stream_post *post);

#endif
