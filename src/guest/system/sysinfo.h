/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What the kernel says about the guest; nothing here blocks. */
#ifndef VSRPC_GUEST_SYSTEM_SYSINFO_H
#define VSRPC_GUEST_SYSTEM_SYSINFO_H

#include <stddef.h>
#include <stdint.h>

/* Ticks of all processors since boot (proc(5), /proc/stat). */
struct cpu_ticks {
    uint64_t busy;
    uint64_t total;
};

/* Return: 0 or negative errno. */
int sysinfo_cpu(struct cpu_ticks *ticks);

/* Bytes; available as MemAvailable has it, on kernels before 3.14 free memory
 * plus caches.  Return: 0 or negative errno. */
int sysinfo_memory(int64_t *total, int64_t *available);

/* The distribution as os-release(5) has it, "Debian GNU/Linux 12"; "unknown"
 * when there is no such file. */
void sysinfo_os_version(char *text, size_t n);

/* Processes now. */
int64_t sysinfo_processes(void);

/*
 * Calls found for each real mounted disk: block devices and their like, each
 * once; never network file systems, which may hang.  used: percent.
 */
void sysinfo_disks(void (*found)(void *arg, const char *mount_point,
                                 double used),
                   void *arg);

#endif
