/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The table of abilities.  Its words go on behind "the agent can" in messages.
 */
#include <config.h>

#include "proto/ability.h"

static const struct ability table[ABILITY_COUNT] = {
    [ABILITY_META] = { "meta", "0.1.0", "tell about itself" },
    [ABILITY_SYSTEM] = { "system", "0.1.0", "tell about the guest" },
    [ABILITY_EXEC] = { "exec", "0.1.0", "run a command in one answer" },
    [ABILITY_JOBS] = { "jobs", "0.1.0", "run commands as jobs" },
    [ABILITY_FILES] = { "files", "0.1.0",
                        "tell about files or copy them as JSON" },
    [ABILITY_CONTENT] = { "content", "0.1.0", "copy files as bytes" },
    [ABILITY_TREES] = { "trees", "0.1.0", "list, make or remove folders" },
    [ABILITY_SERVICES] = { "services", "0.1.0", "control services" },
    [ABILITY_UNITS] = { "units", "0.1.0",
                        "reload services or tell their state in a word" },
    [ABILITY_CUSTOM] = { "custom", "0.1.0",
                         "run handlers of the guest's own" },
    [ABILITY_REQUESTS] = { "requests", "0.1.0",
                           "tell what became of a request" },
    [ABILITY_USERS] = { "users", "0.1.0",
                        "act on files with a user's rights" },
};

const struct ability *ability_get(enum ability_id id)
{
    return &table[id];
}
