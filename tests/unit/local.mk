# tests/unit: Check programs that link the very objects that ship.  One
# program per module; unit.c has main() and the three-way runner.
if HAVE_CHECK
check_LIBRARIES += tests/unit/libunit.a
tests_unit_libunit_a_SOURCES = \
	tests/unit/forbid.c tests/unit/forbid.h \
	tests/unit/play.c tests/unit/play.h \
	tests/unit/unit.c tests/unit/unit.h \
	tests/unit/wire.c tests/unit/wire.h
tests_unit_libunit_a_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)

UNIT_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JSON_CFLAGS)
UNIT_LIBS = tests/unit/libunit.a $(PROTO_LIBS) $(CHECK_LIBS)

UNIT_TESTS = \
	tests/unit/test-error \
	tests/unit/test-buf \
	tests/unit/test-num \
	tests/unit/test-text \
	tests/unit/test-fd \
	tests/unit/test-log \
	tests/unit/test-yaml \
	tests/unit/test-crypto \
	tests/unit/test-http \
	tests/unit/test-msg \
	tests/unit/test-route \
	tests/unit/test-server \
	tests/unit/test-server-token \
	tests/unit/test-server-urge \
	tests/unit/test-uri \
	tests/unit/test-auth \
	tests/unit/test-status \
	tests/unit/test-envelope \
	tests/unit/test-flow \
	tests/unit/test-jsonraw \
	tests/unit/test-range \
	tests/unit/test-syncscan \
	tests/unit/test-hello
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

tests_unit_test_error_SOURCES = tests/unit/test-error.c
tests_unit_test_error_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_error_LDADD = $(UNIT_LIBS)
tests_unit_test_buf_SOURCES = tests/unit/test-buf.c
tests_unit_test_buf_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_buf_LDADD = $(UNIT_LIBS)
tests_unit_test_num_SOURCES = tests/unit/test-num.c
tests_unit_test_num_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_num_LDADD = $(UNIT_LIBS)
tests_unit_test_text_SOURCES = tests/unit/test-text.c
tests_unit_test_text_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_text_LDADD = $(UNIT_LIBS)
tests_unit_test_fd_SOURCES = tests/unit/test-fd.c
tests_unit_test_fd_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fd_LDADD = $(UNIT_LIBS)
tests_unit_test_log_SOURCES = tests/unit/test-log.c
tests_unit_test_log_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_log_LDADD = $(UNIT_LIBS)
tests_unit_test_yaml_SOURCES = tests/unit/test-yaml.c
tests_unit_test_yaml_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_yaml_LDADD = $(UNIT_LIBS)
tests_unit_test_crypto_SOURCES = tests/unit/test-crypto.c
tests_unit_test_crypto_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_crypto_LDADD = $(UNIT_LIBS)
tests_unit_test_http_SOURCES = tests/unit/test-http.c
tests_unit_test_http_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_LDADD = $(UNIT_LIBS)
tests_unit_test_msg_SOURCES = tests/unit/test-msg.c
tests_unit_test_msg_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_msg_LDADD = $(UNIT_LIBS)
tests_unit_test_route_SOURCES = tests/unit/test-route.c
tests_unit_test_route_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_route_LDADD = $(UNIT_LIBS)
tests_unit_test_server_SOURCES = tests/unit/test-server.c
tests_unit_test_server_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_server_LDADD = $(UNIT_LIBS)
tests_unit_test_server_token_SOURCES = tests/unit/test-server-token.c
tests_unit_test_server_token_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_server_token_LDADD = $(UNIT_LIBS)
tests_unit_test_server_urge_SOURCES = tests/unit/test-server-urge.c
tests_unit_test_server_urge_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_server_urge_LDADD = $(UNIT_LIBS)
tests_unit_test_uri_SOURCES = tests/unit/test-uri.c
tests_unit_test_uri_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_uri_LDADD = $(UNIT_LIBS)
tests_unit_test_auth_SOURCES = tests/unit/test-auth.c
tests_unit_test_auth_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_auth_LDADD = $(UNIT_LIBS)
tests_unit_test_status_SOURCES = tests/unit/test-status.c
tests_unit_test_status_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_status_LDADD = $(UNIT_LIBS)
tests_unit_test_flow_SOURCES = tests/unit/test-flow.c
tests_unit_test_flow_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_flow_LDADD = $(UNIT_LIBS)
tests_unit_test_jsonraw_SOURCES = tests/unit/test-jsonraw.c
tests_unit_test_jsonraw_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_jsonraw_LDADD = $(UNIT_LIBS)
tests_unit_test_envelope_SOURCES = tests/unit/test-envelope.c
tests_unit_test_envelope_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_envelope_LDADD = $(UNIT_LIBS)
tests_unit_test_range_SOURCES = tests/unit/test-range.c
tests_unit_test_range_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_range_LDADD = $(UNIT_LIBS)
tests_unit_test_syncscan_SOURCES = tests/unit/test-syncscan.c
tests_unit_test_syncscan_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_syncscan_LDADD = $(UNIT_LIBS)
tests_unit_test_hello_SOURCES = tests/unit/test-hello.c
tests_unit_test_hello_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_hello_LDADD = $(UNIT_LIBS)

if GUEST
check_LIBRARIES += tests/unit/libunitguest.a
tests_unit_libunitguest_a_SOURCES = \
	tests/unit/again.c tests/unit/again.h \
	tests/unit/files.c tests/unit/files.h \
	tests/unit/rig.c tests/unit/rig.h \
	tests/unit/sessions.c tests/unit/sessions.h \
	tests/unit/spin.c tests/unit/spin.h \
	tests/unit/turns.c tests/unit/turns.h
tests_unit_libunitguest_a_CFLAGS = $(UNIT_CFLAGS)
UNIT_GUEST_LIBS = tests/unit/libunit.a tests/unit/libunitguest.a libguest.a \
	$(PROTO_LIBS) $(CHECK_LIBS)

UNIT_GUEST_TESTS = \
	tests/unit/test-words \
	tests/unit/test-command-policy \
	tests/unit/test-path-policy \
	tests/unit/test-rate \
	tests/unit/test-memory \
	tests/unit/test-once \
	tests/unit/test-orphan \
	tests/unit/test-replay \
	tests/unit/test-settings \
	tests/unit/test-environment \
	tests/unit/test-user \
	tests/unit/test-auth-check \
	tests/unit/test-service \
	tests/unit/test-child \
	tests/unit/test-outlog \
	tests/unit/test-child-sink \
	tests/unit/test-pty \
	tests/unit/test-cgroup \
	tests/unit/test-jobs \
	tests/unit/test-jobs-life \
	tests/unit/test-jobs-start \
	tests/unit/test-worker \
	tests/unit/test-upload \
	tests/unit/test-loop \
	tests/unit/test-transfer \
	tests/unit/test-session \
	tests/unit/test-session-files \
	tests/unit/test-owner \
	tests/unit/test-list \
	tests/unit/test-place \
	tests/unit/test-remove \
	tests/unit/test-announced \
	tests/unit/test-session-life \
	tests/unit/test-session-urge \
	tests/unit/test-quarantine
check_PROGRAMS += $(UNIT_GUEST_TESTS)
TESTS += $(UNIT_GUEST_TESTS)

tests_unit_test_words_SOURCES = tests/unit/test-words.c
tests_unit_test_words_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_words_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_command_policy_SOURCES = tests/unit/test-command-policy.c
tests_unit_test_command_policy_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_command_policy_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_path_policy_SOURCES = tests/unit/test-path-policy.c
tests_unit_test_path_policy_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_path_policy_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_rate_SOURCES = tests/unit/test-rate.c
tests_unit_test_rate_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_rate_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_memory_SOURCES = tests/unit/test-memory.c
tests_unit_test_memory_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_memory_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_once_SOURCES = tests/unit/test-once.c
tests_unit_test_once_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_once_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_orphan_SOURCES = tests/unit/test-orphan.c
tests_unit_test_orphan_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_orphan_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_replay_SOURCES = tests/unit/test-replay.c
tests_unit_test_replay_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_replay_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_settings_SOURCES = tests/unit/test-settings.c
tests_unit_test_settings_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_settings_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_environment_SOURCES = tests/unit/test-environment.c
tests_unit_test_environment_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_environment_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_user_SOURCES = tests/unit/test-user.c
tests_unit_test_user_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_user_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_auth_check_SOURCES = tests/unit/test-auth-check.c
tests_unit_test_auth_check_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_auth_check_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_service_SOURCES = tests/unit/test-service.c
tests_unit_test_service_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_service_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_child_SOURCES = tests/unit/test-child.c
tests_unit_test_child_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_child_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_outlog_SOURCES = tests/unit/test-outlog.c
tests_unit_test_outlog_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_outlog_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_child_sink_SOURCES = tests/unit/test-child-sink.c
tests_unit_test_child_sink_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_child_sink_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_pty_SOURCES = tests/unit/test-pty.c
tests_unit_test_pty_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pty_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_cgroup_SOURCES = tests/unit/test-cgroup.c
tests_unit_test_cgroup_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cgroup_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_jobs_SOURCES = tests/unit/test-jobs.c
tests_unit_test_jobs_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_jobs_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_jobs_life_SOURCES = tests/unit/test-jobs-life.c
tests_unit_test_jobs_life_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_jobs_life_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_jobs_start_SOURCES = tests/unit/test-jobs-start.c
tests_unit_test_jobs_start_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_jobs_start_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_worker_SOURCES = tests/unit/test-worker.c
tests_unit_test_worker_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_worker_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_upload_SOURCES = tests/unit/test-upload.c
tests_unit_test_upload_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_upload_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_loop_SOURCES = tests/unit/test-loop.c
tests_unit_test_loop_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_loop_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_transfer_SOURCES = tests/unit/test-transfer.c
tests_unit_test_transfer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_transfer_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_session_files_SOURCES = tests/unit/test-session-files.c
tests_unit_test_session_files_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_session_files_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_owner_SOURCES = tests/unit/test-owner.c
tests_unit_test_owner_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_owner_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_list_SOURCES = tests/unit/test-list.c
tests_unit_test_list_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_list_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_place_SOURCES = tests/unit/test-place.c
tests_unit_test_place_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_place_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_remove_SOURCES = tests/unit/test-remove.c
tests_unit_test_remove_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_remove_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_announced_SOURCES = tests/unit/test-announced.c
tests_unit_test_announced_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_announced_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_session_life_SOURCES = tests/unit/test-session-life.c
tests_unit_test_session_life_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_session_life_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_session_urge_SOURCES = tests/unit/test-session-urge.c
tests_unit_test_session_urge_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_session_urge_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_quarantine_SOURCES = tests/unit/test-quarantine.c
tests_unit_test_quarantine_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quarantine_LDADD = $(UNIT_GUEST_LIBS)
tests_unit_test_session_SOURCES = tests/unit/test-session.c
tests_unit_test_session_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_session_LDADD = $(UNIT_GUEST_LIBS)
endif

if HOST
check_LIBRARIES += tests/unit/libunithost.a
tests_unit_libunithost_a_SOURCES = \
	tests/unit/capture.c tests/unit/capture.h \
	tests/unit/link.c tests/unit/link.h \
	tests/unit/talking.c tests/unit/talking.h
UNIT_HOST_CFLAGS = $(UNIT_CFLAGS) $(LIBVIRT_CFLAGS) $(XML_CFLAGS)
tests_unit_libunithost_a_CFLAGS = $(UNIT_HOST_CFLAGS)
UNIT_HOST_LIBS = tests/unit/libunit.a tests/unit/libunithost.a $(HOST_LIBS) $(CHECK_LIBS)

UNIT_HOST_TESTS = \
	tests/unit/test-domxml \
	tests/unit/test-channel \
	tests/unit/test-retry \
	tests/unit/test-dial \
	tests/unit/test-holder \
	tests/unit/test-opt \
	tests/unit/test-flusher \
	tests/unit/test-pace \
	tests/unit/test-prefix \
	tests/unit/test-progress \
	tests/unit/test-shorten \
	tests/unit/test-lock \
	tests/unit/test-keyfile \
	tests/unit/test-rpc \
	tests/unit/test-rpc-sent \
	tests/unit/test-rpc-post \
	tests/unit/test-out \
	tests/unit/test-tempfile \
	tests/unit/test-escape \
	tests/unit/test-localtree \
	tests/unit/test-shown \
	tests/unit/test-wake \
	tests/unit/test-outlet \
	tests/unit/test-job \
	tests/unit/test-talk \
	tests/unit/test-talk-wrong \
	tests/unit/test-talk-resume
check_PROGRAMS += $(UNIT_HOST_TESTS)
TESTS += $(UNIT_HOST_TESTS)

tests_unit_test_domxml_SOURCES = tests/unit/test-domxml.c
tests_unit_test_domxml_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_domxml_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_channel_SOURCES = tests/unit/test-channel.c
tests_unit_test_channel_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_channel_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_dial_SOURCES = tests/unit/test-dial.c
tests_unit_test_dial_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_dial_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_holder_SOURCES = tests/unit/test-holder.c
tests_unit_test_holder_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_holder_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_retry_SOURCES = tests/unit/test-retry.c
tests_unit_test_retry_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_retry_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_opt_SOURCES = tests/unit/test-opt.c
tests_unit_test_opt_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_opt_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_prefix_SOURCES = tests/unit/test-prefix.c
tests_unit_test_prefix_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_prefix_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_flusher_SOURCES = tests/unit/test-flusher.c
tests_unit_test_flusher_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_flusher_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_pace_SOURCES = tests/unit/test-pace.c
tests_unit_test_pace_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_pace_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_progress_SOURCES = tests/unit/test-progress.c
tests_unit_test_progress_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_progress_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_shorten_SOURCES = tests/unit/test-shorten.c
tests_unit_test_shorten_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_shorten_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_keyfile_SOURCES = tests/unit/test-keyfile.c
tests_unit_test_keyfile_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_keyfile_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_rpc_SOURCES = tests/unit/test-rpc.c
tests_unit_test_rpc_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_rpc_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_rpc_sent_SOURCES = tests/unit/test-rpc-sent.c
tests_unit_test_rpc_sent_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_rpc_sent_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_rpc_post_SOURCES = tests/unit/test-rpc-post.c
tests_unit_test_rpc_post_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_rpc_post_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_out_SOURCES = tests/unit/test-out.c
tests_unit_test_out_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_out_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_lock_SOURCES = tests/unit/test-lock.c
tests_unit_test_lock_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_lock_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_tempfile_SOURCES = tests/unit/test-tempfile.c
tests_unit_test_tempfile_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_tempfile_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_escape_SOURCES = tests/unit/test-escape.c
tests_unit_test_escape_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_escape_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_wake_SOURCES = tests/unit/test-wake.c
tests_unit_test_wake_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_wake_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_localtree_SOURCES = tests/unit/test-localtree.c
tests_unit_test_localtree_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_localtree_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_shown_SOURCES = tests/unit/test-shown.c
tests_unit_test_shown_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_shown_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_outlet_SOURCES = tests/unit/test-outlet.c
tests_unit_test_outlet_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_outlet_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_job_SOURCES = tests/unit/test-job.c
tests_unit_test_job_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_job_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_talk_SOURCES = tests/unit/test-talk.c
tests_unit_test_talk_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_talk_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_talk_wrong_SOURCES = tests/unit/test-talk-wrong.c
tests_unit_test_talk_wrong_CFLAGS = $(UNIT_HOST_CFLAGS)
tests_unit_test_talk_wrong_LDADD = $(UNIT_HOST_LIBS)
tests_unit_test_talk_resume_SOURCES = tests/unit/test-talk-resume.c
tests_unit_test_talk_resume_CFLAGS = $(UNIT_HOST_CFLAGS) -pthread
tests_unit_test_talk_resume_LDADD = $(UNIT_HOST_LIBS) -lpthread
endif
endif
