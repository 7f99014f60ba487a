# host: knows util, proto, libvirt (virt*.c) and libxml2 (domxml.c); nothing of
# the guest.
noinst_LIBRARIES += libhost.a
libhost_a_SOURCES = \
	src/host/app.c src/host/app.h \
	src/host/attach.c src/host/attach.h \
	src/host/cancel.c src/host/cancel.h \
	src/host/channel.c src/host/channel.h \
	src/host/client.c src/host/client.h \
	src/host/cmd_call.c \
	src/host/cmd_copy.c src/host/cmd_copy.h \
	src/host/cmd_copy_many.c \
	src/host/cmd_doctor.c \
	src/host/cmd_edit.c \
	src/host/cmd_exec.c \
	src/host/cmd_files.c \
	src/host/cmd_help.c src/host/help.h \
	src/host/cmd_info.c \
	src/host/cmd_jobs.c \
	src/host/cmd_list.c \
	src/host/cmd_ls.c \
	src/host/cmd_service.c \
	src/host/commands.c src/host/command.h \
	src/host/config.c src/host/config.h \
	src/host/copy.c src/host/copy.h \
	src/host/dial.c src/host/dial.h \
	src/host/domxml.c src/host/domxml.h \
	src/host/doctor.c src/host/doctor.h \
	src/host/doctor_agent.c \
	src/host/doctor_libvirt.c \
	src/host/download.c \
	src/host/download_check.c \
	src/host/download_priv.h \
	src/host/download_turns.c \
	src/host/editor.c src/host/editor.h \
	src/host/effort.c \
	src/host/escape.c src/host/escape.h \
	src/host/filetarget.c src/host/filetarget.h \
	src/host/fleet.c src/host/fleet.h \
	src/host/flusher.c src/host/flusher.h \
	src/host/holder.c src/host/holder.h \
	src/host/inlet.c src/host/inlet.h \
	src/host/interrupt.c src/host/interrupt.h \
	src/host/job.c src/host/job.h \
	src/host/joblog.c src/host/joblog.h \
	src/host/keyfile.c src/host/keyfile.h \
	src/host/localtree.c src/host/localtree.h \
	src/host/lock.c src/host/lock.h \
	src/host/opening.c \
	src/host/opt.c src/host/opt.h \
	src/host/options.c src/host/options.h \
	src/host/out.c src/host/out.h \
	src/host/outlet.c src/host/outlet.h \
	src/host/pace.c src/host/pace.h \
	src/host/prefix.c src/host/prefix.h \
	src/host/progress.c src/host/progress.h \
	src/host/pump.c src/host/pump.h \
	src/host/remote.c src/host/remote.h \
	src/host/retry.c src/host/retry.h \
	src/host/rpc.c src/host/rpc.h \
	src/host/several.c src/host/several.h \
	src/host/shorten.c src/host/shorten.h \
	src/host/shown.c src/host/shown.h \
	src/host/silence.c \
	src/host/sock.c src/host/sock.h \
	src/host/stream.c src/host/stream.h \
	src/host/talk.c src/host/talk.h src/host/talk_priv.h \
	src/host/talk_answer.c \
	src/host/target.c src/host/target.h \
	src/host/tempfile.c src/host/tempfile.h \
	src/host/terminal.c src/host/terminal.h \
	src/host/transfer.c src/host/transfer.h \
	src/host/transport.h \
	src/host/tree.c src/host/tree.h \
	src/host/tree_down.c \
	src/host/tree_up.c \
	src/host/upload.c \
	src/host/upload_parts.c \
	src/host/upload_priv.h \
	src/host/upload_request.c \
	src/host/upload_source.c \
	src/host/virshline.c src/host/virshline.h \
	src/host/virt.c src/host/virt.h src/host/virt_priv.h \
	src/host/virt_stream.c src/host/virt_stream.h \
	src/host/wake.c src/host/wake.h
libhost_a_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS) $(LIBVIRT_CFLAGS) $(XML_CFLAGS)
HOST_LIBS = libhost.a $(PROTO_LIBS) $(LIBVIRT_LIBS) $(XML_LIBS)

bin_PROGRAMS += vsrpc-virsh
vsrpc_virsh_SOURCES = src/host/main.c
vsrpc_virsh_LDADD = $(HOST_LIBS)
