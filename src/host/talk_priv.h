/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the files of a talk (talk*.c) share.  Nobody else includes this. */
#ifndef VSRPC_HOST_TALK_PRIV_H
#define VSRPC_HOST_TALK_PRIV_H

#include "host/talk.h"

/* Frees what a request that was answered, or given up, holds. */
void talk_post_free(struct talk_post *post);

/* Writes the target of a turn without input; for flags see enum talk_flags. */
void talk_target_output(const struct talk *talk, unsigned int flags,
                        struct talk_post *post);

#endif
