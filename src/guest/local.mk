# guest: knows util and proto; no libvirt, no libxml2, nothing of the host.
noinst_LIBRARIES += libguest.a
libguest_a_SOURCES = \
	src/guest/agent.c src/guest/agent.h \
	src/guest/options.c src/guest/options.h \
	src/guest/core/context.h \
	src/guest/core/endpoint.c src/guest/core/endpoint.h \
	src/guest/core/loop.c src/guest/core/loop.h \
	src/guest/core/owner.c src/guest/core/owner.h \
	src/guest/core/settings.c src/guest/core/settings.h \
	src/guest/file/attributes.c src/guest/file/attributes.h \
	src/guest/file/digest_cache.c src/guest/file/digest_cache.h \
	src/guest/file/etag.c src/guest/file/etag.h \
	src/guest/file/fileinfo.c src/guest/file/fileinfo.h \
	src/guest/file/remove.c src/guest/file/remove.h \
	src/guest/file/transfer.c src/guest/file/transfer.h \
	src/guest/file/upload.c src/guest/file/upload.h \
	src/guest/file/upload_commit.c \
	src/guest/file/upload_priv.h \
	src/guest/handle/content.c \
	src/guest/handle/content_put.c \
	src/guest/handle/custom.c src/guest/handle/custom.h \
	src/guest/handle/exec.c \
	src/guest/handle/file.c \
	src/guest/handle/handlers.c src/guest/handle/handlers.h \
	src/guest/handle/job_io.c \
	src/guest/handle/jobs.c src/guest/handle/jobs.h \
	src/guest/handle/list.c \
	src/guest/handle/meta.c \
	src/guest/handle/remove.c \
	src/guest/handle/requests.c \
	src/guest/handle/service.c \
	src/guest/handle/stored.c src/guest/handle/stored.h \
	src/guest/handle/system.c \
	src/guest/handle/transfer.c \
	src/guest/handle/tree.c \
	src/guest/job/child_report.c src/guest/job/child_report.h \
	src/guest/job/command.c src/guest/job/command.h \
	src/guest/job/command_rule.c src/guest/job/command_rule.h \
	src/guest/job/job.c src/guest/job/job.h \
	src/guest/job/job_wait.c src/guest/job/job_wait.h \
	src/guest/job/jobs.c src/guest/job/jobs.h \
	src/guest/job/outlog.c src/guest/job/outlog.h \
	src/guest/policy/auth_check.c src/guest/policy/auth_check.h \
	src/guest/policy/command_policy.c src/guest/policy/command_policy.h \
	src/guest/policy/command_rules.c src/guest/policy/command_rules.h \
	src/guest/policy/env_policy.c src/guest/policy/env_policy.h \
	src/guest/policy/guard.c src/guest/policy/guard.h \
	src/guest/policy/path_policy.c src/guest/policy/path_policy.h \
	src/guest/policy/copies.c src/guest/policy/copies.h \
	src/guest/policy/rate.c src/guest/policy/rate.h \
	src/guest/policy/way.c src/guest/policy/way.h \
	src/guest/port/port.c src/guest/port/port.h \
	src/guest/port/port_find.c src/guest/port/port_find.h \
	src/guest/port/session.c src/guest/port/session.h \
	src/guest/proc/as_user.c src/guest/proc/as_user.h \
	src/guest/proc/cgroup.c src/guest/proc/cgroup.h \
	src/guest/proc/child.c src/guest/proc/child.h \
	src/guest/proc/environment.c src/guest/proc/environment.h \
	src/guest/proc/expand.c src/guest/proc/expand.h \
	src/guest/proc/feed.c src/guest/proc/feed.h \
	src/guest/proc/proc.c src/guest/proc/proc.h \
	src/guest/proc/pty.c src/guest/proc/pty.h \
	src/guest/proc/shellsplit.c src/guest/proc/shellsplit.h \
	src/guest/proc/runnable.c src/guest/proc/runnable.h \
	src/guest/proc/spawn.c src/guest/proc/spawn.h \
	src/guest/proc/user.c src/guest/proc/user.h \
	src/guest/proc/worker.c src/guest/proc/worker.h \
	src/guest/request/admission.c src/guest/request/admission.h \
	src/guest/request/detached.c src/guest/request/detached.h \
	src/guest/request/query.c src/guest/request/query.h \
	src/guest/request/replay.c src/guest/request/replay.h \
	src/guest/request/replay_cache.c src/guest/request/replay_cache.h \
	src/guest/request/request.c src/guest/request/request.h \
	src/guest/system/kernel.c src/guest/system/kernel.h \
	src/guest/system/service.c src/guest/system/service.h \
	src/guest/system/service_openrc.c \
	src/guest/system/service_systemd.c \
	src/guest/system/service_sysv.c \
	src/guest/system/sysinfo.c src/guest/system/sysinfo.h
libguest_a_CFLAGS = $(ROOM_CFLAGS) $(JSON_CFLAGS)

sbin_PROGRAMS += vsrpc-agent
vsrpc_agent_SOURCES = src/guest/main.c
vsrpc_agent_CFLAGS = $(ROOM_CFLAGS) $(JSON_CFLAGS)
vsrpc_agent_LDADD = libguest.a $(PROTO_LIBS)
