/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * system/info and system/status as JSON.  The CPU usage is that between two
 * samples of /proc/stat, 100 ms apart by a timer.
 */
#include <config.h>

#include "guest/handle/handlers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest/core/context.h"
#include "guest/core/loop.h"
#include "guest/system/sysinfo.h"

/* Between the two looks at /proc/stat: a tenth of a second is ten ticks. */
#define CPU_SAMPLE_MS 100

static void add_memory(struct json_object *data)
{
    int64_t total = 0;
    int64_t available = 0;

    sysinfo_memory(&total, &available);
    json_add_int(data, "memory_total", total);
    json_add_int(data, "memory_available", available);
}

void system_info_run(struct request *request)
{
    struct json_object *data = json_object_new_object();
    struct utsname names = { 0 };
    char version[256];

    if (data) {
        uname(&names);
        sysinfo_os_version(version, sizeof(version));
        json_add_string(data, "hostname", names.nodename);
        json_add_string(data, "os", names.sysname);
        json_add_string(data, "os_version", version);
        json_add_string(data, "kernel", names.release);
        json_add_string(data, "arch", names.machine);
        json_add_int(data, "cpu_count", sysconf(_SC_NPROCESSORS_ONLN));
        add_memory(data);
    }
    request_ok(request, data);
}

/* Between the two samples. */
struct status_work {
    struct request *request;
    struct loop_timer timer;
    struct cpu_ticks before;
};

static void status_drop(void *arg)
{
    struct status_work *work = arg;

    loop_timer_stop(work->request->context->loop, &work->timer);
    free(work);
}

/* A number as people write it: json-c would print 0.42 with 17 digits. */
static struct json_object *decimal(double value, int digits)
{
    char text[64];

    snprintf(text, sizeof(text), "%.*f", digits, value);
    return json_object_new_double_s(value, text);
}

/* One decimal, as the specification shows it. */
static struct json_object *percent(double value)
{
    return decimal(value, 1);
}

static double cpu_usage(const struct cpu_ticks *before)
{
    struct cpu_ticks now;

    if (sysinfo_cpu(&now) < 0 || now.total <= before->total
        || now.busy < before->busy)
        return 0;
    return (double) (now.busy - before->busy) * 100
           / (double) (now.total - before->total);
}

static double memory_usage(void)
{
    int64_t total = 0;
    int64_t available = 0;

    if (sysinfo_memory(&total, &available) < 0 || total <= 0)
        return 0;
    return (double) (total - available) * 100 / (double) total;
}

static void add_disk(void *arg, const char *mount_point, double used)
{
    json_add(arg, mount_point, percent(used));
}

static void add_load(struct json_object *data)
{
    struct json_object *array = json_object_new_array();
    double load[3] = { 0 };

    getloadavg(load, 3);
    for (int i = 0; array && i < 3; i++)
        json_append(array, decimal(load[i], 2));
    json_add(data, "load_average", array);
}

static void status_sampled(void *arg)
{
    struct status_work *work = arg;
    struct json_object *data = json_object_new_object();
    struct json_object *disks = data ? json_object_new_object() : NULL;

    if (disks)
        sysinfo_disks(add_disk, disks);
    if (data) {
        json_add(data, "cpu_usage", percent(cpu_usage(&work->before)));
        json_add(data, "memory_usage", percent(memory_usage()));
        json_add(data, "disk_usage", disks);
        add_load(data);
        json_add_int(data, "process_count", sysinfo_processes());
    }
    request_ok(work->request, data);
}

void system_status_run(struct request *request)
{
    struct status_work *work = request_work(request, sizeof(*work),
                                            status_drop);

    if (!work)
        return;
    work->request = request;
    work->timer = (struct loop_timer) { .expired = status_sampled,
                                        .arg = work };
    sysinfo_cpu(&work->before);
    loop_timer_start(request->context->loop, &work->timer, CPU_SAMPLE_MS);
}
