# host: knows util, proto, libvirt (domain/virt*.c) and libxml2 (domain/domxml.c); nothing of
# the guest.
noinst_LIBRARIES += libhost.a
libhost_a_SOURCES = \
	src/host/app.c src/host/app.h \
	src/host/multi.c src/host/multi.h \
	src/host/single.c src/host/single.h \
	src/host/args/opt.c src/host/args/opt.h \
	src/host/args/options.c src/host/args/options.h \
	src/host/client/answer.c src/host/client/answer.h \
	src/host/client/as_user.c src/host/client/as_user.h \
	src/host/client/attempts.c src/host/client/attempts.h \
	src/host/client/busy.c src/host/client/busy.h \
	src/host/client/cancel.c src/host/client/cancel.h \
	src/host/client/client.c src/host/client/client.h \
	src/host/client/connect.c src/host/client/connect.h \
	src/host/client/keyfile.c src/host/client/keyfile.h \
	src/host/client/retry.c src/host/client/retry.h \
	src/host/client/silence.c src/host/client/silence.h \
	src/host/client/specified.c src/host/client/specified.h \
	src/host/cmd/attach.c src/host/cmd/attach.h \
	src/host/cmd/call.c \
	src/host/cmd/command.c src/host/cmd/command.h \
	src/host/cmd/copy.c src/host/cmd/copy.h \
	src/host/cmd/copy_many.c \
	src/host/cmd/doctor.c \
	src/host/cmd/edit.c \
	src/host/cmd/editor.c src/host/cmd/editor.h \
	src/host/cmd/exec.c \
	src/host/cmd/files.c \
	src/host/cmd/help.c src/host/cmd/help.h \
	src/host/cmd/info.c \
	src/host/cmd/jobs.c \
	src/host/cmd/list.c \
	src/host/cmd/ls.c \
	src/host/cmd/plain.c src/host/cmd/plain.h \
	src/host/cmd/service.c \
	src/host/copy/copy.c src/host/copy/copy.h \
	src/host/copy/download.c src/host/copy/download.h \
	src/host/copy/download_check.c \
	src/host/copy/download_priv.h \
	src/host/copy/download_turns.c \
	src/host/copy/path.c src/host/copy/path.h \
	src/host/copy/plain.c src/host/copy/plain.h \
	src/host/copy/throttle.c src/host/copy/throttle.h \
	src/host/copy/tree.c src/host/copy/tree.h \
	src/host/copy/tree_down.c \
	src/host/copy/tree_up.c \
	src/host/copy/upload.c src/host/copy/upload.h \
	src/host/copy/upload_parts.c \
	src/host/copy/upload_priv.h \
	src/host/copy/upload_request.c \
	src/host/copy/upload_source.c \
	src/host/core/config.c src/host/core/config.h \
	src/host/core/interrupt.c src/host/core/interrupt.h \
	src/host/doctor/agent.c \
	src/host/doctor/doctor.c src/host/doctor/doctor.h \
	src/host/doctor/libvirt.c \
	src/host/domain/channel.c src/host/domain/channel.h \
	src/host/domain/domxml.c src/host/domain/domxml.h \
	src/host/domain/target.c src/host/domain/target.h \
	src/host/domain/virshline.c src/host/domain/virshline.h \
	src/host/domain/virt.c src/host/domain/virt.h \
	src/host/domain/virt_priv.h \
	src/host/domain/virt_stream.c src/host/domain/virt_stream.h \
	src/host/fleet/fleet.c src/host/fleet/fleet.h \
	src/host/fleet/record.c src/host/fleet/record.h \
	src/host/fleet/spool.c src/host/fleet/spool.h \
	src/host/fleet/prefix.c src/host/fleet/prefix.h \
	src/host/job/escape.c src/host/job/escape.h \
	src/host/job/job.c src/host/job/job.h \
	src/host/job/joblog.c src/host/job/joblog.h \
	src/host/job/relay.c src/host/job/relay.h \
	src/host/job/std_input.c src/host/job/std_input.h \
	src/host/job/std_output.c src/host/job/std_output.h \
	src/host/job/stream.c src/host/job/stream.h \
	src/host/job/stream_answer.c \
	src/host/job/stream_priv.h \
	src/host/job/waitset.c src/host/job/waitset.h \
	src/host/link/dial.c src/host/link/dial.h \
	src/host/link/handshake.c src/host/link/handshake.h \
	src/host/link/holder.c src/host/link/holder.h \
	src/host/link/lock.c src/host/link/lock.h \
	src/host/link/rpc.c src/host/link/rpc.h \
	src/host/link/sock.c src/host/link/sock.h \
	src/host/link/stream.c src/host/link/stream.h \
	src/host/link/transport.h \
	src/host/local/flusher.c src/host/local/flusher.h \
	src/host/local/localtree.c src/host/local/localtree.h \
	src/host/local/tempfile.c src/host/local/tempfile.h \
	src/host/remote/filetarget.c src/host/remote/filetarget.h \
	src/host/remote/info.c src/host/remote/info.h \
	src/host/remote/remote.c src/host/remote/remote.h \
	src/host/term/mode.c src/host/term/mode.h \
	src/host/term/out.c src/host/term/out.h \
	src/host/term/progress.c src/host/term/progress.h \
	src/host/term/shorten.c src/host/term/shorten.h \
	src/host/term/terminal.c src/host/term/terminal.h
libhost_a_CFLAGS = $(ROOM_CFLAGS) $(JSON_CFLAGS) $(LIBVIRT_CFLAGS) $(XML_CFLAGS)
HOST_LIBS = libhost.a $(PROTO_LIBS) $(LIBVIRT_LIBS) $(XML_LIBS)

bin_PROGRAMS += vsrpc-virsh
vsrpc_virsh_SOURCES = src/host/main.c
vsrpc_virsh_CFLAGS = $(ROOM_CFLAGS)
vsrpc_virsh_LDADD = $(HOST_LIBS)
