/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* The path policy on a kernel without O_PATH: the very same tests. */
#include <config.h>

#define WAY OPATH_WALK
#define UNIT_NAME "path-walk"

#include "unit/guest/policy/test-path-policy.c"
