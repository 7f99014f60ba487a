/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* One table: each part with the question of the file that knows it. */
#include <config.h>

#include "guest/system/kernel.h"

#include <stdio.h>
#include <sys/utsname.h>

#include "guest/proc/cgroup.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fssync.h"
#include "util/newfile.h"
#include "util/opath.h"
#include "util/peek.h"
#include "util/random.h"

static bool has_opath(void)
{
    return opath_way() == OPATH_KERNEL;
}

/* By age. */
static const struct kernel_part parts[] = {
    { "AT_NO_AUTOMOUNT", "2.6.38",
      "a listing may mount what is mounted on demand", peek_mounts_nothing },
    { "CLOCK_BOOTTIME", "2.6.39",
      "uptime and time limits stand still while the guest sleeps",
      clock_counts_sleep },
    { "syncfs", "2.6.39", "a sync waits for all file systems, not for one",
      fssync_single },
    { "O_PATH", "3.6",
      "nothing is found in a folder that may be searched but not read, and "
      "only what may be read gets a mode",
      has_opath },
    { "O_TMPFILE", "3.11",
      "a file that is being written has a hidden name, which is left behind "
      "by a crash",
      newfile_may_be_unnamed },
    { "getrandom", "3.17",
      "early in a boot random numbers are made before there is enough to make "
      "them of",
      random_waits },
    { "cgroup2", "4.5",
      "a process that has left the process group of its command is not "
      "killed with it",
      cgroup_is_known },
    { "clone3", "5.7", "a command takes 10 to 25 ms longer to start",
      cgroup_forks },
};

void kernel_look(struct kernel *kernel)
{
    struct utsname names = { 0 };

    uname(&names);
    *kernel = (struct kernel) { .missing = 0 };
    snprintf(kernel->release, sizeof(kernel->release), "%s", names.release);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (!parts[i].is_there())
            kernel->missing |= 1U << i;
}

const struct kernel_part *kernel_missing(const struct kernel *kernel,
                                         size_t number)
{
    return kernel->missing & (1U << number) ? &parts[number] : NULL;
}

size_t kernel_parts(void)
{
    return ARRAY_SIZE(parts);
}
