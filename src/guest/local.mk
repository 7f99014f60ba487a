# guest: knows util and proto; no libvirt, no libxml2, nothing of the host.
noinst_LIBRARIES += libguest.a
libguest_a_SOURCES = \
	src/guest/admission.c \
	src/guest/admission.h \
	src/guest/agent.c \
	src/guest/agent.h \
	src/guest/auth_check.c \
	src/guest/auth_check.h \
	src/guest/cgroup.c \
	src/guest/cgroup.h \
	src/guest/child.c \
	src/guest/child.h \
	src/guest/child_report.c \
	src/guest/child_report.h \
	src/guest/command.c \
	src/guest/command.h \
	src/guest/command_policy.c \
	src/guest/command_policy.h \
	src/guest/environment.c \
	src/guest/environment.h \
	src/guest/etag.c \
	src/guest/etag.h \
	src/guest/feed.c \
	src/guest/feed.h \
	src/guest/handle_content.c \
	src/guest/handle_custom.c \
	src/guest/handle_exec.c \
	src/guest/handle_file.c \
	src/guest/handle_job_io.c \
	src/guest/handle_jobs.c \
	src/guest/handle_jobs.h \
	src/guest/handle_meta.c \
	src/guest/handle_requests.c \
	src/guest/handle_service.c \
	src/guest/handle_system.c \
	src/guest/handle_put.c \
	src/guest/handle_transfer.c \
	src/guest/handlers.c \
	src/guest/handlers.h \
	src/guest/job.c \
	src/guest/job.h \
	src/guest/job_wait.c \
	src/guest/job_wait.h \
	src/guest/jobs.c \
	src/guest/jobs.h \
	src/guest/loop.c \
	src/guest/loop.h \
	src/guest/memory.c \
	src/guest/memory.h \
	src/guest/once.c \
	src/guest/once.h \
	src/guest/options.c \
	src/guest/options.h \
	src/guest/orphan.c \
	src/guest/orphan.h \
	src/guest/outlog.c \
	src/guest/outlog.h \
	src/guest/path_policy.c \
	src/guest/path_policy.h \
	src/guest/port.c \
	src/guest/port.h \
	src/guest/port_find.c \
	src/guest/port_find.h \
	src/guest/proc.c \
	src/guest/proc.h \
	src/guest/pty.c \
	src/guest/pty.h \
	src/guest/put.c \
	src/guest/put.h \
	src/guest/query.c \
	src/guest/query.h \
	src/guest/rate.c \
	src/guest/rate.h \
	src/guest/request.c \
	src/guest/request.h \
	src/guest/service.c \
	src/guest/service.h \
	src/guest/service_openrc.c \
	src/guest/service_systemd.c \
	src/guest/service_sysv.c \
	src/guest/session.c \
	src/guest/session.h \
	src/guest/settings.c \
	src/guest/settings.h \
	src/guest/spawn.c \
	src/guest/spawn.h \
	src/guest/sysinfo.c \
	src/guest/sysinfo.h \
	src/guest/transfer.c \
	src/guest/transfer.h \
	src/guest/upload.c \
	src/guest/upload.h \
	src/guest/user.c \
	src/guest/user.h \
	src/guest/words.c \
	src/guest/words.h \
	src/guest/worker.c \
	src/guest/worker.h
libguest_a_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS)

sbin_PROGRAMS += vsrpc-agent
vsrpc_agent_SOURCES = src/guest/main.c
vsrpc_agent_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS)
vsrpc_agent_LDADD = libguest.a $(PROTO_LIBS)
